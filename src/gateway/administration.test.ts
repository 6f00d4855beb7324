import { expect, it } from 'vitest';
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
  administration.reloaded({ ...outcome, ...servers }, true);
  administration.reloaded({ kind: 'refused', reason: 'CANARY' }, false);
  const act = { event: 'administered', act: 'reload', by: 'config' };
  expect(entries).toEqual([
    { ...act, outcome: 'applied', added: ['a'], removed: ['b', 'c'], isPolicyNew: true },
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

it('needs no record', () => {
  new Administration(undefined, {}).denied('revoke', 'program', { subjects: ['ann'] });
});
