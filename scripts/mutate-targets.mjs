/** The modules that decide, and the tests that are to notice when one of them decides otherwise. */
export const TARGETS = [
  target('src/core/security/address-key.ts'),
  target('src/core/security/challenge.ts'),
  target('src/core/security/cors.ts'),
  target('src/core/security/host-origin.ts'),
  target('src/core/security/listen-host.ts'),
  target('src/core/security/protected-resource.ts'),
  target('src/core/sessions/pending.ts', ['src/core/sessions/session.test.ts']),
  target('src/core/sessions/cursor.ts'),
  { ...target('src/server/sessions.ts'), within: ['findSession'] },
  target('src/server/admission.ts'),
  target('src/server/warrant.ts'),
  target('src/adapters/stores/memory-session-directory.ts'),
  target('src/adapters/identity/key-ring.ts'),
  target('src/adapters/outbound/ssrf-guard.ts'),
];

/** Changes that make no difference anybody could see, each with the reason. */
export const EQUIVALENT = [];

function target(file, more = []) {
  return { file, within: undefined, tests: [file.replace(/\.ts$/, '.test.ts'), ...more] };
}
