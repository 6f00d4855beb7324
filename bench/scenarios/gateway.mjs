/**
 * The gateway of many servers. A reload of 50 of which one changed: what it costs, and whether any
 * stream of the others noticed. And a call through the merged endpoint beside the server's own.
 */
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { Client2024 } from '../load/eras.mjs';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { configServer, remoteServer } from '../servers.mjs';

const SERVERS = 50;
const CHANGED = 's49';
const APPLIED_MS_MAX = 10_000;
const ROUNDS = 5;

export async function measureGateway({ isQuick, say }) {
  say(`gateway of ${SERVERS} servers, reload and merged calls`);
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-bench-'));
  const file = join(folder, 'tidegate.json');
  const remote = await startServer(remoteServer('2025'));
  const url = `http://127.0.0.1:${remote.port}/mcp`;
  const write = (version) => writeFileSync(file, configText(url, version));
  write(1);
  let server;
  try {
    server = await startServer(configServer(file));
    const reload = await takeReload(server, () => write(2));
    return { reload, merged: await takeMerged(server, isQuick) };
  } catch (error) {
    return { why: error.message };
  } finally {
    await server?.stop();
    await remote.stop();
    rmSync(folder, { recursive: true, force: true });
  }
}

function configText(url, version) {
  const servers = {};
  for (let i = 0; i < SERVERS; i += 1) {
    const name = `s${i}`;
    servers[name] = { url, isolation: 'shared' };
    if (name === CHANGED) servers[name].headers = { 'x-version': String(version) };
  }
  return JSON.stringify({ auth: { token: configServer('').token }, servers });
}

/** A 2024 stream at every server, each called before and after: what is cut cannot answer. */
async function takeReload(server, change) {
  const { port, token } = server.target;
  const clients = Array.from({ length: SERVERS }, (_, i) => {
    const paths = { 2024: `/s${i}/sse` };
    return new Client2024({ port, token, paths });
  });
  for (const client of clients) await client.open();
  const before = await answering(clients, 'before');
  const cpu = cpuOf(server.pid);
  const begun = performance.now();
  change();
  process.kill(server.pid, 'SIGHUP');
  const ms = await untilIdle(server.pid, begun);
  const cpuMs = (cpuOf(server.pid).gatewayNs - cpu.gatewayNs) / 1e6;
  const kept = clients.slice(0, -1);
  const after = await answering(kept, 'after');
  for (const client of clients) client.close();
  return { before, unchanged: kept.length, after, ms, cpuMs };
}

/** A reload is over when the process has used no CPU worth the name for a while. */
async function untilIdle(pid, begun) {
  let last = cpuOf(pid).gatewayNs;
  let changedAt = performance.now();
  await delay(20);
  while (performance.now() - begun < APPLIED_MS_MAX) {
    const now = cpuOf(pid).gatewayNs;
    if (now - last > 500_000) changedAt = performance.now();
    else if (performance.now() - changedAt > 400) break;
    last = now;
    await delay(10);
  }
  return changedAt - begun;
}

async function answering(clients, when) {
  const answers = clients.map((client, index) => {
    const text = `${when}-${index}-end`;
    return Promise.race([
      new Promise((resolve) => {
        client.call(
          `${when}-${index}`,
          'echo',
          text,
          () => resolve(1),
          () => resolve(0),
        );
      }),
      delay(5_000, 0),
    ]);
  });
  return (await Promise.all(answers)).reduce((sum, each) => sum + each, 0);
}

async function takeMerged(server, isQuick) {
  const lanes = [
    { name: 'own', path: '/s0/mcp', tool: 'echo', rounds: [] },
    { name: 'merged', path: '/all/mcp', tool: 's0__echo', rounds: [] },
  ];
  for (const lane of lanes) {
    lane.load = new LoadProcess('calls');
    const target = { ...server.target, paths: { 2025: lane.path } };
    await lane.load.ask('open', { server: target, era: 2025, count: 32 }, 20_000);
    await lane.load.ask('run', { calls: 5_000, maxMs: 1_500, name: lane.tool });
  }
  for (let round = 0; round < (isQuick ? 2 : ROUNDS); round += 1) {
    for (const lane of lanes) {
      const before = cpuOf(server.pid).gatewayNs;
      const done = await lane.load.ask('run', { calls: 8_000, maxMs: 800, name: lane.tool });
      const used = cpuOf(server.pid).gatewayNs - before;
      lane.rounds.push({ gatewayUs: used / done.calls / 1000, p50Ms: done.p50Ms });
    }
  }
  for (const { load } of lanes) load.stop();
  return lanes.map(({ name, rounds }) => ({ name, rounds }));
}
