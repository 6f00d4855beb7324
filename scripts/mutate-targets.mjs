/** The modules that decide, and the tests that are to notice when one of them decides otherwise. */
export const TARGETS = [
  target('src/core/security/address-key.ts'),
  target('src/core/security/challenge.ts'),
  target('src/core/security/cors.ts'),
  target('src/core/security/failure-budget.ts'),
  target('src/core/security/host-origin.ts'),
  target('src/core/security/listen-host.ts'),
  target('src/core/security/protected-resource.ts'),
  target('src/core/sessions/pending.ts'),
  target('src/core/sessions/cursor.ts'),
  { ...target('src/server/sessions.ts'), within: ['findSession'] },
  target('src/server/admission.ts'),
  target('src/server/warrant.ts'),
  target('src/server/task-owners.ts'),
  target('src/server/trust-deadlines.ts'),
  target('src/adapters/stores/memory-session-directory.ts'),
  target('src/adapters/gate/account-rule.ts'),
  target('src/adapters/gate/debts.ts'),
  target('src/adapters/gate/holdings.ts'),
  target('src/adapters/gate/leases.ts'),
  target('src/adapters/http/proxy-header.ts'),
  target('src/adapters/http/trusted-proxies.ts'),
  target('src/adapters/identity/api-key.ts'),
  target('src/adapters/identity/bearer.ts'),
  target('src/adapters/identity/claim-mapping.ts'),
  target('src/adapters/identity/denials.ts'),
  target('src/adapters/identity/dpop-proofs.ts'),
  target('src/adapters/identity/first-match.ts'),
  target('src/adapters/identity/jwt-verifier.ts'),
  target('src/adapters/identity/key-file.ts'),
  target('src/adapters/identity/key-ring.ts'),
  target('src/adapters/identity/presented-tokens.ts'),
  target('src/adapters/identity/replay-cache.ts'),
  target('src/adapters/identity/token-identity.ts'),
  target('src/adapters/identity/verified-tokens.ts'),
  target('src/adapters/policy/chosen-arguments.ts'),
  target('src/adapters/policy/filtered-list.ts'),
  target('src/adapters/policy/policy-access.ts'),
  target('src/adapters/policy/question.ts'),
  target('src/adapters/policy/task-tools.ts'),
  target('src/adapters/policy/tool-book.ts'),
  target('src/gateway/tenants.ts'),
  target('src/adapters/outbound/ssrf-guard.ts'),
];

/** Changes that make no difference anybody could see, each with the reason. */
export const EQUIVALENT = [
  ...['tail === undefined', "''"].map((text) => ({
    file: 'src/core/security/address-key.ts',
    line: "const right = tail === undefined || tail === '' ? [] : tail.split(':');",
    text: text === "''" ? "'x'" : `(${text})`,
    why: 'An empty group at the end is never among the first four.',
  })),
  ...['false', '1'].map((text) => ({
    file: 'src/core/security/address-key.ts',
    line: 'const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);',
    text,
    why: 'An address without :: has all eight groups before any that are added.',
  })),
  {
    file: 'src/core/security/cors.ts',
    line: "origin !== undefined && head.headerCount('origin') === 1 && guard.allowsOrigin(origin);",
    text: "(head.headerCount('origin') === 1)",
    why: 'A header that was sent once has a value; the compiler asks.',
  },
  {
    file: 'src/server/admission.ts',
    line: "return query.includes('access_token') && new URLSearchParams(query).has('access_token');",
    text: "(new URLSearchParams(query).has('access_token'))",
    why: 'The quick look spares most requests the slow one, and decides nothing.',
  },
  {
    file: 'src/server/admission.ts',
    line: "return query.includes('access_token') && new URLSearchParams(query).has('access_token');",
    text: "''",
    why: 'As above: every query holds the empty text.',
  },
  ...[
    [
      "(method.startsWith('tasks/'))",
      'The quick look spares large answers a slow one, and decides nothing.',
    ],
    ["''", 'As above: every answer holds the empty text.'],
  ].map(([text, why]) => ({
    file: 'src/server/task-owners.ts',
    line: `if (method.startsWith('tasks/') || answer.payload?.includes('"taskId"') !== true) return answer;`,
    text,
    why,
  })),
  {
    file: 'src/server/task-owners.ts',
    line: 'this.#book.add(principal.key, taskId, true, undefined, this.#clock.now());',
    text: 'false',
    why: 'The note says nothing: a task is there or is not.',
  },
  ...['(answer.id)', "''"].map((text) => ({
    file: 'src/server/task-owners.ts',
    line: "return Message.result(answer.id ?? 'null', JSON.stringify({ ...result, tasks: own }));",
    text,
    why: 'An answer that arrived here has an id; the compiler asks.',
  })),
  {
    file: 'src/server/task-owners.ts',
    line: 'return isMembers(task) ? taskIdOf(task) : undefined;',
    text: 'true',
    why: 'What is no object has no id either.',
  },
];

function target(file) {
  return { file, within: undefined, tests: [file.replace(/\.ts$/, '.test.ts')] };
}
