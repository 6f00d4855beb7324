/**
 * A result of the handshake revisions as 2026 words it: its kind, for how long it may be kept (not
 * at all, by nobody but its reader), and which server it came from.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#results
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
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
}

export function legacyServerOf(initializeResult: unknown): LegacyServer {
  const { capabilities, serverInfo, instructions } = (initializeResult ?? {}) as Members;
  return { capabilities: isObject(capabilities) ? capabilities : {}, serverInfo, instructions };
}

/** The answer to `server/discover` of a server that does not know the method. */
export function discoverResult({ capabilities, serverInfo, instructions }: LegacyServer): string {
  const common = COMMON_CAPABILITIES.filter((name) => isObject(capabilities[name]));
  const bridged = Object.fromEntries(common.map((name) => [name, capabilities[name]]));
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: bridged,
    instructions: typeof instructions === 'string' ? instructions : undefined,
    ttlMs: 0,
    cacheScope: 'private',
    _meta: isObject(serverInfo) ? { [SERVER_INFO]: serverInfo } : undefined,
  });
}

/** @param method - of the request it answers. */
export function toModernResult(method: string, message: Message, serverInfo: unknown): Message {
  const result = isObject(message.value) ? message.value : {};
  const ours = CACHEABLE.has(method)
    ? { resultType: 'complete', ttlMs: 0, cacheScope: 'private' }
    : { resultType: 'complete' };
  const info = isObject(serverInfo) ? { [SERVER_INFO]: serverInfo } : {};
  const { meta } = message.spans;
  const hasOurs = Object.keys(ours).some((name) => Object.hasOwn(result, name));
  const hasMeta = Object.hasOwn(result, '_meta');
  const text = message.payload ?? '{}';
  const id = message.id ?? 'null';
  if (hasOurs || (hasMeta && meta === undefined) || !text.startsWith('{')) {
    const kept = isObject(result['_meta']) ? result['_meta'] : {};
    return Message.result(id, JSON.stringify({ ...result, ...ours, _meta: { ...info, ...kept } }));
  }
  if (meta === undefined) return Message.result(id, joined({ ...ours, _meta: info }, text));
  const known = result['_meta'];
  const isNamed = !isObject(known) || Object.hasOwn(known, SERVER_INFO);
  const metaText = text.slice(meta.start, meta.end);
  const named = isNamed ? metaText : joined(info, metaText);
  const rest = text.slice(0, meta.start) + named + text.slice(meta.end);
  return Message.result(id, joined(ours, rest));
}

/** The members before those of an object that stays the text it is. */
function joined(members: object, text: string): string {
  const head = JSON.stringify(members).slice(0, -1);
  const tail = text.slice(text.indexOf('{') + 1);
  if (head === '{') return text;
  return /^\s*\}/.test(tail) ? `${head}}` : `${head},${tail}`;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
