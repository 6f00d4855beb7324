/**
 * A call to a server at a URL on this machine, beside the same call to a stdio child. The remote
 * server runs on the gateway's core, as the child does, and is on nobody's bill.
 */
import { startServer } from '../measure/running-server.mjs';
import { remoteServer, TIDEGATE, tidegateOverUrl } from '../servers.mjs';
import { measureStarts } from './calls.mjs';

const ERAS = [2024, 2025, 2026];

export async function measureRemote({ servers, isQuick, say }) {
  if (!servers.includes(TIDEGATE)) return [];
  const rows = [];
  for (const era of ERAS) {
    say(`remote upstream, era ${era}`);
    const remote = await startServer(remoteServer(String(era)));
    const url = `http://127.0.0.1:${remote.port}${TIDEGATE.paths[era]}`;
    const label = `tidegate, token, remote server of ${era}`;
    const entries = [TIDEGATE, tidegateOverUrl('tidegate-remote', label, url)];
    rows.push(...(await measureStarts(entries, era, isQuick)));
    await remote.stop();
  }
  return rows;
}
