import { spawnSync } from 'node:child_process';
import type * as fs from 'node:fs';
import {
  existsSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  statSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { performance } from 'node:perf_hooks';
import { afterEach, beforeEach, describe, expect, it, onTestFinished, vi } from 'vitest';
import { FileLock } from './file-lock.ts';

/** What the system does in place of what it does here. */
interface Faults {
  /** Why there are no links. */
  noLinks?: string;
  /** What a file below `/proc` says; undefined that it is not there. */
  told?: (path: string) => string | undefined;
  beforeRename?: (from: string) => void;
}

const faults = vi.hoisted((): Faults => ({}));
const counted = vi.hoisted(() => ({ links: 0 }));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const fault = (code: string): Error => Object.assign(new Error(code), { code });
  return {
    ...real,
    symlinkSync: (text: string, path: string): void => {
      counted.links += 1;
      if (faults.noLinks !== undefined) throw fault(faults.noLinks);
      real.symlinkSync(text, path);
    },
    readFileSync: (path: string, encoding: 'utf8'): string => {
      if (faults.told === undefined || !path.startsWith('/proc/')) {
        return real.readFileSync(path, encoding);
      }
      const text = faults.told(path);
      if (text === undefined) throw fault('ENOENT');
      return text;
    },
    renameSync: (from: string, to: string): void => {
      const act = faults.beforeRename;
      delete faults.beforeRename;
      act?.(from);
      real.renameSync(from, to);
    },
  };
});

beforeEach(() => {
  const real = process.kill.bind(process);
  vi.spyOn(process, 'kill').mockImplementation((pid, signal) => {
    if (signal !== 0) throw new Error('A process is asked about, and never sent a signal.');
    return real(pid, signal);
  });
});

afterEach(() => {
  for (const name of Object.keys(faults) as (keyof Faults)[]) delete faults[name];
  vi.restoreAllMocks();
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-lock-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'kept.lock');
}

/** The pid of a process that is no more. */
function goneProcess(): number {
  return spawnSync(process.execPath, ['--version']).pid;
}

/** As the system tells it of a process that began after so many ticks. */
function statOf(name: string, ticks: number): string {
  const before = Array.from({ length: 18 }, (_, i) => i + 1);
  return `7 (${name}) S ${before.join(' ')} ${ticks} 4711 0\n`;
}

function tellsOf(pid: number, stat: string, bootId = 'boot-1\n'): NonNullable<Faults['told']> {
  return (path) => {
    if (path === `/proc/${pid}/stat`) return stat;
    return path === '/proc/sys/kernel/random/boot_id' ? bootId : undefined;
  };
}

describe('a lock', () => {
  it('is a link that leads nowhere and names its process and when that began', () => {
    const path = place();
    faults.told = tellsOf(process.pid, statOf('node (x) S 5', 1234));
    const lock = new FileLock(path);
    expect(readlinkSync(path)).toBe(`${process.pid} boot-1:1234`);
    lock.release();
    expect(readdirSync(dirname(path))).toEqual([]);
  });

  it('is held by one at a time, and whoever comes second learns by whom', () => {
    const path = place();
    const lock = new FileLock(path);
    onTestFinished(() => lock.release());
    const before = readlinkSync(path);
    expect(() => new FileLock(path)).toThrow(`process ${process.pid} keeps it, says ${path}`);
    expect(readlinkSync(path)).toBe(before);
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  it('is a file of its user where there are no links, and no less held', () => {
    const path = place();
    faults.noLinks = 'EPERM';
    const lock = new FileLock(path);
    expect(readFileSync(path, 'utf8')).toMatch(new RegExp(`^${process.pid} `));
    expect(statSync(path).mode & 0o777).toBe(0o600);
    expect(() => new FileLock(path)).toThrow(`process ${process.pid} keeps it`);
    lock.release();
    expect(existsSync(path)).toBe(false);
  });

  it('where nothing can be made is none, and says why at once', () => {
    counted.links = 0;
    expect(() => new FileLock(join(place(), 'missing', 'kept.lock'))).toThrow('ENOENT');
    expect(counted.links).toBe(1);
  });

  it('that another took over is left to it', () => {
    const path = place();
    const lock = new FileLock(path);
    rmSync(path);
    symlinkSync('1 other', path);
    lock.release();
    expect(readlinkSync(path)).toBe('1 other');
    rmSync(path);
    lock.release();
    expect(existsSync(path)).toBe(false);
  });
});

describe('what a process left behind', () => {
  it.each([
    ['of a process that is gone', () => `${goneProcess()} boot-1:1`],
    ['of a process before this one with its pid', () => `${process.pid} boot-1:1`],
    ['that names no process', () => 'nobody'],
    ['that names all processes', () => '0 boot-1:1'],
  ])('is taken over: %s', (_, textOf) => {
    const path = place();
    symlinkSync(textOf(), path);
    const lock = new FileLock(path);
    expect(readlinkSync(path)).toMatch(new RegExp(`^${process.pid} .`));
    expect(readdirSync(dirname(path))).toHaveLength(1);
    lock.release();
  });

  it('as a file is taken over as well', () => {
    const path = place();
    writeFileSync(path, `${goneProcess()} `);
    new FileLock(path).release();
    expect(existsSync(path)).toBe(false);
  });

  it('in another run of the machine is taken over, whatever began at the same tick', () => {
    const path = place();
    faults.told = tellsOf(process.pid, statOf('node', 1234), 'boot-2\n');
    symlinkSync(`${process.pid} boot-1:1234`, path);
    new FileLock(path).release();
    expect(existsSync(path)).toBe(false);
  });
});

describe('a process that lives', () => {
  it('keeps what it has where it may not be asked', () => {
    const path = place();
    vi.spyOn(process, 'kill').mockImplementation(() => {
      throw Object.assign(new Error('EPERM'), { code: 'EPERM' });
    });
    // In a container the first process is ours, too.
    for (const pid of [4711, 1]) {
      faults.told = tellsOf(pid, statOf('other', 9));
      symlinkSync(`${pid} boot-1:9`, path);
      expect(() => new FileLock(path)).toThrow(`process ${pid} keeps it`);
      rmSync(path);
    }
  });

  it('keeps what it has where the system does not say when processes began', () => {
    const path = place();
    faults.told = () => undefined;
    symlinkSync(`${process.ppid} boot-1:9`, path);
    expect(() => new FileLock(path)).toThrow(`process ${process.ppid} keeps it`);
  });

  it('knows itself there by its own clock', () => {
    const path = place();
    faults.told = () => undefined;
    const lock = new FileLock(path);
    expect(readlinkSync(path)).toBe(`${process.pid} ${performance.timeOrigin}`);
    expect(() => new FileLock(path)).toThrow(`process ${process.pid} keeps it`);
    lock.release();
    symlinkSync(`${process.pid} 0`, path);
    new FileLock(path).release();
    expect(existsSync(path)).toBe(false);
  });
});

describe('of two that find what was left behind at once', () => {
  it('one keeps what the other does not take away', () => {
    const path = place();
    symlinkSync('nobody', path);
    faults.told = tellsOf(process.ppid, statOf('other', 9));
    const others = `${process.ppid} boot-1:9`;
    faults.beforeRename = () => {
      rmSync(path);
      symlinkSync(others, path);
    };
    expect(() => new FileLock(path)).toThrow(`process ${process.ppid} keeps it`);
    expect(readlinkSync(path)).toBe(others);
    expect(readdirSync(dirname(path))).toHaveLength(1);
  });

  it('one goes on where the other took it away and is gone', () => {
    const path = place();
    symlinkSync('nobody', path);
    faults.beforeRename = () => rmSync(path);
    new FileLock(path).release();
    expect(existsSync(path)).toBe(false);
  });

  it('none tries for ever', () => {
    const path = place();
    symlinkSync('nobody', path);
    const again = (): void => {
      faults.beforeRename = () => {
        again();
        throw Object.assign(new Error('gone'), { code: 'ENOENT' });
      };
    };
    again();
    counted.links = 0;
    expect(() => new FileLock(path)).toThrow('EEXIST');
    expect(counted.links).toBe(3);
    expect(readlinkSync(path)).toBe('nobody');
  });

  it('whoever may not move it says so', () => {
    const path = place();
    symlinkSync('nobody', path);
    faults.beforeRename = () => {
      throw Object.assign(new Error('no'), { code: 'EACCES' });
    };
    expect(() => new FileLock(path)).toThrow('no');
  });
});
