/**
 * The answer to a client's `initialize` from what the server says of itself in `server/discover`.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#initialization
 */
import { requestedVersion } from '../../protocol/eras/streamable-2025.ts';
import { declaresTasks, LEGACY_TASKS, LEGACY_TASKS_VERSION } from '../tasks/task-words.ts';
import { carriedExtensions } from './legacy-client.ts';

type Members = Readonly<Record<string, unknown>>;

const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/**
 * @param discovered - the DiscoverResult.
 * @param requested - the version the client asked for.
 * @param fallback - who answers if the server did not say who it is.
 * @param bridgesTasks - whether tasks are carried across, where both sides have them.
 * @returns the InitializeResult as JSON text.
 */
export function initializeResult(
  discovered: Members,
  requested: unknown,
  fallback: unknown,
  bridgesTasks = false,
): string {
  const meta = (discovered['_meta'] ?? {}) as Members;
  const { extensions, tasks: _, ...capabilities } = (discovered['capabilities'] ?? {}) as Members;
  const carried = carriedExtensions(extensions);
  const tasks = bridgesTasks && offersTasks(discovered, requested);
  return JSON.stringify({
    protocolVersion: requestedVersion({ protocolVersion: requested }),
    capabilities: {
      ...capabilities,
      ...(carried === undefined ? {} : { extensions: carried }),
      ...(tasks ? { tasks: LEGACY_TASKS } : {}),
    },
    serverInfo: meta[SERVER_INFO] ?? fallback,
    instructions: discovered['instructions'],
  });
}

/** Whether both sides have tasks: the server by its extension, the client by its revision. */
export function offersTasks(discovered: Members, requested: unknown): boolean {
  const version = requestedVersion({ protocolVersion: requested });
  return version === LEGACY_TASKS_VERSION && declaresTasks(discovered['capabilities']);
}
