import { spawnSync } from 'node:child_process';
import type * as fs from 'node:fs';
import {
  appendFileSync,
  existsSync,
  mkdirSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  renameSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import { AuditBatch } from './audit-batch.ts';
import { type ChainHead, CHAIN_START } from './audit-line.ts';
import { isOwnStream } from './own-stream.ts';
import { RotatingFile } from './rotating-file.ts';
import { verifyAudit } from './verify-audit.ts';

const faults = vi.hoisted(() => ({
  opensToFail: 0,
  onWrite: undefined as (() => void) | undefined,
}));

vi.mock('node:fs', async (original) => {
  const real = await original<typeof fs>();
  const full = (): Error => Object.assign(new Error('no space'), { code: 'ENOSPC' });
  return {
    ...real,
    openSync: (...args: Parameters<typeof real.openSync>): number => {
      if (faults.opensToFail > 0) {
        faults.opensToFail -= 1;
        throw Object.assign(new Error('too many files'), { code: 'EMFILE' });
      }
      return real.openSync(...args);
    },
    /** Takes ten bytes and finds the disk full. */
    write: ((file: number, bytes: Uint8Array, ...rest: [number, number, null, never]) => {
      const [from, , position, done] = rest;
      const act = faults.onWrite;
      if (act === undefined) {
        real.write(file, bytes, ...rest);
      } else if (from === 0) {
        real.write(file, bytes, 0, 10, position, done);
      } else {
        act();
        faults.onWrite = undefined;
        (done as (error: Error) => void)(full());
      }
    }) as unknown as typeof real.write,
  };
});

function place(): string {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-record-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return join(folder, 'audit.jsonl');
}

function opened(path: string, bytesMax = 1_000_000, onReplaced = (): void => {}): RotatingFile {
  const file = new RotatingFile(path, bytesMax, { onReplaced });
  onTestFinished(() => file.close().catch(() => {}));
  return file;
}

/** Writes lines of a chain, each by itself. */
class Chain {
  #head: ChainHead;

  constructor(head: ChainHead = CHAIN_START) {
    this.#head = head;
  }

  async write(file: RotatingFile): Promise<NodeJS.ErrnoException | undefined> {
    const batch = new AuditBatch();
    const head = batch.append({ event: 'started' }, this.#head, 0);
    const failure = await new Promise<Error | undefined>((done) => file.write(batch.bytes, done));
    if (failure === undefined) this.#head = head;
    return failure;
  }
}

function filesOf(path: string): readonly string[] {
  return readdirSync(dirname(path))
    .filter((name) => !name.endsWith('.lock'))
    .toSorted();
}

async function expectWhole(files: readonly string[], lines: number): Promise<void> {
  expect(await verifyAudit(files)).toMatchObject({ lines, from: 1, torn: 0, faults: [] });
}

describe('a file of the record', () => {
  it.each(['moved away', 'removed'])('that was %s is begun anew, and that is told', async (how) => {
    const path = place();
    let told = 0;
    const file = opened(path, 1_000_000, () => (told += 1));
    const chain = new Chain();
    expect(await chain.write(file)).toBeUndefined();
    const moved = join(dirname(path), 'saved');
    renameSync(path, moved);
    if (how === 'removed') rmSync(moved);
    expect(await chain.write(file)).toBeUndefined();
    expect(await chain.write(file)).toBeUndefined();
    expect(told).toBe(1);
    expect(readFileSync(path, 'utf8').trimEnd().split('\n')).toHaveLength(2);
    if (how === 'moved away') await expectWhole([moved, path], 3);
  });

  it('is put aside although that failed in its middle before', async () => {
    const path = place();
    let told = 0;
    const file = opened(path, 1, () => (told += 1));
    const chain = new Chain();
    expect(await chain.write(file)).toBeUndefined();
    faults.opensToFail = 2;
    expect((await chain.write(file))?.code).toBe('EMFILE');
    expect((await chain.write(file))?.code).toBe('EMFILE');
    expect(existsSync(path)).toBe(false);
    expect(await chain.write(file)).toBeUndefined();
    expect(filesOf(path)).toEqual(['audit.jsonl', 'audit.jsonl.1']);
    expect(told).toBe(0);
    await expectWhole([`${path}.1`, path], 2);
  });

  it('that is missing or empty goes on where the newest one before ended', async () => {
    const path = place();
    const first = opened(path, 1);
    const chain = new Chain();
    for (let i = 0; i < 12; i += 1) await chain.write(first);
    await first.close();
    renameSync(path, `${path}.12`);
    const second = opened(path, 1);
    expect(second.head).toMatchObject({ sequence: 12 });
    await new Chain(second.head).write(second);
    const old = Array.from({ length: 12 }, (_, index) => `${path}.${index + 1}`);
    await expectWhole([...old, path], 13);
  });

  it('gets a number above all others, and none twice', async () => {
    const path = place();
    const file = opened(path, 1);
    const chain = new Chain();
    for (let i = 0; i < 4; i += 1) await chain.write(file);
    expect(filesOf(path)).toEqual(['audit.jsonl', ...[1, 2, 3].map((n) => `audit.jsonl.${n}`)]);
    rmSync(`${path}.1`);
    rmSync(`${path}.3`);
    await chain.write(file);
    writeFileSync(`${path}.9.gz`, '');
    writeFileSync(`${path}.7`, '');
    await chain.write(file);
    const names = ['audit.jsonl', 'audit.jsonl.2', 'audit.jsonl.4', 'audit.jsonl.7'];
    expect(filesOf(path)).toEqual([...names, 'audit.jsonl.8', 'audit.jsonl.9.gz']);
  });
});

describe('a file of the record that others write to', () => {
  it('is opened by one alone', async () => {
    const path = place();
    const first = opened(path);
    expect(() => opened(path)).toThrow(`process ${process.pid} keeps it`);
    await first.close();
    expect(filesOf(path)).toEqual(['audit.jsonl']);
    await opened(path).close();
  });

  it('is left as it is where it holds something else', () => {
    for (const text of ['servers: {}\n', '{"servers":{}}', '\n', '[{"sequence":1}]\n']) {
      const path = place();
      writeFileSync(path, text);
      expect(() => opened(path)).toThrow('it holds something else than a record');
      expect([readFileSync(path, 'utf8'), filesOf(path)]).toEqual([text, ['audit.jsonl']]);
    }
  });

  it('may have broken off anywhere in its first line', async () => {
    for (const text of ['', '{', '{"sequence":', '{"sequence":1,"time":"2026']) {
      const path = place();
      writeFileSync(path, text);
      const file = opened(path);
      expect([file.head.sequence, file.isTorn]).toEqual([0, text !== '']);
      await file.close();
    }
  });

  it('is kept by nobody when it could not be opened to the end', () => {
    const path = place();
    mkdirSync(`${path}.3`);
    expect(() => opened(path)).toThrow('EISDIR');
    rmSync(`${path}.3`, { recursive: true });
    expect(opened(path).head).toEqual(CHAIN_START);
  });

  it('is taken over from a process that was killed', async () => {
    const path = place();
    const { pid } = spawnSync(process.execPath, ['-e', '']);
    symlinkSync(`${pid} some-boot:1`, `${path}.lock`);
    await opened(path).close();
    writeFileSync(`${path}.lock`, '');
    await opened(path).close();
    expect(readdirSync(dirname(path))).toEqual(['audit.jsonl']);
  });

  it.runIf(process.platform === 'linux')(
    'is taken over from a process whose pid we have now, as in a container',
    async () => {
      const path = place();
      symlinkSync(`${process.pid} some-boot:1`, `${path}.lock`);
      await opened(path).close();
    },
  );

  it('is left as it is, and the write fails', async () => {
    const path = place();
    const file = opened(path);
    const chain = new Chain();
    await chain.write(file);
    appendFileSync(path, 'of another\n');
    const before = readFileSync(path, 'utf8');
    expect((await chain.write(file))?.code).toBe('CHANGED_BY_ANOTHER');
    expect(readFileSync(path, 'utf8')).toBe(before);
  });

  it('loses nothing of theirs when a write of ours fails', async () => {
    const path = place();
    const file = opened(path);
    const chain = new Chain();
    await chain.write(file);
    faults.onWrite = () => appendFileSync(path, 'of another\n');
    expect((await chain.write(file))?.code).toBe('ENOSPC');
    expect(readFileSync(path, 'utf8')).toContain('of another\n');
  });

  it('loses what was written in part of ours when a write fails', async () => {
    const path = place();
    const file = opened(path);
    const chain = new Chain();
    await chain.write(file);
    faults.onWrite = () => {};
    expect((await chain.write(file))?.code).toBe('ENOSPC');
    expect(await chain.write(file)).toBeUndefined();
    await expectWhole([path], 2);
  });
});

describe('a stream of the process', () => {
  it.each(['/dev/stdout', '/dev/stderr', '/dev/fd/1', '/proc/self/fd/2', '/proc/1/fd/1'])(
    'is no file for a record, and nothing is put beside it: %s',
    (path) => {
      expect(() => new RotatingFile(path, 1000)).toThrow('give none for standard output');
    },
  );

  it('is no other path', () => {
    for (const path of ['/dev/null', '/dev/fd/x', '/srv/dev/stdout', '/proc/self/fd/1/a']) {
      expect(isOwnStream(path)).toBe(false);
    }
  });
});
