import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AuditEntry } from '../../core/access.ts';
import { principalOf } from '../../core/principal.ts';
import { AuditJournal } from './audit-journal.ts';
import type { LineSink } from './line-sink.ts';

const ANN = principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: 'c' });
const SILENT = { log() {}, count() {}, request() {}, streamClosed() {} };

interface Line {
  readonly event: string;
  readonly count?: number;
}

/** Keeps what it is given. */
class Kept implements LineSink {
  readonly lines: string[] = [];

  write(bytes: Uint8Array, done: (failure: Error | undefined) => void): void {
    this.lines.push(...Buffer.from(bytes).toString().trimEnd().split('\n'));
    done(undefined);
  }

  async close(): Promise<void> {}

  get refused(): readonly Line[] {
    const all = this.lines.map((line) => JSON.parse(line) as Line);
    return all.filter(({ event }) => event === 'refused');
  }
}

describe('requests that are refused at the door', () => {
  function refused(more: Partial<AuditEntry> = {}): AuditEntry {
    const address = '192.0.2.1';
    return { event: 'refused', address, server: 'files', refusal: 'RATE_LIMITED', ...more };
  }

  async function toldOf(entries: Iterable<AuditEntry>): Promise<readonly Line[]> {
    const sink = new Kept();
    const trail = new AuditJournal({ sink, telemetry: SILENT });
    for (const entry of entries) trail.record(entry);
    await trail.close();
    return sink.refused;
  }

  it('are one line a second for each account, with their number', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const sink = new Kept();
    const trail = new AuditJournal({ sink, telemetry: SILENT });
    const counts = (): readonly unknown[] => sink.refused.map(({ count }) => count);
    for (let i = 0; i < 1000; i += 1) trail.record(refused({ principal: ANN }));
    for (let i = 0; i < 7; i += 1) trail.record(refused());
    expect(counts()).toEqual([]);
    vi.advanceTimersByTime(1100);
    expect(counts()).toEqual([1000, 7]);
    trail.record(refused({ principal: ANN }));
    vi.advanceTimersByTime(1100);
    expect(counts()).toEqual([1000, 7, 1]);
  });

  it('say who and why, of what they have in common', async () => {
    const one = { principal: ANN, credentialId: 'key:1' };
    const { key: _, ...who } = ANN;
    const same = { event: 'refused', address: '192.0.2.1', credentialId: 'key:1', principal: who };
    const alike = await toldOf([refused(one), refused(one)]);
    expect(alike).toMatchObject([{ ...same, server: 'files', refusal: 'RATE_LIMITED', count: 2 }]);
    expect(JSON.stringify(alike)).not.toContain(JSON.stringify(ANN.key));
    const mixed = await toldOf([
      refused(one),
      refused({ ...one, server: 'other', refusal: 'TOO_MANY_STREAMS' }),
    ]);
    expect(mixed).toMatchObject([{ ...same, count: 2 }]);
    expect(mixed[0]).not.toHaveProperty('server');
    expect(mixed[0]).not.toHaveProperty('refusal');
  });

  it('of many accounts are told together, so that nothing grows with them', async () => {
    const addresses = Array.from({ length: 5000 }, (_, i) => `198.51.${i >> 8}.${i & 255}`);
    const lines = await toldOf(addresses.map((address) => refused({ address })));
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatchObject({ count: 4900 });
    expect(lines.at(-1)).not.toHaveProperty('address');
  });
});
