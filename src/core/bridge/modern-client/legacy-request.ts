/**
 * A 2026 request as a server of the handshake revisions is sent it: without what only this revision
 * puts in. Everything else travels as it came, trace context and vendor keys included.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#meta
 */
import { META } from '../../protocol/eras/stateless-2026.ts';
import { Message, type Span } from '../../protocol/message.ts';

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
  if (LEFT_OUT.some((name) => params[name] !== undefined)) return withoutRetry(message, params);
  const token = message.token(message.spans.progressToken);
  const { text, progressToken } = strippedMeta(params['_meta'], token);
  const payload = message.payload.slice(0, meta.start) + text + message.payload.slice(meta.end);
  return rebuilt(message, payload, moved(progressToken, meta.start));
}

/**
 * The answers of an earlier round are ours to deliver; and whether a call becomes a task is not for
 * the client to say.
 */
function withoutRetry(message: Message, params: Record<string, unknown>): Message {
  const { _meta, inputResponses: _answers, requestState: _state, task: _task, ...rest } = params;
  const token = message.token(message.spans.progressToken);
  const { text, progressToken } = strippedMeta(_meta, token);
  const start = '{"_meta":'.length;
  const tail = JSON.stringify(rest);
  const payload = `{"_meta":${text}${tail === '{}' ? '}' : `,${tail.slice(1)}`}`;
  return rebuilt(message, payload, moved(progressToken, start));
}

/** The token keeps its spelling and goes first, so that its place is known. */
function strippedMeta(
  meta: unknown,
  token: string | undefined,
): { readonly text: string; readonly progressToken: Span | undefined } {
  const kept = Object.entries(meta as object).filter(
    ([key]) => !ENVELOPE.has(key) && !(token !== undefined && key === 'progressToken'),
  );
  const text = JSON.stringify(Object.fromEntries(kept));
  if (token === undefined) return { text, progressToken: undefined };
  const head = '{"progressToken":';
  const progressToken = { start: head.length, end: head.length + token.length };
  return { text: `${head}${token}${text === '{}' ? '}' : `,${text.slice(1)}`}`, progressToken };
}

function moved(span: Span | undefined, by: number): Span | undefined {
  return span === undefined ? undefined : { start: span.start + by, end: span.end + by };
}

function rebuilt(message: Message, payload: string, progressToken: Span | undefined): Message {
  return Message.request(message.id ?? 'null', message.method ?? '', payload, { progressToken });
}
