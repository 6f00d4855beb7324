/**
 * The answer to a client's `initialize` from what the server says of itself in `server/discover`.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#initialization
 */
import { requestedVersion } from '../../protocol/eras/streamable-2025.ts';
import { carriedExtensions } from './legacy-client.ts';

type Members = Readonly<Record<string, unknown>>;

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/**
 * @param discovered - the DiscoverResult.
 * @param requested - the version the client asked for.
 * @param fallback - who answers if the server did not say who it is.
 * @returns the InitializeResult as JSON text.
 */
export function initializeResult(
  discovered: Members,
  requested: unknown,
  fallback: unknown,
): string {
  const meta = (discovered['_meta'] ?? {}) as Members;
  const { extensions, tasks: _, ...capabilities } = (discovered['capabilities'] ?? {}) as Members;
  const carried = carriedExtensions(extensions);
  return JSON.stringify({
    protocolVersion: requestedVersion({ protocolVersion: requested }),
    capabilities: carried === undefined ? capabilities : { ...capabilities, extensions: carried },
    serverInfo: meta[SERVER_INFO] ?? fallback,
    instructions: discovered['instructions'],
  });
}
