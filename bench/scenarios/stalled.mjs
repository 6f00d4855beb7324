/**
 * A reader that takes nothing while 100 MB are sent to it, in turns with one that reads them all: growth
 * to the peak is compared with that, so that it means bytes held for the stalled reader and not the
 * garbage any flood makes; and memory at rest is compared before and after.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { peakKb, resetPeak } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';
import { spread } from '../measure/statistics.mjs';

const BYTES = 100 * 1024 * 1024;
// Longer than the 10 s after which a reader that takes nothing is given up.
const WATCH_MS = 12_000;
const FLOOD_MS = 3_500;

export async function measureStalled({ servers, isQuick, say }) {
  const lanes = [];
  for (const entry of servers.filter(({ eras }) => eras.includes(2024))) {
    say(`stalled reader at ${entry.name}`);
    lanes.push(await openLane(entry, isQuick));
  }
  await delay(isQuick ? 2_000 : WATCH_MS);
  return Promise.all(lanes.map((lane) => finish(lane)));
}

async function openLane(entry, isQuick) {
  const row = { name: entry.name, label: entry.label, bytes: BYTES, rounds: [] };
  const lane = { row, stalled: [], readers: [], server: undefined };
  try {
    lane.server = await startServer(entry);
    await flood(lane.server, await openReader(lane, lane.readers), true);
    for (let round = 0; round < (isQuick ? 1 : 3); round += 1) {
      const read = await flood(lane.server, await openReader(lane, lane.readers), true);
      if (read.received < BYTES) row.note = `a reading client got ${mb(read.received)} MB of it`;
      const held = await flood(lane.server, await openReader(lane, lane.stalled), false);
      row.rounds.push({ read, held });
    }
  } catch (error) {
    row.why = error.message;
  }
  return lane;
}

async function openReader({ server }, list) {
  const load = new LoadProcess('stalled');
  list.push(load);
  await load.ask('open', { server: server.target });
  return load;
}

/** Looks at every stalled stream once more, when whoever bounds a stall has had the time to end it. */
async function finish({ row, stalled, readers, server }) {
  try {
    const seen = await Promise.all(stalled.map((load) => load.ask('look')));
    row.isClosed = seen.every(({ isEnded }) => isEnded);
    row.deliveredBytes = Math.max(...seen.map(({ received }) => received));
    const of = (pick) => spread(row.rounds.map(pick)).median;
    row.growthReadMb = of(({ read }) => read.growthMb);
    row.growthHeldMb = of(({ held }) => held.growthMb);
    row.growthPeakMb = row.growthHeldMb - row.growthReadMb;
    row.growthMb = of(({ held }) => held.restMb);
  } catch (error) {
    row.why ??= error.message;
  }
  for (const load of [...stalled, ...readers]) load.stop();
  await server?.stop();
  return row;
}

/** Sends the flood to `load` and says what it left: at the peak, and at rest afterwards. */
async function flood(server, load, isReading) {
  const before = (await server.memoryAtRest()).residentKb;
  resetPeak(server.pid);
  const { received } = await load.ask('flood', { bytes: BYTES, isReading });
  // The flood takes two seconds.
  if (!isReading) await delay(FLOOD_MS);
  const growthMb = (peakKb(server.pid) - before) / 1024;
  const restMb = ((await server.memoryAtRest()).residentKb - before) / 1024;
  return { received, growthMb, restMb };
}

function mb(bytes) {
  return Math.round(bytes / 1024 / 1024);
}
