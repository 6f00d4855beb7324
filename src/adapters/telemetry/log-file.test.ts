import { closeSync, mkdtempSync, openSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { LogFile } from './log-file.ts';

let folder = '';
let path = '';

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-log-'));
  path = join(folder, 'log');
  writeFileSync(path, '');
});

afterEach(() => rmSync(folder, { recursive: true }));

describe('LogFile', () => {
  it('writes every line in order, and what waits at once when it is flushed', async () => {
    const descriptor = openSync(path, 'a');
    const file = new LogFile(descriptor);
    const lines = Array.from({ length: 100 }, (_, index) => `line ${index} ä\n`);
    for (const line of lines) file.write(line);
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toBe(lines.join('')));
    file.write('first\n');
    file.write('last\n');
    file.flush();
    expect(readFileSync(path, 'utf8')).toContain('last\n');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toContain('first\n'));
    closeSync(descriptor);
  });

  it('is flushed at once where nothing can be written, as on a terminal that was closed', () => {
    const descriptor = openSync(path, 'r');
    const file = new LogFile(descriptor);
    file.write('first\n');
    file.write('last\n');
    file.flush();
    expect(readFileSync(path, 'utf8')).toBe('');
    closeSync(descriptor);
  });

  it('drops what waits beyond its bound, and goes on when there is room again', async () => {
    const descriptor = openSync(path, 'a');
    const file = new LogFile(descriptor);
    file.write('begins\n');
    const line = `${'x'.repeat(1023)}\n`;
    for (let index = 0; index < 2000; index += 1) file.write(line);
    const bound = 'begins\n'.length + 1024 * 1024;
    await vi.waitFor(() => expect(readFileSync(path)).toHaveLength(bound));
    file.write('goes on\n');
    await vi.waitFor(() => expect(readFileSync(path, 'utf8')).toMatch(/goes on\n$/));
    closeSync(descriptor);
  });
});
