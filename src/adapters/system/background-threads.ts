/**
 * V8's own threads, where they have no other core than the one that answers.
 *
 * V8 marks the heap and compiles in four threads beside ours. With one core for all of them, each
 * takes it for 4 ms, as long as the kernel lets it, while every client waits: a trace of one
 * collection shows the four in turn, and calls of 20 ms. At a lower priority they have what we
 * leave, and at least a tenth of ours each, so that a busy process is collected as well. And a
 * scavenge is done by the thread that waits for it: others only make it wait for its turn.
 */
import { readFileSync, readdirSync } from 'node:fs';
import { availableParallelism, getPriority, setPriority } from 'node:os';
import { setEngineFlag } from './engine-flag.ts';

/** Added to our own niceness: a tenth of our share of the core (`man 7 sched`). */
const NICER = 10;
const NICENESS_MAX = 19;
const TASKS = '/proc/self/task';
/** How many threads Node starts for V8, unless it is told by `--v8-pool-size`. */
const THREADS = 4;

/**
 * Once, when a process begins to serve. Does nothing where there are more cores; away from Linux,
 * threads have no priority of their own. An operator's own flags are left as they are.
 *
 * @param cores - how many this process may use. Default: what the system says.
 */
export function lowerBackgroundThreads(cores: number = availableParallelism()): void {
  if (cores > 1) return;
  setEngineFlag('--no-parallel-scavenge');
  if (process.platform !== 'linux') return;
  try {
    const niceness = Math.min(getPriority() + NICER, NICENESS_MAX);
    for (const thread of threadsOfV8()) setPriority(thread, niceness);
  } catch {
    // A sandbox may hide threads or forbid it: then they share the core as they did before.
  }
}

/** Later versions of Node name them; earlier ones start them after ours and the one for delays. */
function threadsOfV8(): number[] {
  // In the order in which they were started, which is how the kernel lists them.
  const threads = readdirSync(TASKS).map(Number);
  const named = threads.filter((thread) => nameOf(thread).includes('V8Worker'));
  if (named.length > 0) return named;
  const { execArgv, env } = process;
  const isSized = [...execArgv, env['NODE_OPTIONS'] ?? ''].join(' ').includes('v8-pool-size');
  return isSized ? [] : threads.slice(2, 2 + THREADS);
}

function nameOf(thread: number): string {
  return readFileSync(`${TASKS}/${thread}/comm`, 'utf8');
}
