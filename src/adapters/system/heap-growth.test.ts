import { execFileSync } from 'node:child_process';
import { afterEach, describe, expect, it, vi } from 'vitest';
import { setHeapGrowth } from './heap-growth.ts';

const setFlagsFromString = vi.hoisted(() => vi.fn());
vi.mock('node:v8', () => ({ setFlagsFromString }));

const { execArgv } = process;
afterEach(() => {
  process.execArgv = execArgv;
  setFlagsFromString.mockClear();
});

/**
 * Keeps the newest 20 MB alive and lets go of the rest, 240 MB in all, and tells how often
 * everything was collected.
 */
const CHURN = `
import { PerformanceObserver, constants } from 'node:perf_hooks';
import { setFlagsFromString } from 'node:v8';
const alive = Array.from({ length: 20 }, () => new Array(131072).fill(0.5));
setFlagsFromString(process.env.FLAG);
let major = 0;
new PerformanceObserver((list) => {
  for (const entry of list.getEntries()) {
    if (entry.detail.kind === constants.NODE_PERFORMANCE_GC_MAJOR) major += 1;
  }
}).observe({ entryTypes: ['gc'] });
for (let i = 0; i < 240; i += 1) {
  alive[i % 20] = new Array(131072).fill(i + 0.5);
  await new Promise((resolve) => setTimeout(resolve, 2));
}
await new Promise((resolve) => setTimeout(resolve, 50));
console.log(JSON.stringify({ major, alive: alive.length }));
`;

function collectionsAt(percent: number): number {
  const output = execFileSync(process.execPath, ['--input-type=module', '-e', CHURN], {
    encoding: 'utf8',
    env: { ...process.env, FLAG: `--heap-growing-percent=${percent}` },
  });
  return (JSON.parse(output) as { major: number }).major;
}

describe('setHeapGrowth', () => {
  it('lets the heap grow to four times what was alive', () => {
    setHeapGrowth();
    expect(setFlagsFromString.mock.calls).toEqual([['--heap-growing-percent=300']]);
  });

  it('leaves an operator the last word', () => {
    for (const own of ['--heap-growing-percent=50', '--heap_growing_percent=50']) {
      process.execArgv = [own];
      setHeapGrowth();
      expect(setFlagsFromString).not.toHaveBeenCalled();
    }
  });

  it('uses a flag that V8 obeys while it runs', () => {
    const [roomy, tight] = [collectionsAt(300), collectionsAt(20)];
    expect(roomy).toBeGreaterThan(0);
    expect(roomy).toBeLessThan(tight / 2);
  });
});
