import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { commandFault } from './find-command.ts';

let folder: string;
let env: { PATH: string };

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tidegate-command-'));
  mkdirSync(join(folder, 'bin', 'a-folder'), { recursive: true });
  writeFileSync(join(folder, 'bin', 'tool'), '#!/bin/sh\n', { mode: 0o755 });
  writeFileSync(join(folder, 'bin', 'text'), 'x', { mode: 0o644 });
  chmodSync(join(folder, 'bin', 'text'), 0o644);
  env = { PATH: `/nowhere::${join(folder, 'bin')}` };
});
afterEach(() => rmSync(folder, { recursive: true, force: true }));

describe('commandFault', () => {
  it('finds a program on PATH, by its path and relative to the folder it runs in', () => {
    expect(commandFault('tool', '/', env)).toBeUndefined();
    expect(commandFault(join(folder, 'bin', 'tool'), '/', env)).toBeUndefined();
    expect(commandFault('./bin/tool', folder, env)).toBeUndefined();
  });

  it.each([
    ['toool', 'is not on PATH'],
    ['a-folder', 'is not on PATH'],
    ['./tool', 'there is no file'],
    ['./bin/a-folder', '/bin/a-folder is a folder'],
    ['npx -y server', 'Leave its quotes out'],
  ])('says what is wrong with %j', (command, sentence) => {
    expect(commandFault(command, folder, env)).toContain(sentence);
  });

  it('does not say words in quotes again, which may hold a key', () => {
    expect(commandFault('npx server --api-key s3cret', folder, env)).not.toContain('s3cret');
  });

  it('says how to mend a file that is not executable', () => {
    expect(commandFault('text', folder, env)).toContain(`chmod +x ${join(folder, 'bin', 'text')}`);
  });
});
