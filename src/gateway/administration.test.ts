import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect, it, onTestFinished } from 'vitest';
import { AuditJournal } from '../adapters/audit/audit-journal.ts';
import { LINE_BYTES_MAX } from '../adapters/audit/audit-line.ts';
import { RotatingFile } from '../adapters/audit/rotating-file.ts';
import { verifyAudit } from '../adapters/audit/verify-audit.ts';
import { silent } from '../adapters/telemetry/silent.ts';
import type { AuditTrail } from '../core/access.ts';
import type { Denied } from '../adapters/identity/denials.ts';
import { Administration } from './administration.ts';

function recorded(denied: Denied = {}): {
  readonly administration: Administration;
  readonly entries: unknown[];
} {
  const entries: unknown[] = [];
  const audit: AuditTrail = { fault: () => undefined, record: (entry) => entries.push(entry) };
  return { administration: new Administration(audit, denied), entries };
}

it('tells of a reload which servers it was about, and of one that was refused that it was', () => {
  const { administration, entries } = recorded();
  const outcome = { kind: 'applied', kept: 7, needsRestart: [] } as const;
  const servers = { added: ['a'], changed: [], removed: ['b', 'c'] };
  const news = { isPolicyNew: true, isAuthNew: false };
  administration.reloaded({ ...outcome, ...servers }, news);
  administration.reloaded({ kind: 'refused', reason: 'CANARY' }, news);
  const act = { event: 'administered', act: 'reload', by: 'config' };
  expect(entries).toEqual([
    { ...act, outcome: 'applied', added: ['a'], removed: ['b', 'c'], ...news },
    { ...act, outcome: 'refused' },
  ]);
});

it('tells of a config only whom it denies that the one before did not, and the other way round', () => {
  const { administration, entries } = recorded({ subjects: ['ann', 'bob'] });
  administration.configDenies({ subjects: ['ann', 'bob'] });
  expect(entries).toEqual([]);
  administration.configDenies({ subjects: ['bob', 'gil'], tenants: ['acme'] });
  expect(entries).toEqual([
    { event: 'administered', act: 'revoke', by: 'config', subjects: ['gil'], tenants: ['acme'] },
    { event: 'administered', act: 'reinstate', by: 'config', subjects: ['ann'] },
  ]);
  entries.length = 0;
  administration.configDenies({ subjects: ['bob'], tenants: ['acme'], credentials: ['key:1'] });
  expect(entries).toEqual([
    { event: 'administered', act: 'revoke', by: 'config', credentials: ['key:1'] },
    { event: 'administered', act: 'reinstate', by: 'config', subjects: ['gil'] },
  ]);
});

it('tells what a program and the file of keys did, unless it is nothing', () => {
  const { administration, entries } = recorded();
  administration.denied('revoke', 'program', { credentials: [], subjects: [] });
  administration.denied('reinstate', 'program', { subjects: ['ann'] });
  administration.keysAdded(['key:1']);
  expect(entries).toEqual([
    { event: 'administered', act: 'reinstate', by: 'program', subjects: ['ann'] },
    { event: 'administered', act: 'add', by: 'keys', credentials: ['key:1'] },
  ]);
});

it('names so many, and says how many more there are', () => {
  const { administration, entries } = recorded();
  const subjects = Array.from({ length: 250 }, (_, i) => `s${i}`);
  administration.denied('revoke', 'program', { subjects, tenants: ['acme'] });
  const named = subjects.slice(0, 100);
  expect(entries).toEqual([
    {
      event: 'administered',
      act: 'revoke',
      by: 'program',
      subjects: named,
      tenants: ['acme'],
      more: 150,
    },
  ]);
});

/** A journal on a file that has no other, as a start finds it. */
function journalOn(path: string): AuditJournal {
  const sink = new RotatingFile(path, 100_000_000);
  return new AuditJournal({ sink, head: sink.head, isTorn: sink.isTorn, telemetry: silent });
}

it('leaves room for what comes after it, however long names are and however they are escaped', async () => {
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-administration-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  const path = join(folder, 'audit.jsonl');
  const long = (kind: string): readonly string[] => [
    `${kind}-${'x'.repeat(100_000)}`,
    ...Array.from({ length: 250 }, (_, i) => `${kind}-${i}${'\u0001'.repeat(9000 - 30 * i)}`),
    `${kind}-last`,
  ];
  const denied = { credentials: long('c'), subjects: long('s'), tenants: long('t') };
  const first = journalOn(path);
  new Administration(first, {}).denied('revoke', 'program', denied);
  await first.close();
  const [, line = ''] = readFileSync(path, 'utf8').split('\n');
  expect(Buffer.byteLength(line)).toBeLessThan(LINE_BYTES_MAX);
  const said = JSON.parse(line) as Record<'credentials' | 'subjects' | 'tenants', string[]> & {
    more: number;
  };
  const told = [...said.credentials, ...said.subjects, ...said.tenants];
  expect(said.tenants.length).toBeGreaterThan(0);
  expect(told.length + said.more).toBe(3 * 252);
  // The next start finds where the chain stood, and whoever verifies it reads every line.
  await journalOn(path).close();
  expect(await verifyAudit([path])).toMatchObject({ lines: 5, from: 1, faults: [] });
});

it('needs no record', () => {
  new Administration(undefined, {}).denied('revoke', 'program', { subjects: ['ann'] });
});
