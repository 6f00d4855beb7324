/** What a server may ask for; each is a capability of the client by the same name. */
const QUESTIONS: ReadonlySet<string> = new Set(['elicitation', 'sampling', 'roots']);

/** Whether a client that declared these capabilities can be asked. */
export function isAnswerable(
  method: string,
  capabilities: Readonly<Record<string, unknown>>,
): boolean {
  const [kind = ''] = method.split('/');
  return !QUESTIONS.has(kind) || capabilities[kind] !== undefined;
}
