/** Does a call cost more when many streams idle beside it? Two servers of a kind, measured in turns. */
import { LoadProcess } from '../measure/load-process.mjs';
import { openLane, takeRound, warm } from './calls.mjs';

const ERA = 2025;

export async function measureFlat({ servers, isQuick, say }) {
  const few = 10;
  const many = isQuick ? 1_000 : 10_000;
  const rows = [];
  for (const entry of servers) {
    say(`flat cost at ${entry.name}, ${few} and ${many} idle streams`);
    const lanes = [];
    for (const count of [few, many]) {
      const lane = { ...(await openLane(entry, ERA)), count };
      lanes.push(lane);
      await addStreams(lane, count);
    }
    for (const lane of lanes) await warm(lane, isQuick);
    for (let round = 0; round < (isQuick ? 2 : 5); round += 1) {
      for (const lane of lanes) await takeRound(lane, isQuick);
    }
    for (const { load, streams, server, ...row } of lanes) {
      load?.stop();
      streams?.stop();
      await server?.stop();
      rows.push(row);
    }
  }
  return rows;
}

async function addStreams(lane, count) {
  if (lane.why !== undefined) return;
  lane.streams = new LoadProcess('streams');
  try {
    const server = lane.server.target;
    await lane.streams.ask('open', { server, count, isInitialized: true });
  } catch (error) {
    lane.why = error.message;
  }
}
