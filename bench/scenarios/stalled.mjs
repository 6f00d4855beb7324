/**
 * A reader that takes nothing while 100 MB are sent to it. The same flood is read to its end beforehand:
 * the peak is compared with the peak of that, so that growth means bytes held for the stalled reader and
 * not the garbage any flood makes; and memory at rest is compared before and after.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { LoadProcess } from '../measure/load-process.mjs';
import { peakKb, resetPeak } from '../measure/process-tree.mjs';
import { startServer } from '../measure/running-server.mjs';

const BYTES = 100 * 1024 * 1024;
// Longer than the 10 s after which a reader that takes nothing is given up.
const WATCH_MS = 14_000;

export async function measureStalled({ servers, isQuick, say }) {
  say('stalled reader, all servers at once');
  const chosen = servers.filter(({ eras }) => eras.includes(2024));
  return Promise.all(chosen.map((entry) => measureOne(entry, isQuick)));
}

async function measureOne(entry, isQuick) {
  const row = { name: entry.name, label: entry.label, bytes: BYTES };
  let server;
  const reader = new LoadProcess('stalled');
  const stalled = new LoadProcess('stalled');
  try {
    server = await startServer(entry);
    await reader.ask('open', { server: server.target });
    for (const id of [1, 2]) {
      resetPeak(server.pid);
      const flooded = await reader.ask('flood', { bytes: BYTES, isReading: true, id });
      row.readBytes = flooded.received;
      row.peakReadKb = peakKb(server.pid);
    }
    if (row.readBytes < BYTES) row.note = `a reading client got ${mb(row.readBytes)} MB of it`;
    row.beforeKb = (await server.memoryAtRest()).residentKb;
    await stalled.ask('open', { server: server.target });
    resetPeak(server.pid);
    await stalled.ask('flood', { bytes: BYTES, isReading: false, id: 3 });
    await delay(isQuick ? 5_000 : WATCH_MS);
    row.peakStalledKb = peakKb(server.pid);
    row.afterKb = (await server.memoryAtRest()).residentKb;
    row.growthPeakMb = (row.peakStalledKb - row.peakReadKb) / 1024;
    row.growthMb = (row.afterKb - row.beforeKb) / 1024;
    const seen = await stalled.ask('look');
    row.isClosed = seen.isEnded;
    row.deliveredBytes = seen.received;
  } catch (error) {
    row.why = error.message;
  }
  reader.stop();
  stalled.stop();
  await server?.stop();
  return row;
}

function mb(bytes) {
  return Math.round(bytes / 1024 / 1024);
}
