/**
 * Closed-loop `tools/call` load in a process of its own, told what to do over IPC:
 * `open` {server, era, clients}, `run` {calls, maxMs, width}, `close`. One call in flight for each client; every
 * answer must carry the text of its own call. While it runs it never sleeps: to wake it up would be on
 * the bill of whoever answers, and the faster that is, the less often it sleeps.
 */
import { answerCommands } from './answer-commands.mjs';
import { CLIENTS } from './eras.mjs';

let clients = [];
let sequence = 0;

const commands = {
  async open({ server, era, count }) {
    clients = Array.from({ length: count }, () => new CLIENTS[era](server));
    await Promise.all(clients.map((client) => client.open()));
    return {};
  },
  run,
  async close() {
    for (const client of clients) client.close();
    clients = [];
    return {};
  },
};

function run({ calls, maxMs, name = 'echo', width = clients.length }) {
  const latencies = new Float64Array(calls);
  const begun = performance.now();
  let issued = 0;
  let finished = 0;
  let live = width;
  return new Promise((resolve, reject) => {
    const stayAwake = () => live > 0 && setImmediate(stayAwake);
    stayAwake();
    const next = (client) => {
      const start = performance.now();
      if (issued === calls || start - begun > maxMs) {
        if ((live -= 1) === 0) resolve(summary(latencies.subarray(0, finished), start - begun));
        return;
      }
      issued += 1;
      sequence += 1;
      const onAnswer = () => {
        latencies[finished] = performance.now() - start;
        finished += 1;
        next(client);
      };
      client.call(sequence, name, `text-${sequence}-end`, onAnswer, (why) =>
        reject(new Error(why)),
      );
    };
    for (const client of clients.slice(0, width)) next(client);
  });
}

function summary(latencies, ms) {
  const sorted = latencies.toSorted();
  const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
  return { calls: sorted.length, ms, p50Ms: at(0.5), p99Ms: at(0.99) };
}

answerCommands(commands);
