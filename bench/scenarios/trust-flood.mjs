/**
 * 5,000 requests a second that are denied, while another client calls at an even pace. In turns: nobody
 * else, the same flood at a bare server on the same core, which shows what the machine itself adds, and
 * the flood at the gateway, by token.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { pooled } from '../measure/statistics.mjs';
import { BARE_HTTP } from '../servers.mjs';

const PER_SECOND = 5000;
const ROUNDS = 24;
/** V8 compiles for a minute and more beside the calls, which is no part of how a server goes on. */
const WARM_MS = 10_000;
const WARM_ROUNDS = 3;
const SHARES = { denied: PER_SECOND };
const PAUSE_MS = 1200;
/** The load writes a number here that it never writes again. */
const NUMBER = '########';

export async function measureFlood(issuer, entry, isQuick) {
  const server = await startServer(entry);
  const bare = await startServer(BARE_HTTP);
  const load = new LoadProcess('neighbours');
  try {
    await load.ask('open', { server: server.target, token: entry.token });
    const tokens = await badTokens(issuer);
    const at = (kind, target, token) => ({
      kind,
      pid: (target ?? server).pid,
      flood: target && { port: target.port, paths: entry.paths, tokens: [token], shares: SHARES },
      rounds: [],
    });
    const kinds = [
      at('quiet'),
      at('bare-rubbish', bare, tokens.rubbish),
      at('bare-forged', bare, tokens.forged),
      at('rubbish', server, tokens.rubbish),
      at('forged', server, tokens.forged),
    ];
    for (let round = 0; round < (isQuick ? 1 : WARM_ROUNDS); round += 1) {
      for (const each of kinds) await take(each, load, isQuick ? 2000 : WARM_MS);
    }
    for (let round = 0; round < (isQuick ? 2 : ROUNDS); round += 1) {
      for (const each of kinds) {
        each.rounds.push(await take(each, load, isQuick ? 1500 : 4000));
      }
    }
    return kinds.map(({ kind, rounds }) => ({ kind, ...pooled(rounds) }));
  } finally {
    load.stop();
    await server.stop();
    await bare.stop();
  }
}

/** `share` is of a core, and of whichever server is flooded. */
async function take({ pid, flood }, load, ms) {
  await delay(PAUSE_MS);
  const before = cpuOf(pid).gatewayNs;
  const begun = performance.now();
  const outcome = await load.ask('run', { ms, flood });
  const share = (cpuOf(pid).gatewayNs - before) / 1e6 / (performance.now() - begun);
  return { ...outcome, share };
}

/** Rubbish; and tokens that say everything right and are signed by nobody. */
async function badTokens(issuer) {
  const [head, claims, signature] = (await issuer.token('forged')).split('.');
  return {
    rubbish: `rubbish-0123456789abcdef-${NUMBER}`,
    forged: [head, claims, NUMBER + signature.slice(NUMBER.length)].join('.'),
  };
}
