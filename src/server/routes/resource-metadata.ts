/**
 * What a server says of where its tokens come from. Open to everybody, since whoever reads it has
 * no token yet, and made from the config alone.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#protected-resource-metadata-discovery-requirements
 */
import type { HttpExchange } from '../../core/ports.ts';
import type { OpenAnswer } from './open-answer.ts';

export interface MetadataSource {
  /** The metadata asked for at a path, as JSON text; undefined where there is none. */
  readonly metadataAt?: ((path: string) => string | undefined) | undefined;
}

/** Seconds for which it may be kept: it changes with the config and no faster. */
const HEADERS: readonly string[] = [
  'Content-Type',
  'application/json',
  'Cache-Control',
  'public, max-age=300',
];

/** @returns undefined where the path is none of metadata. */
export function resourceMetadata(
  { metadataAt }: MetadataSource,
  exchange: HttpExchange,
  headers: readonly string[],
): OpenAnswer | undefined {
  const { path, method } = exchange.head;
  const text = path.startsWith('/.well-known/') ? metadataAt?.(path) : undefined;
  if (text === undefined) return undefined;
  if (method !== 'GET' && method !== 'HEAD') return 'wrong-method';
  exchange.respond(200, [...HEADERS, ...headers], text);
  return 'answered';
}
