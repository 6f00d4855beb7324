/** What a `tools/call` costs, era by era: all servers up at once, measured in turns, several rounds. */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';

export const CONCURRENCY = 32;
const ERAS = [2024, 2025, 2026];
const ALONE_ROUNDS = 3;
const STARTS = 3;

export async function measureCalls({ servers, isQuick, say }) {
  const rows = [];
  for (const era of ERAS) {
    say(`calls, era ${era}`);
    rows.push(...(await measureLanes(servers, era, isQuick)));
  }
  const order = servers.map(({ name }) => name);
  return rows.toSorted((a, b) => order.indexOf(a.name) - order.indexOf(b.name));
}

/**
 * The same, of servers that are started anew several times: what the compiler makes of a process
 * differs from start to start by several per cent, and stays.
 */
export async function measureStarts(servers, era, isQuick) {
  const rows = await measureLanes(servers, era, isQuick);
  for (let start = 1; start < (isQuick ? 1 : STARTS); start += 1) {
    for (const more of await measureLanes(servers, era, isQuick)) {
      const row = rows.find(({ name }) => name === more.name);
      row.rounds?.push(...(more.rounds ?? []));
      row.alone?.push(...(more.alone ?? []));
    }
  }
  return rows;
}

/** The servers of one era, all up at once, in turns: with every client at work, then with one. */
export async function measureLanes(servers, era, isQuick) {
  const rows = [];
  const lanes = [];
  for (const entry of servers) {
    if (!entry.eras.includes(era)) {
      const why = entry.missing?.[era];
      if (why !== undefined) rows.push({ name: entry.name, label: entry.label, era, why });
      continue;
    }
    const lane = await openLane(entry, era);
    if (lane.why === undefined) lanes.push(lane);
    else rows.push(lane);
  }
  for (const lane of lanes) await warm(lane, isQuick);
  const rounds = isQuick ? 2 : 5;
  for (let round = 0; round < rounds; round += 1) {
    for (const lane of lanes) await takeRound(lane, isQuick);
  }
  for (let round = 0; round < ALONE_ROUNDS; round += 1) {
    for (const lane of lanes) await takeAlone(lane, isQuick);
  }
  for (const { load, server, ...row } of lanes) {
    load.stop();
    await server.stop();
    rows.push(row);
  }
  return rows;
}

/** A server with `CONCURRENCY` clients of one era connected to it, or the reason why there is none. */
export async function openLane(entry, era) {
  const { name, label, notes } = entry;
  const row = { name, label, era, note: notes?.[era], rounds: [], alone: [] };
  let server;
  const load = new LoadProcess('calls');
  try {
    server = await startServer(entry);
    const count = CONCURRENCY;
    await load.ask('open', { server: server.target, era, count }, 20_000);
    return { ...row, load, server };
  } catch (error) {
    load.stop();
    await server?.stop();
    return { ...row, why: error.message };
  }
}

export async function warm(lane, isQuick) {
  if (lane.why !== undefined) return;
  // Until the compiler is done with all that a call runs through; the same for every lane.
  await ask(lane, { calls: isQuick ? 5_000 : 50_000, maxMs: isQuick ? 1_000 : 5_000 });
}

export async function takeRound(lane, isQuick) {
  const run = { calls: isQuick ? 8_000 : 15_000, maxMs: isQuick ? 700 : 800 };
  const taken = await take(lane, run);
  if (taken !== undefined) lane.rounds.push(taken);
}

/** One call at a time: latency without a line to wait in, cost without company to share it. */
async function takeAlone(lane, isQuick) {
  if (lane.rounds.length === 0) return;
  const taken = await take(lane, { calls: 3_000, maxMs: isQuick ? 200 : 400, width: 1 });
  if (taken !== undefined) lane.alone.push(taken);
}

async function take(lane, run) {
  if (lane.why !== undefined) return undefined;
  await ask(lane, { ...run, maxMs: 150 });
  // The bookkeeping of the turn before must not fall into this one.
  await delay(20);
  const before = cpuOf(lane.server.pid);
  const done = await ask(lane, run);
  if (done === undefined) return undefined;
  const { calls, ms, p50Ms, p99Ms } = done;
  const after = cpuOf(lane.server.pid);
  lane.children = after.children;
  const gatewayUs = (after.gatewayNs - before.gatewayNs) / calls / 1000;
  const childUs = (after.childNs - before.childNs) / calls / 1000;
  return { calls, gatewayUs, childUs, callsPerS: (calls / ms) * 1000, p50Ms, p99Ms };
}

async function ask(lane, run) {
  try {
    return await lane.load.ask('run', run, 20_000);
  } catch (error) {
    lane.why = error.message;
    return undefined;
  }
}
