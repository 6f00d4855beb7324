/**
 * A tenant that takes all it can get, beside one that calls at an even pace: the latency of the quiet
 * one alone, beside each kind of noise, and beside the same noise at a bare server on the same core,
 * which shows what the machine itself adds. In turns.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { setTimeout as delay } from 'node:timers/promises';
import { startIssuer } from '../measure/issuer.mjs';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { pooled } from '../measure/statistics.mjs';
import { BARE_HTTP, CHILD } from '../servers.mjs';

const MAIN = fileURLToPath(new URL('../../dist/cli/main.js', import.meta.url));
const PATHS = { 2024: '/echo/sse', 2025: '/echo/mcp', 2026: '/echo/mcp' };
const PEOPLE = 10;
const PAUSE_MS = 1200;
const ROUNDS = 24;
/** V8 compiles for a minute and more beside the calls, which is no part of how a server goes on. */
const WARM_MS = 10_000;
const WARM_ROUNDS = 3;

/** Every tenant alike. The quiet one calls 250 times a second. */
const RATES = {
  address: { requestsPerSecond: 400 },
  principal: { requestsPerSecond: 300, callsMax: 10, streamsMax: 10, sessionsMax: 20 },
  tenant: {
    requestsPerSecond: 300,
    opensPerSecond: 10,
    bytesPerSecond: 1_000_000,
    streamsMax: 20,
    sessionsMax: 50,
    callsMax: 20,
    instancesMax: 5,
  },
  server: { opensPerSecond: 100 },
};

/** What the noisy tenant tries, by kind, requests a second. */
const NOISES = {
  calls: { calls: 3000 },
  opens: { sessions: 200, streams: 100 },
  large: { large: 60 },
};

export async function measureNeighbours({ isQuick, say }) {
  say('neighbours');
  const issuer = await startIssuer();
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const load = new LoadProcess('neighbours');
  const servers = [];
  const start = async (entry) => {
    const server = await startServer(entry);
    servers.push(server);
    return server;
  };
  try {
    const gateway = await start(gatewayEntry(folder, issuer));
    const bare = await start(BARE_HTTP);
    const token = await issuer.token('quiet', { org: 'quiet' });
    const tokens = await people(issuer);
    await load.ask('open', { server: gateway.target, token });
    const lanes = lanesOf(gateway, bare, tokens);
    const take = async (lane, ms) => {
      // Debts and places of the noise before are over.
      await delay(PAUSE_MS);
      const before = cpuOf(gateway.pid);
      const outcome = await load.ask('run', { ms, flood: lane.flood });
      const after = cpuOf(gateway.pid);
      const share = (key) => (after[key] - before[key]) / 1e6 / ms;
      return { ...outcome, gateway: share('gatewayNs'), children: share('childNs') };
    };
    for (let round = 0; round < (isQuick ? 1 : WARM_ROUNDS); round += 1) {
      for (const lane of lanes) await take(lane, isQuick ? 2000 : WARM_MS);
    }
    for (let round = 0; round < (isQuick ? 2 : ROUNDS); round += 1) {
      for (const lane of lanes) lane.rounds.push(await take(lane, isQuick ? 1500 : 4000));
    }
    return {
      rates: RATES,
      lanes: lanes.map(({ name, where, rounds }) => ({ name, where, ...pooled(rounds) })),
    };
  } catch (error) {
    return { why: error.message };
  } finally {
    load.stop();
    for (const server of servers) await server.stop();
    rmSync(folder, { recursive: true, force: true });
    await issuer.stop();
  }
}

function lanesOf(gateway, bare, tokens) {
  const lane = (name, shares, server) => ({
    name,
    where: server?.name,
    flood: server && { port: server.port, paths: server.entry.paths, tokens, shares },
    rounds: [],
  });
  return [
    lane('alone'),
    ...Object.entries(NOISES).flatMap(([name, shares]) => [
      lane(name, shares, bare),
      lane(name, shares, gateway),
    ]),
  ];
}

/** Everybody of the noisy tenant, each a principal. */
function people(issuer) {
  return Promise.all(
    Array.from({ length: PEOPLE }, (_, index) =>
      issuer.token(`noisy-${index}`, { org: 'noisy', client_id: `app-${index}` }),
    ),
  );
}

/** A token of the provider, limits and a record: what a careful operator has. */
function gatewayEntry(folder, issuer) {
  const jwt = {
    issuer: issuer.url,
    audience: issuer.audience,
    tenant: { claim: 'org' },
    allowedHosts: ['127.0.0.1'],
  };
  const write = (port) => {
    const file = join(folder, 'gateway.json');
    const [command, ...args] = CHILD;
    const config = {
      listen: { port, publicUrl: `http://127.0.0.1:${port}` },
      auth: { jwt },
      tenants: { quiet: {}, noisy: {} },
      rates: RATES,
      audit: { file: 'audit.jsonl', required: true },
      servers: { echo: { command, args, isolation: 'tenant' } },
    };
    writeFileSync(file, JSON.stringify(config));
    return file;
  };
  return {
    name: 'gateway',
    paths: PATHS,
    command: (port) => [process.execPath, MAIN, '--config', write(port)],
  };
}
