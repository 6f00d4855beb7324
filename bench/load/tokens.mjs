/**
 * One call after the other over one connection, each with headers of its own: `run` {server, headers}.
 * Every answer must carry the text of its own call.
 */
import { answerCommands } from './answer-commands.mjs';
import { Client2026 } from './eras.mjs';

let sequence = 0;

answerCommands({
  async run({ server, headers }) {
    const client = new Client2026(server);
    await client.open();
    const latencies = [];
    for (const each of headers) {
      client.setHeaders(each);
      sequence += 1;
      const begun = performance.now();
      await new Promise((resolve, reject) => {
        const fail = (why) => reject(new Error(why));
        client.call(sequence, 'echo', `text-${sequence}-end`, resolve, fail);
      });
      latencies.push(performance.now() - begun);
    }
    client.close();
    const sorted = latencies.toSorted((a, b) => a - b);
    const at = (share) => sorted[Math.floor((sorted.length - 1) * share)];
    return { calls: sorted.length, p50Ms: at(0.5), p99Ms: at(0.99) };
  },
});
