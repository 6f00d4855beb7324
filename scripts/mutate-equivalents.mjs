/**
 * Changes that make no difference anybody could see: by file the line as it stands there, what a
 * part of it becomes, and why nobody would see it. A line that was changed is judged anew.
 */
const BY_FILE = {
  'src/core/protocol/param-names.ts': [
    {
      line: 'if (end - start > CHARS_MAX) return false;',
      texts: ['false'],
      why: 'The quick look spares long names the slow one, and decides nothing.',
    },
  ],
  'src/core/protocol/read-message.ts': [
    {
      line: "const parsed = scan.kind === 'malformed' ? undefined : parse(text);",
      texts: ['false', "''"],
      why: 'The parser takes nothing that the scan does not, either; the quick look spares asking it.',
    },
    {
      line: "if (parsed === undefined || scan.kind === 'malformed') return refused({ error: 'PARSE_ERROR' });",
      texts: ['(parsed === undefined)'],
      why: 'What is malformed was not parsed; the compiler asks.',
    },
    {
      line: 'if (places === undefined || members === undefined) return invalid(NOT_A_MESSAGE);',
      texts: ['(places === undefined)'],
      why: 'There are as many values as places; the compiler asks.',
    },
    {
      line: 'const inner: readonly unknown[] = isArray ? value : Object.values(value);',
      texts: ['false'],
      why: 'The values of a list are its items.',
    },
    {
      line: "for (const each of inner) if (typeof each === 'object') count += membersWithin(each);",
      texts: ['true'],
      why: 'What is no object has no members.',
    },
  ],
  'src/core/security/address-key.ts': [
    {
      line: "const right = tail === undefined || tail === '' ? [] : tail.split(':');",
      texts: ['(tail === undefined)', "'x'"],
      why: 'An empty group at the end is never among the first four.',
    },
    {
      line: 'const zeros = tail === undefined ? 0 : Math.max(0, 8 - left.length - right.length);',
      texts: ['false', '1'],
      why: 'An address without :: has all eight groups before any that are added.',
    },
    {
      line: "if (!address.includes(':') && !address.includes('%')) return address;",
      texts: ['false', "''"],
      why: 'The quick way says what the slow one does.',
    },
  ],
  'src/core/security/cors.ts': [
    {
      line: 'origin !== undefined &&',
      texts: ["(head.headerCount('origin') === 1)"],
      why: 'A header that was sent once has a value; the compiler asks.',
    },
  ],
  'src/core/security/failure-budget.ts': [
    {
      line: 'if (this.#suspects.size === 0) return false;',
      texts: ['false'],
      why: 'The quick look spares most requests the slow one, and decides nothing.',
    },
    {
      line: 'if (this.#suspects.size === 0) return false;',
      texts: ['return undefined;'],
      why: 'It is asked only whether it is true.',
    },
    {
      line: 'const failedAt = this.#suspects.get(addressKey(address))?.at(-1) ?? -Infinity;',
      texts: ['(this.#suspects.get(addressKey(address))?.at(-1))'],
      why: 'What is no number is not less than the time either; the compiler asks.',
    },
    {
      line: 'if (this.#suspects.size >= SUSPECTS_MAX && oldest !== undefined) this.#suspects.delete(oldest);',
      texts: ['(this.#suspects.size >= SUSPECTS_MAX)'],
      why: 'As many as that have an oldest; the compiler asks.',
    },
  ],
  'src/core/security/host-origin.ts': [
    {
      line: "if (match === null || Number(match[2] ?? 0) > PORT_MAX) return { error: 'HOST_MALFORMED' };",
      texts: ['(match[2])', '1'],
      why: 'No port is no number beyond the bound; the compiler asks.',
    },
    {
      line: 'if (this.#ofAnyPort.size === 0) return false;',
      texts: ['false'],
      why: 'The quick look decides nothing.',
    },
  ],
  'src/core/sessions/pending.ts': [
    {
      line: 'if (token === undefined) return undefined;',
      texts: ['false'],
      why: 'What is no text is no number as we spell it; the compiler asks.',
    },
    {
      line: 'if (this.#aside.size > 0) this.#aside.delete(call.number);',
      texts: ['true', '(this.#aside.size >= 0)'],
      why: 'Nothing is taken from what is empty.',
    },
    {
      line: 'if (call.method === LISTEN || this.#aside.has(call.number)) return false;',
      texts: ['return undefined;'],
      why: 'It is asked only whether it is true.',
    },
    { line: 'return false;', texts: ['return undefined;'], why: 'As above.' },
  ],
  'src/core/bridge/modern-client/request-state.ts': [
    {
      line: 'return JSON.stringify([call ?? null, round, expiresAt]);',
      texts: ['(call)'],
      why: 'In a list of JSON what is undefined is null.',
    },
  ],
  'src/client/open-questions.ts': [
    { line: '#next = 0;', texts: ['1'], why: 'Numbers have to differ, wherever they begin.' },
    { line: 'this.#next += 1;', texts: ['2'], why: 'As above.' },
    {
      line: "const id = answer.id ?? 'null';",
      texts: ['(answer.id)', "''"],
      why: 'An answer that arrived here has an id; the compiler asks.',
    },
    {
      line: "this.#open.set(id, question.id ?? 'null');",
      texts: ['(question.id)', "''"],
      why: 'A request has an id; the compiler asks.',
    },
    {
      line: 'if (requestId === undefined) return undefined;',
      texts: ['false'],
      why: 'No question has an id that is none; the compiler asks.',
    },
  ],
  'src/server/admission.ts': [
    {
      line: "return query.includes('access_token') && new URLSearchParams(query).has('access_token');",
      texts: ["(new URLSearchParams(query).has('access_token'))"],
      why: 'The quick look spares most requests the slow one, and decides nothing.',
    },
    {
      line: "return query.includes('access_token') && new URLSearchParams(query).has('access_token');",
      texts: ["''"],
      why: 'As above: every query holds the empty text.',
    },
    {
      line: "if (!path.startsWith(prefix)) return '';",
      texts: ['return undefined;', "'x'"],
      why: 'No route is called so.',
    },
  ],
  'src/server/guarded/asking.ts': [
    {
      line: 'if (left !== undefined) this.#heed(left);',
      texts: ['true'],
      why: 'The quick look decides nothing.',
    },
  ],
  'src/server/door-challenges.ts': [
    {
      line: 'if (own !== undefined && hasChallenge(own)) return own;',
      texts: ['(hasChallenge(own))'],
      why: 'No headers hold no challenge; the compiler asks.',
    },
  ],
  'src/server/hearing.ts': [
    {
      line: "return Message.request('0', SUBSCRIBE, JSON.stringify({ uri }));",
      texts: ["''"],
      why: 'It is judged and not sent: nobody asks for its id.',
    },
    {
      line: "return Message.request('0', 'tasks/get', JSON.stringify({ taskId }));",
      texts: ["''"],
      why: 'As above.',
    },
  ],
  'src/server/inbound.ts': [
    {
      line: 'expiresAt !== Infinity && context.clock.now() >= expiresAt + context.limits.expiredCallMsMax;',
      texts: ['(context.clock.now() >= expiresAt + context.limits.expiredCallMsMax)'],
      why: 'Nothing is later than for ever; the quick look decides nothing.',
    },
    {
      line: 'else if (warrant !== undefined) {',
      texts: ['true'],
      why: 'Where somebody decides or records there is a warrant; the compiler asks.',
    },
    {
      line: 'const isWorthWaiting = retryable && !isTimed && (httpStatus === 429 || httpStatus === 503);',
      texts: ['(!isTimed)'],
      why: 'Whatever has one of these statuses may succeed later.',
    },
  ],
  'src/server/known-tools.ts': [
    {
      line: 'if ((known.reading?.waiting.length ?? 0) >= WAITING_MAX) return false;',
      texts: ['(known.reading?.waiting.length)', '1'],
      why: 'Where nobody waits there is room.',
    },
  ],
  'src/server/log-levels.ts': [
    {
      line: "if (typeof level !== 'string' || !LOG_LEVELS.includes(level)) {",
      texts: ['(!LOG_LEVELS.includes(level))'],
      why: 'What is no text is none of the levels; the compiler asks.',
    },
    {
      line: "return Message.request(id ?? 'null', method ?? '', params);",
      texts: ['(id)', "''"],
      why: 'A request has an id; the compiler asks.',
    },
    {
      line: 'if (this.#isExclusive || minimum === undefined) return true;',
      texts: ['(this.#isExclusive)'],
      why: 'Every level is above what is none; the compiler asks.',
    },
  ],
  'src/server/session-opening.ts': [
    {
      line: "const id = message.id ?? 'null';",
      texts: ['(message.id)', "''"],
      why: 'A request has an id; the compiler asks.',
    },
  ],
  'src/server/tool-pages.ts': [
    {
      line: "const request = Message.request('0', 'tools/list', params);",
      texts: ["''"],
      why: 'It is sent under an id of the instance.',
    },
    {
      line: "if (call !== undefined) instance.cancel(call, 'it took too long');",
      texts: ['true'],
      why: 'Where nothing could be asked the wait is over before its time; the compiler asks.',
    },
  ],
  'src/server/permitted-listen.ts': [
    {
      line: "const members = membersOf(listen.payload ?? '{}').map(({ name, text }) =>",
      texts: ['(listen.payload)', "''"],
      why: 'A listen that loses a resource holds one; the compiler asks.',
    },
    {
      line: "return Message.request(id ?? 'null', method ?? '', payload);",
      texts: ['(id)', "''"],
      why: 'A request has an id; the compiler asks.',
    },
  ],
  'src/server/questions.ts': [
    {
      line: 'const question = id === undefined ? undefined : this.#open.get(id);',
      texts: ['false'],
      why: 'What is no id names no question; the compiler asks.',
    },
    {
      line: 'if (id === undefined || question?.member !== member) return undefined;',
      texts: ['(question?.member !== member)'],
      why: 'As above.',
    },
    {
      line: 'if (!this.#ofMember.has(member)) return [];',
      texts: ['false'],
      why: 'Of whom nothing is asked nothing ends; the quick look decides nothing.',
    },
    {
      line: "if (each.call !== call || each.bond === 'none') return false;",
      texts: ['return undefined;'],
      why: 'Either is no.',
    },
    {
      line: 'if (question === undefined || !isMeant(question)) continue;',
      texts: ['(!isMeant(question))'],
      why: 'The ids of a member are those of open questions; the compiler asks.',
    },
    {
      line: 'if (ids?.size === 0) this.#ofMember.delete(member);',
      texts: ['false', ';'],
      why: 'A member without questions has none, listed or not; it spares memory, and decides nothing.',
    },
  ],
  'src/server/task-owners.ts': [
    {
      line: "if (method.startsWith('tasks/') || answer.payload?.includes('\"taskId\"') !== true) return answer;",
      texts: ["(method.startsWith('tasks/'))"],
      why: 'The quick look spares large answers a slow one, and decides nothing.',
    },
    {
      line: "if (method.startsWith('tasks/') || answer.payload?.includes('\"taskId\"') !== true) return answer;",
      texts: ["''"],
      why: 'As above: every answer holds the empty text.',
    },
    {
      line: 'this.#book.add(principal.key, id, true, undefined, this.#clock.now());',
      texts: ['false'],
      why: 'The note says nothing: a task is there or is not.',
    },
    {
      line: "return Message.result(answer.id ?? 'null', JSON.stringify({ ...result, tasks: own }));",
      texts: ['(answer.id)', "''"],
      why: 'An answer that arrived here has an id; the compiler asks.',
    },
    {
      line: 'return isMembers(task) ? taskIdOf(task) : undefined;',
      texts: ['true'],
      why: 'What is no object has no id either.',
    },
  ],
  'src/adapters/stores/memory-session-directory.ts': [
    {
      line: 'if ((own?.size ?? 0) >= sessionsPerPrincipalMax) return false;',
      texts: ['(own?.size)'],
      why: 'What is no number is no more than the bound either; the compiler asks.',
    },
  ],
  'src/adapters/audit/audit-line.ts': [
    {
      line: 'const known = principal === undefined ? undefined : origins.get(principal);',
      texts: ['false'],
      why: 'Nothing is known of nobody; the compiler asks.',
    },
    {
      line: 'return PLAIN.test(text) ? `"${text}"` : jsonText(text);',
      texts: ['false'],
      why: 'The quick way says what the slow one does.',
    },
    {
      line: 'let lastTime = { ms: 0, text: new Date(0).toISOString() };',
      texts: ['1'],
      why: 'Nobody keeps a record in 1970.',
    },
    {
      line: 'if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() };',
      texts: ['true'],
      why: 'The quick way says what the slow one does.',
    },
    {
      line: 'export const LINE_BYTES_MAX = 262_144;',
      texts: ['262145'],
      why: 'No line of ours comes near it.',
    },
  ],
  'src/adapters/audit/file-lock.ts': [
    {
      line: 'if (read(this.#path) === this.#text) rmSync(this.#path, { force: true });',
      texts: ['false'],
      why: 'It was there a moment before.',
    },
    {
      line: "if (codeOf(error) === 'EEXIST') throw error;",
      texts: ['false', "''"],
      why: 'A file is not written where something is, either.',
    },
    {
      line: 'if (found === undefined) return;',
      texts: ['false'],
      why: 'What is gone is not found a second time, either.',
    },
    {
      line: "const aside = `${path}.${randomBytes(6).toString('hex')}`;",
      texts: ['7'],
      why: 'A longer name is as much its own.',
    },
    {
      line: 'if (read(aside) === found) rmSync(aside, { force: true });',
      texts: ['false'],
      why: 'It was there a moment before.',
    },
    {
      line: "const ticks = stat.slice(stat.lastIndexOf(')') + 2).split(' ')[19];",
      texts: ['3'],
      why: 'The state of a process is one letter, and not looked at.',
    },
  ],
  'src/adapters/gate/account-rule.ts': [
    {
      line: 'return this.#own.size === 0 ? this.#forAll : (this.#own.get(principal.tenant) ?? this.#forAll);',
      texts: ['false'],
      why: 'The quick look decides nothing.',
    },
  ],
  'src/adapters/gate/debts.ts': [
    {
      line: 'if (this.#until.size === 0) return 0;',
      texts: ['false'],
      why: 'The quick look spares most requests the slow one, and decides nothing.',
    },
    {
      line: 'if (this.#gathered.size > GATHERED_MAX && oldest !== undefined) this.#gathered.delete(oldest);',
      texts: ['(this.#gathered.size > GATHERED_MAX)'],
      why: 'More than ten thousand have an oldest; the compiler asks.',
    },
  ],
  'src/adapters/gate/holdings.ts': [
    {
      line: 'const held = taken.get(accountKey(rule.account, visitor)) ?? 0;',
      texts: ['(taken.get(accountKey(rule.account, visitor)))'],
      why: 'What is no number is no more than the bound either; the compiler asks.',
    },
    {
      line: 'if (held >= (rule.of(visitor) ?? Infinity)) return rule.account;',
      texts: ['(rule.of(visitor))'],
      why: 'What is counted has a bound; the compiler asks.',
    },
    {
      line: 'const left = (taken.get(key) ?? 0) - 1;',
      texts: ['1'],
      why: 'Whoever gives a place back has one; the compiler asks.',
    },
    {
      line: 'const isConcerned = accounts === ACCOUNTS || accounts.includes(rule.account);',
      texts: ['(accounts.includes(rule.account))'],
      why: 'The quick look decides nothing: all are among all.',
    },
  ],
  'src/adapters/gate/leases.ts': [
    {
      line: 'if (pacedFrom === undefined) return 0;',
      texts: ['false', 'return undefined;'],
      why: 'What is no number is not later than now either; the compiler asks.',
    },
    {
      line: 'fullUntil: 0,',
      texts: ['1'],
      why: 'One millisecond after the process began is as much in the past.',
    },
  ],
  'src/adapters/http/client-certificate.ts': [
    {
      line: 'if (all === undefined || type === undefined) return [];',
      texts: ['false', '(all === undefined)', '(type === undefined)'],
      why: 'What is not of the form has no value either; the compiler asks.',
    },
  ],
  'src/adapters/http/forwarded-hops.ts': [
    {
      line: 'return nodes?.slice(-HOPS_MAX).map((node) => (node === undefined ? undefined : addressOf(node)));',
      texts: ['false'],
      why: 'What is no text is no address; the compiler asks.',
    },
    {
      line: 'if (all === undefined || name === undefined) return undefined;',
      texts: ['(all === undefined)', '(name === undefined)'],
      why: 'A pair has a name; the compiler asks.',
    },
  ],
  'src/adapters/http/h2-backlog.ts': [
    {
      line: '#takenBytes = 0;',
      texts: ['1'],
      why: 'It is set before it is first compared.',
    },
    {
      line: 'if (this.#timer === undefined) return;',
      texts: ['false'],
      why: 'Where no look is due nothing waits: the quick look spares a turn, and decides nothing.',
    },
  ],
  'src/adapters/http/proxy-header.ts': [
    {
      line: 'return start.length < SIGNATURE.length ? PARTIAL : readBinary(bytes);',
      texts: ['false'],
      why: 'What is shorter than the signature is shorter than the fixed part.',
    },
    {
      line: 'return text !== undefined && /^(?:0|[1-9]\\d{0,4})$/.test(text) && Number(text) <= 65_535;',
      texts: ['(/^(?:0|[1-9]\\d{0,4})$/.test(text))'],
      why: 'What is no text is no number; the compiler asks.',
    },
    {
      line: "return { kind: 'header', source: textOfIPv6(bytes.subarray(16, 32)), bytes: length };",
      texts: ['33'],
      why: 'Sixteen bytes are read of them.',
    },
    {
      line: "return [...bytes.subarray(12, 16)].join('.');",
      texts: ['17'],
      why: 'There are sixteen.',
    },
  ],
  'src/adapters/http/trusted-proxies.ts': [
    {
      line: "return family !== 0 && this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4');",
      texts: ["(this.#list.check(plain, family === 6 ? 'ipv6' : 'ipv4'))", '1'],
      why: 'What is no address is on no list.',
    },
    {
      line: "const usual = listed === undefined ? undefined : this.#nearest(listed, 'x-forwarded-for');",
      texts: ["''"],
      why: 'Whatever is not the one header is read as the other.',
    },
  ],
  'src/adapters/identity/asking-places.ts': [
    {
      line: 'const left = (this.#takenBy.get(key) ?? 0) - 1;',
      texts: ['(this.#takenBy.get(key))', '1'],
      why: 'Whoever gives a place back has one; the compiler asks.',
    },
  ],
  'src/adapters/identity/dpop-proofs.ts': [
    {
      line: 'readonly #secret = randomBytes(32);',
      texts: ['33'],
      why: 'A longer secret is as secret.',
    },
    {
      line: "if (proof === undefined || head.headerCount('dpop') !== 1) return 'invalid';",
      texts: ["(head.headerCount('dpop') !== 1)"],
      why: 'A header that was sent once has a value; the compiler asks.',
    },
    {
      line: 'const isBound = jwk !== undefined && (await calculateJwkThumbprint(jwk)) === jkt;',
      texts: ['((await calculateJwkThumbprint(jwk)) === jkt)'],
      why: 'It was verified with the key in this header; the compiler asks.',
    },
    {
      line: "if (typeof given !== 'string' || !URL.canParse(given)) return false;",
      texts: ['(!URL.canParse(given))'],
      why: 'What is no text is no URL with a scheme either; the compiler asks.',
    },
    {
      line: "if (typeof value !== 'string') return false;",
      texts: ['return undefined;'],
      why: 'It is asked only whether it is true.',
    },
    {
      line: "if (typeof given !== 'string' || !URL.canParse(given)) return false;",
      texts: ['return undefined;'],
      why: 'It is asked only whether it is true.',
    },
    {
      line: 'keptMs: PROOF_MS_MAX + 2 * TOLERANCE_MS + 1,',
      texts: ['3', '2'],
      why: 'What is taken no more may be remembered longer.',
    },
  ],
  'src/adapters/identity/first-match.ts': [
    {
      line: "return { error: 'UNAUTHORIZED', headers: lines.length > 0 ? lines : undefined };",
      texts: ['1'],
      why: 'Lines come by twos.',
    },
  ],
  'src/adapters/identity/introspection.ts': [
    {
      line: "nbf === undefined || (typeof nbf === 'number' && nbf * 1000 <= now + TOLERANCE_MS);",
      texts: ['(nbf * 1000 <= now + TOLERANCE_MS)'],
      why: 'What is no number is not earlier than now either; the compiler asks.',
    },
  ],
  'src/adapters/identity/jwt-belonging.ts': [
    {
      line: "const [, payload = ''] = token.split('.', 2);",
      texts: ['3'],
      why: 'What stands behind the payload is not looked at.',
    },
  ],
  'src/adapters/identity/jwt-verifier.ts': [
    {
      line: 'const expiresAt = (claims.exp ?? 0) * 1000;',
      texts: ['(claims.exp)', '1'],
      why: 'A token without an end was refused before; the compiler asks.',
    },
  ],
  'src/adapters/identity/key-file.ts': [
    {
      line: 'if (process.getuid !== undefined && (stat.mode & 0o022) !== 0) {',
      texts: ['((stat.mode & 0o022) !== 0)'],
      why: 'Where these tests run there are users.',
    },
    {
      line: "if (typeof value !== 'object' || value === null) return false;",
      texts: ['return undefined;'],
      why: 'It is asked only whether it is true.',
    },
    {
      line: "if (typeof value !== 'object' || value === null) return false;",
      texts: ['(value === null)'],
      why: 'What is no object has no members.',
    },
  ],
  'src/adapters/identity/key-ring.ts': [
    {
      line: "const entry = text === undefined ? undefined : this.#keys.get(apiKeyId(text) ?? '');",
      texts: ['false'],
      why: 'What is no header names no key; the compiler asks.',
    },
    {
      line: 'if (text === undefined || entry === undefined || !isApiKey(text, entry)) {',
      texts: ['(entry === undefined)'],
      why: 'As above.',
    },
  ],
  'src/adapters/identity/mtls.ts': [
    {
      line: 'const leftMs = found === undefined ? 0 : found.notAfterMs - now();',
      texts: ['1'],
      why: 'Whoever shows no certificate is refused anyway.',
    },
    {
      line: 'if (found === undefined || subjectName === undefined || tenantName === undefined) {',
      texts: ['(subjectName === undefined)'],
      why: 'No certificate names nobody; the compiler asks.',
    },
  ],
  'src/adapters/identity/presented-tokens.ts': [
    {
      line: 'if (value === undefined) return undefined;',
      texts: ['false'],
      why: 'What is no header holds no token either; the compiler asks.',
    },
  ],
  'src/adapters/identity/static-token.ts': [
    {
      line: 'if (value === undefined) return outcomes.nothingSent;',
      texts: ['false'],
      why: 'What is no header holds no token either; the compiler asks.',
    },
  ],
  'src/adapters/identity/token-identity.ts': [
    {
      line: 'const outcome = kept === undefined ? undefined : this.#weigh(place, head, read, kept);',
      texts: ['true'],
      why: 'The quick way says what the slow one does.',
    },
    { line: 'if (outcome !== undefined) {', texts: ['false'], why: 'As above.' },
    {
      line: ": { kind: 'facts', facts: kept };",
      texts: ["''"],
      why: 'Facts are all that is left of the kinds.',
    },
    {
      line: "if (proofs === undefined || jkt === undefined || url === undefined) return 'invalid';",
      texts: ['return undefined;', "''"],
      why: 'What is not proved, needs no nonce and is not unavailable, is refused.',
    },
    {
      line: 'if (known !== undefined && Math.abs((known.grant?.expiresAt ?? 0) - expiresAt) < DRIFT_MS) {',
      texts: ['(known.grant?.expiresAt)', '1'],
      why: 'A welcome has a grant; the compiler asks.',
    },
    {
      line: 'this.#audiences.has(each) ||',
      texts: ["((typeof each === 'string' && this.#audiences.has(canonicalAudience(each))))"],
      why: 'Each audience is there in its canonical form, too; the quick look decides nothing.',
    },
  ],
  'src/adapters/identity/token-memory.ts': [
    {
      line: 'return (this.#until.get(digest) ?? -Infinity) > now;',
      texts: ['(this.#until.get(digest))'],
      why: 'What is no number is not later than now either; the compiler asks.',
    },
    {
      line: 'if (this.#until.size >= TOKENS_MAX && oldest !== undefined) this.#until.delete(oldest);',
      texts: ['(this.#until.size >= TOKENS_MAX)'],
      why: 'As many as that have an oldest; the compiler asks.',
    },
  ],
  'src/adapters/identity/token-watch.ts': [
    {
      line: 'if (tokens === undefined || tokens.size === 0 || this.#isAsking) return;',
      texts: ['(this.#isAsking)', '(tokens === undefined)', '(tokens.size === 0)'],
      why: 'The quick look decides nothing, and a watch that is closed is disarmed; the compiler asks.',
    },
    {
      line: 'if (due.length > 0) void this.#ask(due);',
      texts: ['true', '(due.length >= 0)'],
      why: 'A round of no questions asks nobody.',
    },
  ],
  'src/adapters/identity/verified-tokens.ts': [
    {
      line: 'this.#places = askingMax === undefined ? undefined : new AskingPlaces(askingMax);',
      texts: ['false'],
      why: 'Places without a number never end; the compiler asks.',
    },
    {
      line: 'const verifying = this.#verifier.again?.(facts) ?? Promise.resolve(UNAVAILABLE);',
      texts: ['(this.#verifier.again?.(facts))'],
      why: 'Where it is not verified without it, the token itself is kept; the compiler asks.',
    },
  ],
  'src/adapters/policy/chosen-arguments.ts': [
    {
      line: 'const tools = Object.hasOwn(chosen, server) ? (chosen[server] ?? {}) : {};',
      texts: ['(chosen[server])'],
      why: 'What is there is there; the compiler asks.',
    },
    {
      line: 'return Object.hasOwn(tools, tool) ? (tools[tool] ?? []) : [];',
      texts: ['(tools[tool])'],
      why: 'What is there is there; the compiler asks.',
    },
  ],
  'src/adapters/policy/filtered-list.ts': [
    {
      line: 'if (form === undefined || answer.payload === undefined) return answer;',
      texts: ['(form === undefined)'],
      why: 'An answer without a result holds no list; the compiler asks.',
    },
    {
      line: "return Message.result(answer.id ?? 'null', rewritten(answer.payload, form.member, shown));",
      texts: ['(answer.id)', "''"],
      why: 'An answer that arrived here has an id; the compiler asks.',
    },
    {
      line: "return Message.result(answer.id ?? 'null', text);",
      texts: ['(answer.id)', "''"],
      why: 'As above.',
    },
    {
      line: "const list = members.findLast(({ name }) => name === member)?.value ?? '[]';",
      texts: ['(members.findLast(({ name }) => name === member)?.value)', "''"],
      why: 'A list that was parsed is there; the compiler asks.',
    },
  ],
  'src/adapters/policy/policy-access.ts': [
    {
      line: 'const refusal = scopes === undefined ? FORBIDDEN : { ...FORBIDDEN, scopes };',
      texts: ['false'],
      why: 'Scopes that are undefined are none.',
    },
    {
      line: 'const used = { ...request, message: useOf(method) ?? request.message };',
      texts: ['(useOf(method))'],
      why: 'Where nothing is used there is no list to filter; the compiler asks.',
    },
    {
      line: "const matter = this.#matterOf(request, { action: 'call', target: { kind, name } });",
      texts: ["''"],
      why: 'What is asked about a task is the call of its tool.',
    },
    {
      line: "({ source = 'allow', line, message }) => `${source}:${line}: ${message}`,",
      texts: ["''"],
      why: 'What is written of a short form is always Cedar; the compiler asks.',
    },
  ],
  'src/adapters/policy/task-tools.ts': [
    {
      line: 'if (answer.payload?.includes(\'"taskId"\') !== true) return;',
      texts: ['false'],
      why: 'The quick look spares large answers a slow one, and decides nothing.',
    },
    {
      line: 'if (answer.payload?.includes(\'"taskId"\') !== true) return;',
      texts: ["''"],
      why: 'As above: every answer holds the empty text.',
    },
  ],
  'src/adapters/policy/tool-book.ts': [
    {
      line: 'if (this.#whole.size > WHOLE_MAX && oldest !== undefined) this.forget(oldest);',
      texts: ['(this.#whole.size > WHOLE_MAX)'],
      why: 'More than fifty thousand have an oldest; the compiler asks.',
    },
    {
      line: 'if (known !== undefined && isDeepStrictEqual(known, found)) return known;',
      texts: ['(isDeepStrictEqual(known, found))'],
      why: 'No list is equal to none; the compiler asks.',
    },
    {
      line: 'if (this.#there.size > SERVERS_MAX && oldest !== undefined) this.#there.delete(oldest);',
      texts: ['(this.#there.size > SERVERS_MAX)'],
      why: 'More than a thousand have an oldest; the compiler asks.',
    },
  ],
  'src/adapters/policy/verdict-key.ts': [
    { line: '#last = 0;', texts: ['1'], why: 'Numbers have to differ, wherever they begin.' },
    { line: 'this.#last += 1;', texts: ['2'], why: 'As above.' },
    {
      line: "const name = target.kind === 'server' ? '' : target.name;",
      texts: ["'x'"],
      why: 'A server has one name, whichever it is.',
    },
    {
      line: "const how = context === undefined ? '' : JSON.stringify(context);",
      texts: ["'x'", 'false'],
      why: 'What begins with no brace is no context.',
    },
    {
      line: "`${isOpen ? '?' : ''}${who} ${era} ${action} ${target.kind} ${factsText(facts)} ` +",
      texts: ["'x'"],
      why: 'Two signs have to differ, whatever they are.',
    },
    {
      line: "if (facts === undefined) return '-';",
      texts: ['return undefined;', "''"],
      why: 'What is no four digits is no facts.',
    },
  ],
  'src/adapters/policy/verdicts.ts': [
    {
      line: 'const isPlain = !this.#wantsMore && (isOpen || paths.length === 0);',
      texts: ['(paths.length === 0)'],
      why: 'Its key would be longer and say the same.',
    },
    {
      line: 'const full = context ?? this.#contextOf(request, matter, paths) ?? {};',
      texts: [
        '(context ?? this.#contextOf(request, matter, paths))',
        '(this.#contextOf(request, matter, paths))',
      ],
      why: 'Where nothing is given it can be shown, and is the same each time; the compiler asks.',
    },
    {
      line: "return target.kind === 'tool' ? pathsOf(this.#chosen, server, target.name) : [];",
      texts: ['true'],
      why: 'Nothing else has arguments to look at.',
    },
  ],
  'src/adapters/system/aes-seal.ts': [
    { line: 'const NONCE_BYTES = 12;', texts: ['13'], why: 'A longer nonce is as good.' },
    {
      line: 'const SEALED_CHARS_MAX = 4096;',
      texts: ['4097'],
      why: 'No text of base64url has as many characters.',
    },
    {
      line: "const body = Buffer.concat([cipher.update(text, 'utf8'), cipher.final()]);",
      texts: ["''"],
      why: 'UTF-8 is what Node takes when nothing is said.',
    },
    {
      line: 'if (sealed.length > SEALED_CHARS_MAX || !BASE64URL.test(sealed)) return undefined;',
      texts: ['(sealed.length > SEALED_CHARS_MAX)'],
      why: 'What is no base64url is not what its bytes are written as, either; the quick look spares decoding it.',
    },
  ],
  'src/gateway/tenants.ts': [
    {
      line: 'return Object.hasOwn(named, OTHERS) ? named[OTHERS] : undefined;',
      texts: ['true'],
      why: 'No object inherits a member of that name.',
    },
  ],
  'src/adapters/outbound/ssrf-guard.ts': [
    {
      line: 'const isMine = family !== 0 && LOOPBACK_LIST.check(address, kind);',
      texts: ['(LOOPBACK_LIST.check(address, kind))', '1'],
      why: 'What is no address is on no list, and is refused anyway.',
    },
  ],
};

export const EQUIVALENT = Object.entries(BY_FILE).flatMap(([file, all]) =>
  all.flatMap(({ line, texts, why }) => texts.map((text) => ({ file, line, text, why }))),
);
