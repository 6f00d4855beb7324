import { mkdtempSync, readdirSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join, relative } from 'node:path';
import { describe, expect, it, onTestFinished } from 'vitest';
import { parse } from 'yaml';
import { apiKeyId, isApiKey } from '../adapters/identity/api-key.ts';
import { readKeyFile } from '../adapters/identity/key-file.ts';
import { lockKeyFile } from '../adapters/identity/key-file-lock.ts';
import { auditCommand } from './audit-command.ts';
import { readAuditLine } from './audit-line.ts';
import { type KeysOutcome, keysCommand } from './keys-command.ts';
import { type KeysLine, readKeysLine } from './keys-line.ts';

const NOW = Date.parse('2026-01-01T00:00:00.000Z');

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-keys-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function read(...words: readonly string[]): KeysLine {
  return readKeysLine(words);
}

function run(...words: readonly string[]): KeysOutcome {
  const line = read(...words);
  if (line.kind !== 'keys') throw new Error(JSON.stringify(line));
  return keysCommand(line.options, NOW);
}

describe('tidegate keys', () => {
  it('prints a new key once, and keeps only its hash', () => {
    const file = join(folder(), 'keys.json');
    const { output, text } = run('add', 'ci', '--tenant', 'acme', '--scope', 'a', '--file', file);
    const key = output.trim();
    const kept = readKeyFile(file);
    expect(kept).toMatchObject({
      kind: 'keys',
      keys: [{ id: apiKeyId(key), tenant: 'acme', subject: 'ci', scopes: ['a'] }],
    });
    expect(kept.kind === 'keys' && kept.keys.every((each) => isApiKey(key, each))).toBe(true);
    expect(readFileSync(file, 'utf8')).not.toContain(key.slice(13));
    expect(text).toContain('until it is revoked');
  });

  it('says where the file is, and how the config beside it names it', () => {
    const place = folder();
    const { text } = run('add', 'ci', '--file', relative(process.cwd(), join(place, 'keys.json')));
    expect(text).toContain(`${join(place, 'keys.json')} keeps only a hash.\n`);
    expect(text).toContain('auth: { keys: ./keys.json }\n');
    const odd = run('add', 'ci', '--file', join(place, 'our "keys": a.json')).text;
    const named = parse(/auth: .*/.exec(odd)?.[0] ?? '') as unknown;
    expect(named).toEqual({ auth: { keys: './our "keys": a.json' } });
  });

  it('lists keys with their ends, and revokes one by its id', () => {
    const file = join(folder(), 'keys.json');
    const id = apiKeyId(run('add', 'ci', '--expires', '90d', '--file', file).output.trim()) ?? '';
    expect(run('list', '--file', file).output).toContain(`${id}\tdefault\tci\t-\t2026-04-01T`);
    expect(run('revoke', id, '--file', file).exitCode).toBe(0);
    expect(run('list', '--file', file).text).toContain('has no keys');
    const again = run('revoke', id, '--file', file);
    expect(again).toMatchObject({ exitCode: 1 });
    expect(again.text).toContain(`; tidegate keys list --file ${file} shows them.\n`);
  });

  it('does not say again what was given for an id: it may be a whole key', () => {
    const file = join(folder(), 'keys.json');
    const key = run('add', 'ci', '--file', file).output.trim();
    const { text, exitCode } = run('revoke', key, '--file', file);
    expect(exitCode).toBe(1);
    expect(text).toContain('the eight characters after tgk_');
    expect(text).not.toContain(key.slice(13));
  });

  it('prints JSON for programs, without hashes', () => {
    const file = join(folder(), 'keys.json');
    const made = JSON.parse(run('add', 'ci', '--json', '--file', file).output) as { id: string };
    const [listed] = JSON.parse(run('list', '--json', '--file', file).output) as [object];
    expect(listed).toMatchObject({ id: made.id, subject: 'ci' });
    expect(listed).not.toHaveProperty('digest');
  });

  it('says what is wrong with its words', () => {
    expect(read('add')).toMatchObject({ kind: 'wrong' });
    expect(read('add', 'ci', '--expires', 'soon')).toMatchObject({
      kind: 'wrong',
      reason: expect.stringContaining('90d, 12h or 30m') as string,
    });
    const reason = 'say add, list or revoke. See tidegate keys --help.';
    expect(read('remove')).toEqual({ kind: 'wrong', reason });
    expect(read('remove', 'Zk3_0aXb', '--file', 'k.json')).toEqual({ kind: 'wrong', reason });
    expect(read()).toMatchObject({ kind: 'shown' });
    expect(read('remove', '--help')).toMatchObject({ kind: 'shown' });
    expect(read('revoke', '--help')).toMatchObject({ kind: 'shown' });
  });

  it('shows no default of options that have none', () => {
    const help = read('add', '--help');
    expect(help.kind === 'shown' && help.text).toContain('a scope it carries (repeatable)\n');
  });

  it('changes nothing while somebody else does, and says so', () => {
    const file = join(folder(), 'keys.json');
    const id = apiKeyId(run('add', 'ci', '--file', file).output.trim()) ?? '';
    const before = readFileSync(file, 'utf8');
    const unlock = lockKeyFile(file, 0);
    for (const words of [
      ['add', 'other'],
      ['revoke', id],
    ]) {
      const line = read(...words, '--file', file);
      const outcome = line.kind === 'keys' ? keysCommand(line.options, NOW, 0) : undefined;
      expect(outcome).toMatchObject({ exitCode: 1, output: '' });
      expect(outcome?.text).toContain('Somebody else is changing');
    }
    expect(readFileSync(file, 'utf8')).toBe(before);
    expect(run('list', '--file', file).output).toContain(id);
    unlock?.();
    expect(run('revoke', id, '--file', file).exitCode).toBe(0);
    expect(readdirSync(join(file, '..'))).toEqual(['keys.json']);
  });

  it('says that a file cannot be written', () => {
    const place = join(folder(), 'absent');
    expect(run('add', 'ci', '--file', join(place, 'keys.json'))).toEqual({
      exitCode: 1,
      output: '',
      text: `tidegate: there is no folder ${place} for keys.json.\n`,
    });
    const long = join(folder(), 'k'.repeat(300));
    expect(run('add', 'ci', '--file', long).text).toContain('cannot be written (ENAMETOOLONG)');
  });

  it('takes a file that is not there for a mistake, unless a key is added to it', () => {
    const file = join(folder(), 'kyes.json');
    for (const words of [['list'], ['list', '--json'], ['revoke', 'Zk3_0aXb']]) {
      const outcome = run(...words, '--file', file);
      expect(outcome).toMatchObject({ exitCode: 1, output: '' });
      expect(outcome.text).toContain(`there is no file ${file}`);
    }
  });
});

describe('tidegate audit', () => {
  it('takes the files of a record in their order', () => {
    expect(readAuditLine(['verify', 'a.1', 'a', '--json'])).toEqual({
      kind: 'audit',
      options: { files: ['a.1', 'a'], isJson: true },
    });
    expect(readAuditLine(['verify'])).toMatchObject({ kind: 'wrong' });
    expect(readAuditLine(['erase', 'a'])).toMatchObject({ kind: 'wrong' });
  });

  it('names the file that is none of a record', async () => {
    const place = folder();
    const absent = join(place, 'absent');
    const other = join(place, 'other');
    writeFileSync(other, '');
    for (const [files, reason] of [
      [[other, absent], `the file ${absent} does not exist.`],
      [[place], `${place} is a folder. Name the files of the record.`],
      [
        [join(place, 'k'.repeat(300))],
        `${join(place, 'k'.repeat(300))} cannot be read (ENAMETOOLONG).`,
      ],
      [[other], `no line of a record is in ${other}.`],
    ] as const) {
      const outcome = await auditCommand({ files, isJson: false });
      expect(outcome).toEqual({ exitCode: 1, output: '', text: `tidegate: ${reason}\n` });
    }
  });
});
