import { execFileSync } from 'node:child_process';
import { getPriority } from 'node:os';
import { join } from 'node:path';
import { pathToFileURL } from 'node:url';
import { beforeAll, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../../../scripts/bootstrap.mjs';

const BUILT = pathToFileURL(join(import.meta.dirname, '../../../dist/adapters/system/')).href;

/** Niceness of each thread of a process that called it, in the order they were started. */
function nicenessOf(cores: number, options: readonly string[] = [], before = ''): number[] {
  const code = `
    import { readdirSync, readFileSync } from 'node:fs';
    import { syncBuiltinESMExports } from 'node:module';
    import os from 'node:os';
    ${before}
    const { lowerBackgroundThreads } = await import('${BUILT}background-threads.js');
    lowerBackgroundThreads(${cores});
    const nicenessOf = (task) =>
      Number(readFileSync('/proc/self/task/' + task + '/stat', 'utf8').split(') ').at(-1).split(' ')[16]);
    console.log(JSON.stringify(readdirSync('/proc/self/task').map(nicenessOf)));
  `;
  const line = [...options, '--input-type=module', '-e', code];
  return JSON.parse(execFileSync(process.execPath, line, { encoding: 'utf8' })) as number[];
}

function countOf(all: readonly number[], niceness: number): number {
  return all.filter((each) => each === niceness).length;
}

describe.skipIf(process.platform !== 'linux')('lowerBackgroundThreads, on Linux', () => {
  beforeAll(ensureBuilt, 120_000);
  const own = getPriority();
  const lowered = Math.min(own + 10, 19);

  it('gives the four threads of V8 a lower priority, and no other thread', () => {
    const all = nicenessOf(1);
    expect(all.slice(2, 6)).toEqual(Array.from({ length: 4 }, () => lowered));
    expect(countOf(all, own)).toBe(all.length - 4);
  });

  it('leaves them alone where there are more cores', () => {
    const all = nicenessOf(2);
    expect(countOf(all, own)).toBe(all.length);
  });

  it('takes no other thread for one of them when an operator chose how many there are', () => {
    const all = nicenessOf(1, ['--v8-pool-size=1']);
    expect(countOf(all, lowered)).toBeLessThanOrEqual(1);
    expect(all[0]).toBe(own);
  });

  it('goes on where a sandbox forbids it', () => {
    const forbid = `
      os.setPriority = () => { throw new Error('not permitted'); };
      syncBuiltinESMExports();
    `;
    const all = nicenessOf(1, [], forbid);
    expect(countOf(all, own)).toBe(all.length);
  });
});
