/**
 * The stateless revision 2026-07-28: every request carries its version, identity and capabilities
 * in `_meta`, mirrored in headers.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#meta
 */
import type { Refusal } from '../../errors.ts';
import type { RequestHead } from '../../ports.ts';
import type { Message } from '../message.ts';
import { checkStandardHeaders } from '../standard-headers.ts';
import { isModernVersion } from '../versions.ts';

export const META = {
  protocolVersion: 'io.modelcontextprotocol/protocolVersion',
  clientCapabilities: 'io.modelcontextprotocol/clientCapabilities',
  clientInfo: 'io.modelcontextprotocol/clientInfo',
  logLevel: 'io.modelcontextprotocol/logLevel',
  subscriptionId: 'io.modelcontextprotocol/subscriptionId',
} as const;

/**
 * In order of severity. @see
 * https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/logging
 */
export const LOG_LEVELS: readonly string[] = [
  'debug',
  'info',
  'notice',
  'warning',
  'error',
  'critical',
  'alert',
  'emergency',
];

/**
 * Methods earlier revisions had and this one has not, and those a client cannot ask of a server.
 */
const REMOVED: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'logging/setLevel',
  'resources/subscribe',
  'resources/unsubscribe',
  'roots/list',
  'sampling/createMessage',
  'elicitation/create',
  'tasks/list',
  'tasks/result',
]);

export interface Envelope {
  readonly version: string;
  readonly logLevel: string | undefined;
}

/** The version a message claims in `_meta`; undefined when it makes no claim. */
export function claimedVersion(message: Message): unknown {
  if (message.spans.meta === undefined) return undefined;
  return metaOf(message)?.[META.protocolVersion];
}

/**
 * Everything a 2026 request must carry before it may be believed. The first fault found is refused.
 */
export function checkEnvelope(
  message: Message,
  head: RequestHead,
  supported: readonly string[],
): Envelope | Refusal {
  const id = message.id;
  const meta = metaOf(message);
  const version = meta?.[META.protocolVersion];
  if (meta === undefined || typeof version !== 'string') {
    return { error: 'INVALID_PARAMS', id, detail: `_meta must hold ${META.protocolVersion}.` };
  }
  if (!isObject(meta[META.clientCapabilities])) {
    return { error: 'INVALID_PARAMS', id, detail: `_meta must hold ${META.clientCapabilities}.` };
  }
  const level = meta[META.logLevel];
  if (level !== undefined && !LOG_LEVELS.includes(level as string)) {
    return { error: 'INVALID_PARAMS', id, detail: `${META.logLevel} is not a logging level.` };
  }
  const mismatch = checkStandardHeaders(message, version, head);
  if (mismatch !== undefined) return mismatch;
  if (!isModernVersion(version)) return unsupportedVersion(id, version, supported);
  if (REMOVED.has(message.method ?? '')) return { error: 'METHOD_NOT_FOUND', id };
  return { version, logLevel: level as string | undefined };
}

/**
 * @see
 * https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#protocol-version-negotiation
 */
export function unsupportedVersion(
  id: string | undefined,
  requested: unknown,
  supported: readonly string[],
): Refusal {
  const data = JSON.stringify({ supported, requested });
  return { error: 'UNSUPPORTED_PROTOCOL_VERSION', id, data };
}

/**
 * The HTTP status of an upstream's answer while the reply is undecided. Errors of handlers stay on
 * 200.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#protocol-version-header
 */
export function statusOfAnswer(message: Message): number {
  if (!message.isError) return 200;
  const code = (message.value as { code?: unknown }).code;
  if (code === -32601) return 404;
  return code === -32020 || code === -32021 || code === -32022 ? 400 : 200;
}

export function isLevelAtLeast(level: unknown, minimum: string): boolean {
  return LOG_LEVELS.indexOf(String(level)) >= LOG_LEVELS.indexOf(minimum);
}

function metaOf(message: Message): Record<string, unknown> | undefined {
  const meta = (message.value as { _meta?: unknown } | undefined)?._meta;
  return isObject(meta) ? meta : undefined;
}

function isObject(value: unknown): value is Record<string, unknown> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
