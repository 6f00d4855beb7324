/** A load generator in a process of its own, on the load's core, driven over IPC. */
import { spawn } from 'node:child_process';
import { fileURLToPath } from 'node:url';
import { LOAD_CORE, pinned, yielding } from './pinning.mjs';

const COMMAND_MS_MAX = 25_000;
/** Its own collections of garbage would be part of every latency it measures. */
const FLAGS = ['--single-threaded-gc', '--min-semi-space-size=32', '--max-semi-space-size=32'];
const live = new Set();

export class LoadProcess {
  #child;
  #waiting = new Map();
  #lastId = 0;

  /** @param {'calls' | 'streams' | 'stalled'} name a file in `load/` */
  constructor(name) {
    const file = fileURLToPath(new URL(`../load/${name}.mjs`, import.meta.url));
    const [command, ...args] = pinned(LOAD_CORE, yielding([process.execPath, ...FLAGS, file]));
    this.#child = spawn(command, args, { stdio: ['ignore', 'inherit', 'inherit', 'ipc'] });
    this.#child.on('message', ({ id, result, error }) => {
      const waiting = this.#waiting.get(id);
      this.#waiting.delete(id);
      if (error === undefined) waiting?.resolve(result);
      else waiting?.reject(new Error(error));
    });
    live.add(this);
  }

  ask(command, input = {}, msMax = COMMAND_MS_MAX) {
    const id = (this.#lastId += 1);
    return new Promise((resolve, reject) => {
      const late = () => this.#waiting.delete(id) && reject(new Error(`no answer in ${msMax} ms`));
      const timer = setTimeout(late, msMax);
      const settled = (settle) => (value) => {
        clearTimeout(timer);
        settle(value);
      };
      this.#waiting.set(id, { resolve: settled(resolve), reject: settled(reject) });
      this.#child.send({ id, command, input });
    });
  }

  stop() {
    if (live.delete(this)) this.#child.kill('SIGKILL');
  }
}

export function stopLoads() {
  for (const load of live) load.stop();
}
