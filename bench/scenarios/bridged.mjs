/**
 * A call whose client and server speak different eras, beside the same call where they do not: all
 * servers up at once, measured in turns.
 */
import {
  BARE_GATEWAY,
  CHILD,
  MCP_PROXY_6,
  overChild,
  SUPERGATEWAY_HTTP,
  SUPERGATEWAY_SSE,
  TIDEGATE,
} from '../servers.mjs';
import { measureStarts } from './calls.mjs';

const ERAS = [2024, 2025, 2026];
const PEERS = [MCP_PROXY_6, SUPERGATEWAY_SSE, SUPERGATEWAY_HTTP];

export async function measureBridged({ servers, isQuick, say }) {
  const rows = [];
  for (const era of ERAS) {
    say(`bridged calls, era ${era}`);
    const other = era === 2026 ? 'legacy' : 'modern';
    const child = [...CHILD, other];
    const bridged = (entry) =>
      overChild(entry, `${entry.name}-bridged`, `${entry.label}, ${other} only`, child);
    const lanes = [BARE_GATEWAY, TIDEGATE, bridged(TIDEGATE), ...PEERS.map(bridged)];
    const chosen = lanes.filter(({ name }) => isAmong(servers, name));
    for (const row of await measureStarts(chosen, era, isQuick)) {
      const isPeer = row.why !== undefined && !row.name.startsWith('tidegate');
      rows.push(isPeer ? { ...row, why: `cannot: ${row.why}` } : row);
    }
  }
  return rows;
}

function isAmong(servers, name) {
  return servers.some((entry) => name === entry.name || name === `${entry.name}-bridged`);
}
