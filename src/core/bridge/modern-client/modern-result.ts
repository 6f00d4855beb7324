/**
 * A result of the handshake revisions as 2026 words it: its kind, for how long it may be kept (not
 * at all, by nobody but its reader), and which server it came from.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#results
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
import { TASKS_REQUIRED } from '../tasks/task-words.ts';
import { MODERN_VERSIONS } from '../../protocol/versions.ts';
import { Message } from '../../protocol/message.ts';

export const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

const CACHEABLE: ReadonlySet<string> = new Set([
  'server/discover',
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'resources/read',
]);

/** What is ours to say of a result: names, and the members as text. */
const UNKEPT = { names: ['resultType'], text: '"resultType":"complete"' } as const;
const KEPT_BY_READER = {
  names: ['resultType', 'ttlMs', 'cacheScope'],
  text: `${UNKEPT.text},"ttlMs":0,"cacheScope":"private"`,
} as const;

/** Capabilities that mean the same in both revisions. */
const COMMON_CAPABILITIES: readonly string[] = [
  'tools',
  'prompts',
  'resources',
  'completions',
  'logging',
  'experimental',
];

type Members = Readonly<Record<string, unknown>>;

/** What `initialize` told of a server. */
export interface LegacyServer {
  readonly capabilities: Members;
  readonly serverInfo: unknown;
  readonly instructions: unknown;
  /** What every result says of it in `_meta`: one member as text, or none. */
  readonly infoText: string;
}

export function legacyServerOf(initializeResult: unknown): LegacyServer {
  const { capabilities, serverInfo, instructions } = (initializeResult ?? {}) as Members;
  return {
    capabilities: isObject(capabilities) ? capabilities : {},
    serverInfo,
    instructions,
    infoText: isObject(serverInfo) ? `"${SERVER_INFO}":${JSON.stringify(serverInfo)}` : '',
  };
}

/**
 * The answer to `server/discover` of a server that does not know the method.
 * @param withTasks - whether its tasks are carried across.
 */
export function discoverResult(server: LegacyServer, withTasks = false): string {
  const { capabilities, serverInfo, instructions } = server;
  const common = COMMON_CAPABILITIES.filter((name) => isObject(capabilities[name]));
  const bridged = Object.fromEntries(common.map((name) => [name, capabilities[name]]));
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: withTasks ? { ...bridged, ...TASKS_REQUIRED } : bridged,
    instructions: typeof instructions === 'string' ? instructions : undefined,
    ttlMs: 0,
    cacheScope: 'private',
    _meta: isObject(serverInfo) ? { [SERVER_INFO]: serverInfo } : undefined,
  });
}

/**
 * @param method - of the request it answers.
 * @param infoText - of the server it comes from.
 */
export function toModernResult(method: string, message: Message, infoText: string): Message {
  const result = isObject(message.value) ? message.value : {};
  const { names, text: ours } = CACHEABLE.has(method) ? KEPT_BY_READER : UNKEPT;
  const { meta } = message.spans;
  const hasOurs = names.some((name) => Object.hasOwn(result, name));
  const hasMeta = Object.hasOwn(result, '_meta');
  const text = message.payload ?? '{}';
  const id = message.id ?? 'null';
  if (hasOurs || (hasMeta && meta === undefined) || !text.startsWith('{')) {
    return Message.result(id, rewritten(result, ours, infoText));
  }
  if (meta === undefined) {
    return Message.result(id, joined(`${ours},"_meta":{${infoText}}`, text, result));
  }
  const known = result['_meta'];
  const isNamed = !isObject(known) || Object.hasOwn(known, SERVER_INFO);
  const metaText = text.slice(meta.start, meta.end);
  const named = isNamed || infoText === '' ? metaText : joined(infoText, metaText, known);
  const rest = text.slice(0, meta.start) + named + text.slice(meta.end);
  return Message.result(id, joined(ours, rest, result));
}

/** A result that says itself what is ours to say. */
function rewritten(result: Members, ours: string, infoText: string): string {
  const kept = isObject(result['_meta']) ? result['_meta'] : {};
  const info = JSON.parse(`{${infoText}}`) as Members;
  const members = JSON.parse(`{${ours}}`) as Members;
  return JSON.stringify({ ...result, ...members, _meta: { ...info, ...kept } });
}

/** Members, as text, before those of an object that stays the text it is. */
function joined(members: string, text: string, value: Members): string {
  for (const _name in value) return `{${members},${text.slice(1)}`;
  return `{${members}}`;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
