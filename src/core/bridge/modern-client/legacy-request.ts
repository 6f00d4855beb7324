/**
 * A 2026 request as a server of the handshake revisions is sent it: without what only this revision
 * puts in. Everything else travels as it came, trace context and vendor keys included.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#meta
 */
import { META } from '../../protocol/eras/stateless-2026.ts';
import { Message, type Span } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';

/** Methods both sides know by the same name and the same parameters. */
const COMMON: ReadonlySet<string> = new Set([
  'tools/list',
  'tools/call',
  'prompts/list',
  'prompts/get',
  'resources/list',
  'resources/templates/list',
  'resources/read',
  'completion/complete',
]);

/** Methods whose handlers may ask the client something. */
const ASKING: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

const ENVELOPE: ReadonlySet<string> = new Set([
  META.protocolVersion,
  META.clientInfo,
  META.clientCapabilities,
  META.logLevel,
]);

/** Members of params that are for us. */
const LEFT_OUT: readonly string[] = ['inputResponses', 'requestState', 'task'];
const REPLACED: ReadonlySet<string> = new Set(['_meta', ...LEFT_OUT]);

export function isBridged(method: string | undefined): boolean {
  return method !== undefined && COMMON.has(method);
}

/**
 * @see
 * https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#supported-requests
 */
export function mayAsk(method: string | undefined): boolean {
  return method !== undefined && ASKING.has(method);
}

export function toLegacyRequest(message: Message): Message {
  const { meta } = message.spans;
  const params = message.value as Record<string, unknown> | undefined;
  if (params === undefined || meta === undefined || message.payload === undefined) return message;
  if (LEFT_OUT.some((name) => params[name] !== undefined)) return withoutRetry(message);
  const token = message.token(message.spans.progressToken);
  const { text, progressToken } = strippedMeta(message.token(meta) ?? '{}', token);
  const payload = message.payload.slice(0, meta.start) + text + message.payload.slice(meta.end);
  return rebuilt(message, payload, moved(progressToken, meta.start));
}

/**
 * The answers of an earlier round are ours to deliver; and whether a call becomes a task is not for
 * the client to say.
 */
function withoutRetry(message: Message): Message {
  const { meta, progressToken: span } = message.spans;
  const { text, progressToken } = strippedMeta(message.token(meta) ?? '{}', message.token(span));
  const rest = membersOf(message.payload ?? '{}').filter(({ name }) => !REPLACED.has(name));
  const payload = objectText([`"_meta":${text}`, ...rest.map((each) => each.text)]);
  return rebuilt(message, payload, moved(progressToken, '{"_meta":'.length));
}

/** The token keeps its spelling and goes first, so that its place is known. */
function strippedMeta(
  meta: string,
  token: string | undefined,
): { readonly text: string; readonly progressToken: Span | undefined } {
  const kept = membersOf(meta)
    .filter(({ name }) => !ENVELOPE.has(name) && !(token !== undefined && name === 'progressToken'))
    .map(({ text }) => text);
  if (token === undefined) return { text: objectText(kept), progressToken: undefined };
  const head = '{"progressToken":';
  const progressToken = { start: head.length, end: head.length + token.length };
  return { text: objectText([`"progressToken":${token}`, ...kept]), progressToken };
}

function moved(span: Span | undefined, by: number): Span | undefined {
  return span === undefined ? undefined : { start: span.start + by, end: span.end + by };
}

function rebuilt(message: Message, payload: string, progressToken: Span | undefined): Message {
  return Message.request(message.id ?? 'null', message.method ?? '', payload, { progressToken });
}
