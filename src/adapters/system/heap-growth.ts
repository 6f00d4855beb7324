/**
 * How seldom V8 collects the old generation of this process.
 *
 * Left alone, it keeps a heap that is seldom written to small: a gateway of 20 MB that is sent a
 * few large bodies collected everything once a second, and on one core each time cost every client
 * 15 to 25 ms, since the collector's threads and the one that answers share it. Now it collects
 * when the heap is four times what was alive the last time, which is what V8 allows a busy process
 * anyway. The bound of the whole heap (`--max-old-space-size`) is not touched.
 */
import { setEngineFlag } from './engine-flag.ts';

const PERCENT = 300;

/** Once, when a process begins to serve. An operator's own flag is left as it is. */
export function setHeapGrowth(): void {
  setEngineFlag(`--heap-growing-percent=${PERCENT}`);
}
