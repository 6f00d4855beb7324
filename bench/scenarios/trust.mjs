/**
 * What trust costs: a call that is authenticated by JWT, decided by policy, counted and recorded,
 * beside the same call with a static token; a token that is seen for the first time; proofs of
 * possession; and a flood of requests that are refused, beside somebody who goes on calling.
 */
import { createHash } from 'node:crypto';
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { startHolder, startIssuer } from '../measure/issuer.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { measureStarts } from './calls.mjs';
import { trustGateways } from './trust-gateways.mjs';
import { measureFlood } from './trust-flood.mjs';

const ERAS = [2025, 2026];

export async function measureTrust({ isQuick, say }) {
  const issuer = await startIssuer();
  const gateways = await trustGateways(issuer);
  const calls = [];
  try {
    for (const era of ERAS) {
      say(`trust, era ${era}`);
      const entries = [gateways.base, ...gateways.parts, gateways.all];
      calls.push(...(await measureStarts(entries, era, isQuick)));
    }
    say('trust, first verification and proofs of possession');
    const tokens = await measureTokens(issuer, gateways.all, isQuick);
    say('trust, a flood of denied requests');
    const floods = await measureFlood(issuer, gateways.all, isQuick);
    return { algorithm: issuer.algorithm, calls, ...tokens, floods };
  } catch (error) {
    return { why: error.message };
  } finally {
    gateways.close();
    await issuer.stop();
  }
}

/** One call in flight each: with one token, with a fresh one a call, with a fresh proof a call. */
async function measureTokens(issuer, entry, isQuick) {
  const server = await startServer(entry);
  const load = new LoadProcess('tokens');
  try {
    const count = isQuick ? 300 : 1000;
    const known = await issuer.token('known');
    const fresh = await signed(count, (index) => issuer.token(`fresh-${index}`));
    const holder = await startHolder();
    const bound = await issuer.token('bound', { cnf: { jkt: holder.jkt } });
    const ath = createHash('sha256').update(bound).digest('base64url');
    const url = `http://127.0.0.1:${server.port}${entry.paths[2026]}`;
    const target = server.target;
    const run = async (headers) => {
      const before = cpuOf(server.pid).gatewayNs;
      const times = await load.ask('run', { server: target, headers });
      const us = (cpuOf(server.pid).gatewayNs - before) / headers.length / 1000;
      return { ...times, gatewayUs: us };
    };
    const bearer = (token) => ({ authorization: `Bearer ${token}` });
    const repeated = Array.from({ length: count }, () => bearer(known));
    await run(repeated);
    await delay(20);
    const rounds = { known: await run(repeated), first: await run(fresh.map(bearer)) };
    const proofs = await signed(2 * count, (index) => holder.proof(url, ath, `proof-${index}`));
    const proved = proofs.map((dpop) => ({ authorization: `DPoP ${bound}`, dpop }));
    await run(proved.slice(0, count));
    return { ...rounds, dpop: await run(proved.slice(count)) };
  } finally {
    load.stop();
    await server.stop();
  }
}

function signed(count, sign) {
  return Promise.all(Array.from({ length: count }, (_, index) => sign(index)));
}
