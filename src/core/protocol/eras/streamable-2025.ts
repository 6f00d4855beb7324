/**
 * Streamable HTTP of 2025-03-26, 2025-06-18 and 2025-11-25: sessions, replies as JSON or stream,
 * resume.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
import type { Refusal } from '../../errors.ts';
import type { Message } from '../message.ts';
import { checkNotification } from '../notification.ts';
import { hasBatches, hasPriming, isLegacyVersion, LATEST_LEGACY_VERSION } from '../versions.ts';

/**
 * Whether streams may begin with an event of empty data: older clients read it as a broken message.
 */
export type Priming = 'auto' | 'off';

/** The first bytes of a 2025 stream: where to resume from, and how long to wait before that. */
export function streamPreamble(
  id: string,
  retryMs: number,
  version: string,
  priming: Priming,
): string {
  const empty = priming === 'auto' && hasPriming(version) ? 'data: \n' : '';
  return `id: ${id}\nretry: ${retryMs}\n${empty}\n`;
}

/**
 * The version header of a request on a session. Absent means the negotiated version; another one
 * that is served here does not change what was negotiated.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#protocol-version-header
 */
export function checkVersionHeader(header: string | undefined): Refusal | undefined {
  if (header === undefined || isLegacyVersion(header.trim())) return undefined;
  return { error: 'PROTOCOL_VERSION_UNKNOWN' };
}

/**
 * Batches exist in 2025-03-26 alone, and never hold `initialize`.
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic/index#batching
 */
export function checkBatch(
  entries: readonly (Message | Refusal)[],
  version: string,
): Refusal | undefined {
  if (!hasBatches(version)) return { error: 'BATCH_NOT_ALLOWED' };
  for (const entry of entries) {
    if ('error' in entry) return entry;
    const fault = checkNotification(entry);
    if (fault !== undefined) return fault;
    if (entry.method === 'initialize') {
      return { error: 'INVALID_REQUEST', detail: 'Send initialize by itself, not in a batch.' };
    }
  }
  return undefined;
}

/** The version a client asked for in `initialize`, or the newest it could mean. */
export function requestedVersion(params: unknown): string {
  const version = (params as { protocolVersion?: unknown } | undefined)?.protocolVersion;
  return typeof version === 'string' && isLegacyVersion(version) ? version : LATEST_LEGACY_VERSION;
}
