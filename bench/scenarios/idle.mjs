/**
 * Thousands of idle 2024 streams, each with its session initialised: how fast they open, what they keep
 * resident, what their heartbeats cost, and what one notification to all of them costs.
 *
 * The idle window is shared by all servers (each is charged by its own accounting); everything else
 * is measured one server at a time.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { cpuOf, residentKb } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';

const SETTLE_MS = 10_000;
const WINDOW_MS = 32_000;
const EVENT_MS_MAX = 10_000;
const WARM_STREAMS = 500;
const MARK = 'notifications/tools/list_changed';

export async function measureIdle({ servers, isQuick, say }) {
  const count = 5_000;
  const lanes = [];
  for (const entry of servers.filter(({ eras }) => eras.includes(2024))) {
    say(`idle, ${count} streams at ${entry.name}`);
    lanes.push(await openStreams(entry, count));
  }
  say('idle, settling and measuring all of them');
  await delay(isQuick ? 3_000 : SETTLE_MS);
  await Promise.all(lanes.map((lane) => watchIdle(lane, isQuick ? 8_000 : WINDOW_MS)));
  for (const lane of lanes) {
    say(`fan-out at ${lane.name}`);
    await measureFanOut(lane, isQuick ? 10 : 40);
  }
  for (const lane of lanes) {
    lane.load?.stop();
    await lane.server?.stop();
    delete lane.load;
    delete lane.server;
  }
  return lanes;
}

async function openStreams(entry, count) {
  const lane = { name: entry.name, label: entry.label, count, total: count + WARM_STREAMS };
  if (entry.missing?.idle !== undefined) return { ...lane, why: entry.missing.idle };
  try {
    lane.server = await startServer(entry);
    const server = lane.server.target;
    lane.load = new LoadProcess('streams');
    // What the first streams load and compile is no property of a stream: count from a running start.
    await lane.load.ask('open', { server, count: WARM_STREAMS, isInitialized: true });
    lane.memoryBefore = await lane.server.memoryAtRest();
    const { pid } = lane.server;
    const before = cpuOf(pid);
    const { ms } = await lane.load.ask('open', { server, count, isInitialized: false });
    lane.opensPerS = (count / ms) * 1000;
    lane.openCpuUs = (cpuOf(pid).gatewayNs - before.gatewayNs) / count / 1000;
    await lane.load.ask('initialize');
  } catch (error) {
    lane.why = error.message;
  }
  return lane;
}

async function watchIdle(lane, windowMs) {
  if (lane.why !== undefined) return;
  const { pid } = lane.server;
  const before = cpuOf(pid);
  const begun = performance.now();
  await delay(windowMs);
  const used = cpuOf(pid).gatewayNs - before.gatewayNs;
  lane.idleCpuPercent = used / 1e4 / (performance.now() - begun);
  lane.residentUncollectedKb = residentKb(pid);
  lane.memory = await lane.server.memoryAtRest();
  const atFirst = lane.memoryBefore;
  lane.kbPerStream = (lane.memory.residentKb - atFirst.residentKb) / lane.count;
  lane.usedKbPerStream = (lane.memory.usedKb - atFirst.usedKb) / lane.count;
}

async function measureFanOut(lane, events) {
  if (lane.why !== undefined) return;
  const { pid } = lane.server;
  const control = new LoadProcess('calls');
  try {
    await control.ask('open', { server: lane.server.target, era: 2024, count: 1 });
    const emit = async () => {
      await lane.load.ask('expect', { mark: MARK });
      await control.ask('run', { calls: 1, maxMs: 1, name: 'emit' });
      const awaited = { events: lane.total, maxMs: EVENT_MS_MAX };
      const { marks, closed } = await lane.load.ask('await', awaited);
      if (marks < lane.total) throw new Error(`${marks} of ${lane.total} got it, ${closed} closed`);
    };
    for (let warm = 0; warm < 10; warm += 1) await emit();
    lane.fanOutUs = [];
    for (let event = 0; event < events; event += 1) {
      const before = cpuOf(pid);
      await emit();
      const used = cpuOf(pid).gatewayNs - before.gatewayNs;
      lane.fanOutUs.push(used / lane.total / 1000);
    }
  } catch (error) {
    lane.fanOutWhy = error.message;
  }
  control.stop();
}
