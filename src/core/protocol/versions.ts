/**
 * The revisions of the protocol served here, and what only some of them have.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning
 */

/** Revisions with an `initialize` handshake, newest first. */
export const LEGACY_VERSIONS: readonly string[] = [
  '2025-11-25',
  '2025-06-18',
  '2025-03-26',
  '2024-11-05',
];

/** Revisions whose every request carries its own metadata, newest first. */
export const MODERN_VERSIONS: readonly string[] = ['2026-07-28'];

/** What `initialize` answers to a client that asks for a revision nobody knows. */
export const LATEST_LEGACY_VERSION: string = '2025-11-25';

export function isLegacyVersion(version: string): boolean {
  return LEGACY_VERSIONS.includes(version);
}

export function isModernVersion(version: string): boolean {
  return MODERN_VERSIONS.includes(version);
}

/**
 * Whether a body may be an array of messages. Only one revision allows it.
 * @see https://modelcontextprotocol.io/specification/2025-03-26/basic#batching
 */
export function hasBatches(version: string): boolean {
  return version === '2025-03-26';
}

/**
 * Whether a stream may open with an event that has an id and empty data. Clients of older
 * revisions parse that empty data as JSON and fail.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
export function hasPriming(version: string): boolean {
  return version === '2025-11-25';
}
