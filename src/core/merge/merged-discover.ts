/**
 * What the merged server says of itself.
 *
 * Servers come and go while clients stay, and what was declared to a session cannot be taken back
 * or added to. So it declares the lists of all kinds, however few of them are filled now.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/discover
 */
import { SERVER_INFO } from '../bridge/modern-client/modern-result.ts';
import { MODERN_VERSIONS } from '../protocol/versions.ts';

/** Characters of all instructions together; models read them with every conversation. */
const INSTRUCTIONS_CHARS_MAX = 32_768;

const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { listChanged: true, subscribe: true },
  completions: {},
  logging: {},
};

export interface ServerInfo {
  readonly name: string;
  readonly version: string;
}

/** What one server says to whoever uses it. */
export interface MemberInstructions {
  readonly server: string;
  readonly instructions: unknown;
}

/** The DiscoverResult as JSON. */
export function mergedDiscover(
  serverInfo: ServerInfo,
  members: readonly MemberInstructions[],
): string {
  const instructions = mergedInstructions(members);
  return JSON.stringify({
    resultType: 'complete',
    supportedVersions: MODERN_VERSIONS,
    capabilities: CAPABILITIES,
    instructions: instructions === '' ? undefined : instructions,
    // It is another one as soon as a server answers that was down.
    ttlMs: 0,
    cacheScope: 'private',
    _meta: { [SERVER_INFO]: serverInfo },
  });
}

/** Each under the name its tools begin with; what would pass the bound is left out whole. */
function mergedInstructions(members: readonly MemberInstructions[]): string {
  let merged = '';
  for (const { server, instructions } of members) {
    if (typeof instructions !== 'string' || instructions.trim() === '') continue;
    const added = `${merged === '' ? '' : '\n\n'}## ${server}\n\n${instructions.trim()}`;
    if (merged.length + added.length <= INSTRUCTIONS_CHARS_MAX) merged += added;
  }
  return merged;
}
