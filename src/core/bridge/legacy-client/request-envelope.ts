/**
 * What the stateless revision wants with every request, from what a client of the handshake eras
 * said once.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#meta
 */
import { membersOfValue, TASKS_EXTENSION, type Members } from '../tasks/task-words.ts';
import { META } from '../../protocol/eras/stateless-2026.ts';
import { Message, type PayloadSpans } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';
import { MODERN_VERSIONS } from '../../protocol/versions.ts';
import type { LegacyClient } from './legacy-client.ts';

/** Keys of `_meta` that are ours to say; a client of the handshake eras has no claim to them. */
const RESERVED: ReadonlySet<string> = new Set(Object.values(META));

/** What only a retry may carry, and only we retry; and what the extension decides by itself. */
const NOT_CARRIED: ReadonlySet<string> = new Set(['inputResponses', 'requestState', 'task']);

/**
 * The members of `_meta` every request of one client carries, as text without braces.
 * @param canBeAsked - whether questions can reach the client while this request is in flight: a
 * server must not ask what nobody can answer.
 * @param withTasks - whether it may be answered with a task, or is about one.
 */
export function requestEnvelope(
  client: LegacyClient,
  logLevel: string | undefined,
  canBeAsked: boolean,
  withTasks = false,
): string {
  const declared = canBeAsked ? client.capabilities : client.silentCapabilities;
  const capabilities = withTasks ? withTasksExtension(declared) : declared;
  const envelope = {
    [META.protocolVersion]: MODERN_VERSIONS[0],
    [META.clientInfo]: client.info,
    [META.clientCapabilities]: capabilities,
    [META.logLevel]: logLevel,
  };
  return JSON.stringify(envelope).slice(1, -1);
}

/** A request of the handshake eras with its envelope; all else it carries stays as it came. */
export function withEnvelope(message: Message, envelope: string): Message {
  const tail = paramsAfter(message);
  const before = '{"_meta":';
  const { progressToken } = message.spans;
  const token = message.token(progressToken);
  if (token === undefined) {
    const meta = objectText([envelope, ...keptMeta(message)]);
    const plain = `${before}${meta}${tail}`;
    return requestLike(message, plain);
  }
  const opening = `${before}{"progressToken":`;
  const start = opening.length;
  const rest = [envelope, ...keptMeta(message)].join(',');
  const payload = `${opening}${token},${rest}}${tail}`;
  const spans = { progressToken: { start, end: start + token.length } };
  return requestLike(message, payload, spans);
}

/**
 * The same request again, with what a round of questions yielded.
 * @param message - a request that has its envelope.
 * @param members - `inputResponses` and `requestState` as member texts.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
export function withAnswers(message: Message, members: readonly string[]): Message {
  if (members.length === 0) return message;
  const added = `${members.join(',')},`;
  const payload = `{${added}${(message.payload ?? '{}').slice(1)}`;
  const { progressToken } = message.spans;
  const spans =
    progressToken === undefined
      ? {}
      : {
          progressToken: {
            start: progressToken.start + added.length,
            end: progressToken.end + added.length,
          },
        };
  return requestLike(message, payload, spans);
}

/** A request of ours about a task of the client's. */
export function taskRequest(
  method: string,
  taskId: string,
  envelope: string,
  members: readonly string[] = [],
): Message {
  const params = [`"_meta":{${envelope}}`, `"taskId":${JSON.stringify(taskId)}`, ...members];
  return Message.request('0', method, objectText(params));
}

function requestLike(message: Message, payload: string, spans?: PayloadSpans): Message {
  const request = Message.request(message.id ?? 'null', message.method ?? '', payload, spans);
  return request.sentFor(message.origin);
}

/** What follows `_meta` in the params, the closing brace included. */
function paramsAfter(message: Message): string {
  const payload = message.payload ?? '{}';
  const names = Object.keys(message.value ?? {});
  if (names.length === 0) return '}';
  const isPlain = names.every((name) => name !== '_meta' && !NOT_CARRIED.has(name));
  if (isPlain) return `,${payload.slice(1)}`;
  const kept = membersOf(payload).filter(({ name }) => name !== '_meta' && !NOT_CARRIED.has(name));
  return `${kept.map(({ text }) => `,${text}`).join('')}}`;
}

/** What the client's `_meta` held besides the progress token and what is ours to say. */
function keptMeta(message: Message): readonly string[] {
  const meta = message.token(message.spans.meta);
  if (meta === undefined || !meta.startsWith('{')) return [];
  return membersOf(meta)
    .filter(({ name }) => name !== 'progressToken' && !RESERVED.has(name))
    .map(({ text }) => text);
}

function withTasksExtension(capabilities: Members): Members {
  const known = membersOfValue(capabilities['extensions']);
  return { ...capabilities, extensions: { ...known, [TASKS_EXTENSION]: {} } };
}
