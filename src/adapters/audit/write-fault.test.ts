import { chmodSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { type Disk, writeFault } from './write-fault.ts';

const ROOMY = { blocks: 100, bavail: 10 };

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-audit-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

/** @param closed - what may not be used. */
function disk(closed: string | undefined, room: ReturnType<Disk['room']> = ROOMY): Disk {
  return {
    access(path) {
      if (path === closed) throw new Error('EACCES');
    },
    room: () => room,
  };
}

const isRoot = process.getuid?.() === 0;
const skipped = isRoot ? ' (skipped: nothing is closed to root)' : '';

describe('a file for the record', () => {
  it('is told to be writable where it is, whether it is there or not', () => {
    const file = join(folder(), 'audit.jsonl');
    expect(writeFault(file)).toBeUndefined();
    writeFileSync(file, '');
    expect(writeFault(file)).toBeUndefined();
  });

  it('is not writable in a folder that is not, whose link and next files have no place', () => {
    const path = folder();
    const file = join(path, 'audit.jsonl');
    expect(writeFault(file, disk(path))).toBe('folder');
    writeFileSync(file, '');
    expect(writeFault(file, disk(path))).toBe('folder');
    expect(writeFault(file, disk(file))).toBe('file');
  });

  it('is not writable where it cannot even be looked at', () => {
    const file = join(folder(), 'audit.jsonl');
    symlinkSync(file, file);
    expect(writeFault(file)).toBe('file');
  });

  it('is not writable on a disk that is full, and is where nobody counts', () => {
    const file = join(folder(), 'audit.jsonl');
    expect(writeFault(file, disk(undefined, { blocks: 100, bavail: 0 }))).toBe('full');
    expect(writeFault(file, disk(undefined, { blocks: 0, bavail: 0 }))).toBeUndefined();
  });

  it.runIf(!isRoot)(`is not writable where the system says so${skipped}`, () => {
    const path = folder();
    chmodSync(path, 0o500);
    expect(writeFault(join(path, 'audit.jsonl'))).toBe('folder');
    chmodSync(path, 0o700);
  });
});
