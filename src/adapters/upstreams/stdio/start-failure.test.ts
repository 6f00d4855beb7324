import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { startFailure } from './start-failure.ts';

const DENIED = Object.assign(new Error('spawn node EACCES'), { code: 'EACCES' });

it('tells a command that may not be run from a folder that may not be entered', () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-start-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  // Nobody may enter what has no such bit, root included.
  const closed = join(folder, 'closed');
  writeFileSync(closed, '', { mode: 0o644 });
  expect(startFailure(DENIED, 'node', closed)).toBe(
    `EACCES: the working directory ${closed} may not be entered by this user`,
  );
  for (const cwd of [folder, undefined]) {
    expect(startFailure(DENIED, 'node', cwd)).toBe('EACCES: not allowed to execute node');
  }
});
