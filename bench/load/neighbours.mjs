/**
 * Two tenants in one process and one event loop, so that neither waits for the other's turn on the
 * core: `open` {server, quiet} and `run` {ms, flood?}. The quiet one calls at an even pace; the noisy
 * one, while there is a flood {port, paths, tokens, shares}, sends requests of each kind at an even
 * pace of its own, from as many addresses as it has connections. The loop never sleeps: a timer wakes a
 * millisecond late.
 */
import { answerCommands } from './answer-commands.mjs';
import { Client2026 } from './eras.mjs';
import { Noisy } from './noise.mjs';

const QUIET_PER_SECOND = 250;
const QUIET_CONNECTIONS = 4;
// Connections are made, and what may be had at first has been had.
const SETTLE_MS = 500;

let clients = [];

answerCommands({
  async open({ server, token }) {
    clients = Array.from({ length: QUIET_CONNECTIONS }, () => new Client2026({ ...server, token }));
    await Promise.all(clients.map((client) => client.open()));
    return {};
  },
  async run({ ms, flood }) {
    const quiet = new Quiet(clients);
    const noisy = flood === undefined ? undefined : new Noisy(flood);
    const sources = [pace(QUIET_PER_SECOND, () => quiet.call()), ...(noisy?.sources(pace) ?? [])];
    const look = (now) => {
      for (const send of sources) send(now);
    };
    await untilOver(SETTLE_MS, look);
    quiet.forget();
    noisy?.forget();
    await untilOver(ms, look);
    await quiet.settled();
    noisy?.close();
    return { ...quiet.summary(), ...noisy?.summary(ms) };
  },
});

/** Sends what is due by now, one at a time and evenly. */
function pace(perSecond, send) {
  // Each source begins a little later than the one before, so that they do not fall together.
  let due = performance.now() + (1000 * Math.random()) / perSecond;
  return (now) => {
    if (now < due) return;
    due += 1000 / perSecond;
    send();
  };
}

/** Lets input be read between two looks at the time. */
function untilOver(ms, look) {
  const begun = performance.now();
  return new Promise((resolve) => {
    const turn = () => {
      const now = performance.now();
      if (now - begun >= ms) return resolve();
      look(now);
      setImmediate(turn);
    };
    turn();
  });
}

/** Every call must be answered with its own text: one that is refused fails the run. */
class Quiet {
  #idle;
  #times = [];
  #sequence = 0;
  #late = 0;
  #live = 0;
  #fault;
  #wake = () => {};

  constructor(all) {
    this.#idle = [...all];
  }

  call() {
    const client = this.#idle.pop();
    if (client === undefined) return void (this.#late += 1);
    const begun = performance.now();
    this.#sequence += 1;
    this.#live += 1;
    const settle = () => {
      this.#idle.push(client);
      this.#live -= 1;
      if (this.#live === 0) this.#wake();
    };
    const answered = () => {
      this.#times.push(performance.now() - begun);
      settle();
    };
    const failed = (why) => {
      this.#fault ??= why;
      settle();
    };
    client.call(this.#sequence, 'echo', `quiet-${this.#sequence}-end`, answered, failed);
  }

  forget() {
    this.#times = [];
    this.#late = 0;
  }

  async settled() {
    if (this.#live > 0) await new Promise((resolve) => (this.#wake = resolve));
    if (this.#fault !== undefined) throw new Error(`the quiet tenant's call: ${this.#fault}`);
  }

  summary() {
    const sorted = Float64Array.from(this.#times).toSorted();
    const at = (share) => sorted[Math.min(sorted.length - 1, Math.floor(sorted.length * share))];
    const spread = { p50Ms: at(0.5), p99Ms: at(0.99) };
    return { times: [...sorted], calls: sorted.length, unsent: this.#late, ...spread };
  }
}
