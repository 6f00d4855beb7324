/**
 * 5,000 requests a second that are denied, while another client calls steadily with one call in
 * flight. In turns: nobody else, the same flood at a bare server on the same core, which shows what
 * the machine itself adds, and the flood at the gateway, by token.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { BARE_HTTP } from '../servers.mjs';

const PER_SECOND = 5000;
const SETTLE_MS = 200;

export async function measureFlood(issuer, entry, isQuick) {
  const server = await startServer(entry);
  const bare = await startServer(BARE_HTTP);
  const [steady, flood] = [new LoadProcess('calls'), new LoadProcess('denied')];
  try {
    await steady.ask('open', { server: server.target, era: 2025, count: 1 });
    const tokens = await badTokens(issuer);
    const at = (kind, target, some) => ({ kind, target, tokens: some, rounds: [] });
    const kinds = [
      at('quiet'),
      at('bare', { port: bare.port, path: BARE_HTTP.paths[2025] }, tokens.rubbish),
      at('rubbish', { port: server.port, path: entry.paths[2025] }, tokens.rubbish),
      at('forged', { port: server.port, path: entry.paths[2025] }, tokens.forged),
    ];
    await steady.ask('run', { calls: 10_000, maxMs: 2000 });
    for (let round = 0; round < (isQuick ? 2 : 5); round += 1) {
      for (const each of kinds)
        each.rounds.push(await take(each, { server, steady, flood, isQuick }));
    }
    return kinds.map(({ kind, rounds }) => ({ kind, rounds }));
  } finally {
    for (const load of [steady, flood]) load.stop();
    await server.stop();
    await bare.stop();
  }
}

async function take({ target, tokens }, { server, steady, flood, isQuick }) {
  const ms = isQuick ? 1000 : 2000;
  const flooding =
    target === undefined
      ? undefined
      : flood.ask('run', { ...target, tokens, perSecond: PER_SECOND, ms: ms + 2 * SETTLE_MS });
  await delay(SETTLE_MS);
  const before = cpuOf(server.pid).gatewayNs;
  const begun = performance.now();
  const { calls, p50Ms, p99Ms } = await steady.ask('run', { calls: 100_000, maxMs: ms });
  const share = (cpuOf(server.pid).gatewayNs - before) / 1e6 / (performance.now() - begun);
  return { calls, p50Ms, p99Ms, share, ...(await flooding) };
}

/** Rubbish; and tokens that say everything right and are signed by nobody. */
async function badTokens(issuer) {
  const [head, claims, signature] = (await issuer.token('forged')).split('.');
  const forged = Array.from({ length: 1000 }, (_, index) => {
    const start = index.toString(36).padStart(4, 'A');
    return [head, claims, start + signature.slice(4)].join('.');
  });
  const rubbish = forged.map((_, index) => `rubbish-0123456789abcdef-${index}`);
  return { rubbish, forged };
}
