import { createHmac, hash } from 'node:crypto';
import {
  appendFileSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  rmSync,
  statSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AuditEntry } from '../../core/access.ts';
import type { Telemetry } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { AuditJournal } from './audit-journal.ts';
import { AuditBatch } from './audit-batch.ts';
import { CHAIN_START, checkAuditLine } from './audit-line.ts';
import { type Digest, keyedDigest } from './digest.ts';
import type { LineSink } from './line-sink.ts';
import { RotatingFile } from './rotating-file.ts';
import { verifyAudit } from './verify-audit.ts';

const PRINCIPAL = principalOf({ tenant: 't', issuer: 'i', subject: 'alice', clientId: 'c' });
const CALL: AuditEntry = {
  event: 'call',
  address: '127.0.0.1',
  server: 'files',
  principal: PRINCIPAL,
  method: 'tools/call',
  target: 'read',
  params: '{"name":"read","arguments":{"path":"CANARY"}}',
  outcome: 'ok',
  durationMs: 3,
};

class Counts implements Telemetry {
  readonly counted: string[] = [];
  readonly logged: string[] = [];
  log(_level: string, event: string): void {
    this.logged.push(event);
  }
  count(name: string): void {
    this.counted.push(name);
  }
  request(): void {}
  streamClosed(): void {}
}

function folder(): string {
  const path = mkdtempSync(join(tmpdir(), 'tidegate-audit-'));
  onTestFinished(() => rmSync(path, { recursive: true }));
  return path;
}

function journal(file: RotatingFile, telemetry: Telemetry = new Counts()): AuditJournal {
  const { head, isTorn } = file;
  return new AuditJournal({ sink: file, head, isTorn, telemetry, now: () => 0 });
}

/** A line by itself, without its line break. */
function lineOf(entry: AuditEntry, digest?: Digest): string {
  const batch = new AuditBatch(digest);
  batch.append(entry, CHAIN_START, 0);
  return textsOf(batch.bytes).join('');
}

function textsOf(bytes: Uint8Array): string[] {
  return Buffer.from(bytes).toString().split('\n').slice(0, -1);
}

/** A sink that takes lines when it is told to. */
class HeldSink implements LineSink {
  readonly lines: string[] = [];
  failure: Error | undefined;
  isHeld = true;

  write(bytes: Uint8Array, done: (failure: Error | undefined) => void): void {
    if (this.failure === undefined && !this.isHeld) this.lines.push(...textsOf(bytes));
    if (!this.isHeld) done(this.failure);
  }

  async close(): Promise<void> {}
}

async function turn(): Promise<void> {
  await new Promise((resolve) => setImmediate(() => setImmediate(resolve)));
}

describe('a line of the record', () => {
  it('holds who did what, and of the params only size and digest', () => {
    const text = lineOf(CALL);
    expect(JSON.parse(text)).toMatchObject({
      sequence: 1,
      time: '1970-01-01T00:00:00.000Z',
      event: 'call',
      principal: { tenant: 't', issuer: 'i', subject: 'alice', clientId: 'c' },
      target: 'read',
      paramsChars: 45,
    });
    expect(text).not.toContain('CANARY');
    expect(text).not.toContain('"key"');
  });

  it('keeps of a resource no more than its scheme', () => {
    const entry = { ...CALL, method: 'resources/read', target: 'https://u:CANARY@h/?t=CANARY' };
    const text = lineOf(entry);
    expect(JSON.parse(text)).toMatchObject({ target: 'https:…' });
    expect(text).not.toContain('CANARY');
  });

  it('holds digests that nobody can try without the key, where there is one', () => {
    const key = 'a key of thirty-two characters, é';
    const uri = 'file:///CANARY';
    const entry: AuditEntry = { ...CALL, method: 'resources/read', target: uri };
    const hmac = (text: string) => createHmac('sha256', key).update(text).digest('base64url');
    const line = lineOf(entry, keyedDigest(key));
    expect(JSON.parse(line)).toMatchObject({
      paramsDigest: hmac(CALL.params ?? ''),
      targetDigest: hmac(uri),
    });
    expect(line).not.toContain(key);
    // Whether the record is whole can be told without it.
    expect(checkAuditLine(line, undefined)).toMatchObject({ sequence: 1 });
    expect(JSON.parse(lineOf(entry))).toMatchObject({
      paramsDigest: hash('sha256', CALL.params ?? '', 'base64url'),
      targetDigest: hash('sha256', uri, 'base64url'),
    });
  });

  it('takes no key for its digests that could be guessed, and does not repeat it', () => {
    const short = 'CANARY'.padEnd(31, 'x');
    expect(() => keyedDigest(short)).toThrow('shorter than 32 characters');
    expect(() => keyedDigest(short)).not.toThrow('CANARY');
  });

  it('holds whatever was said, to the letter, and proves it', () => {
    const text = fc.string({ unit: 'binary', maxLength: 40 });
    const maybe = fc.option(text, { nil: undefined });
    const said = fc.record({
      address: text,
      server: text,
      credentialId: maybe,
      era: maybe,
      method: maybe,
      outcome: maybe,
      policies: fc.option(fc.array(text, { maxLength: 3 }), { nil: undefined }),
      answerChars: fc.option(fc.nat(), { nil: undefined }),
    });
    fc.assert(
      fc.property(said, (facts) => {
        const line = lineOf({ event: 'call', ...facts });
        expect(JSON.parse(line)).toMatchObject(JSON.parse(JSON.stringify(facts)) as object);
        expect(typeof checkAuditLine(line, undefined)).toBe('object');
      }),
    );
  });

  it('holds nothing that moves a cursor, ends a line or turns text around', () => {
    const hostile = '\u009b2J\u202egpj.exe\u007f\u0085\u2028\u2029\u200f\u2066\u061c\u001b';
    const principal = principalOf({ ...PRINCIPAL, subject: hostile });
    const line = lineOf({ ...CALL, target: hostile, principal, policies: [hostile] });
    expect(line).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(JSON.parse(line)).toMatchObject({
      target: hostile,
      principal: { subject: hostile },
      policies: [hostile],
    });
    const act = { event: 'administered', act: 'revoke', by: 'program', subjects: [hostile] };
    const told = lineOf(act as unknown as AuditEntry);
    expect(told).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    expect(JSON.parse(told)).toMatchObject(act);
  });

  it('that an earlier release wrote with line separators in it still proves itself', () => {
    const body = '{"sequence":1,"target":"a\u2028b\u2029c","previous":""';
    const line = `${body},"hash":"${hash('sha256', body, 'base64url')}"}`;
    expect(checkAuditLine(line, undefined)).toMatchObject({ sequence: 1 });
  });

  it('is found out when any one of its characters is another', () => {
    const text = lineOf(CALL);
    fc.assert(
      fc.property(
        fc.nat(text.length - 1),
        fc.string({ minLength: 1, maxLength: 1 }),
        (at, char) => {
          fc.pre(text[at] !== char);
          const outcome = checkAuditLine(text.slice(0, at) + char + text.slice(at + 1), undefined);
          expect(typeof outcome).toBe('string');
        },
      ),
    );
  });
});

describe('a record in files', () => {
  it('goes on over restarts and rotation as one chain', async () => {
    const path = join(folder(), 'audit.jsonl');
    for (let run = 0; run < 3; run += 1) {
      const trail = journal(new RotatingFile(path, 1000));
      for (let i = 0; i < 5; i += 1) {
        trail.record(CALL);
        await turn();
      }
      await trail.close();
    }
    const old = readdirSync(join(path, '..')).filter((name) => /\.\d+$/.test(name));
    expect(old.length).toBeGreaterThan(0);
    const files = [...old.map((_, index) => `${path}.${index + 1}`), path];
    const report = await verifyAudit(files);
    expect(report).toMatchObject({ lines: 3 * (5 + 2), from: 1, torn: 0, faults: [] });
    expect(statSync(path).mode & 0o777).toBe(0o600);
  });

  it.each([
    ['changed', (lines: string[]) => lines.with(2, lines[2]?.replace('alice', 'mallory') ?? '')],
    ['out of place', (lines: string[]) => lines.toSpliced(2, 1)],
    ['out of place', (lines: string[]) => lines.toSpliced(2, 2, lines[3] ?? '', lines[2] ?? '')],
    ['malformed', (lines: string[]) => lines.with(2, '{}')],
  ])('that somebody altered is %s where he did', async (fault, alter) => {
    const path = join(folder(), 'audit.jsonl');
    const trail = journal(new RotatingFile(path, 1_000_000));
    for (let i = 0; i < 5; i += 1) trail.record(CALL);
    await trail.close();
    const lines = readFileSync(path, 'utf8').trimEnd().split('\n');
    writeFileSync(path, `${alter(lines).join('\n')}\n`);
    const { faults } = await verifyAudit([path]);
    expect(faults[0]).toMatchObject({ line: 3, fault });
  });

  it('ends its lines with LF alone, whatever else breaks lines elsewhere', async () => {
    const path = join(folder(), 'audit.jsonl');
    const trail = journal(new RotatingFile(path, 1_000_000));
    trail.record(CALL);
    await trail.close();
    writeFileSync(path, readFileSync(path, 'utf8').replaceAll('\n', '\r'));
    expect((await verifyAudit([path])).faults).toHaveLength(1);
  });

  it('is not read on behind a line that is longer than any of ours', async () => {
    const path = join(folder(), 'audit.jsonl');
    writeFileSync(path, 'x'.repeat(2_000_000));
    const { lines, faults } = await verifyAudit([path]);
    expect({ lines, faults }).toEqual({
      lines: 0,
      faults: [{ file: path, line: 1, fault: 'malformed' }],
    });
    if (process.platform !== 'win32') {
      expect((await verifyAudit(['/dev/zero'])).faults).toHaveLength(1);
    }
  });

  it('cut off by a crash goes on, and says so', async () => {
    const path = join(folder(), 'audit.jsonl');
    const first = journal(new RotatingFile(path, 1_000_000));
    first.record(CALL);
    await first.close();
    appendFileSync(path, '{"sequence":4,"ti');
    const second = journal(new RotatingFile(path, 1_000_000));
    second.record(CALL);
    await second.close();
    expect(await verifyAudit([path])).toMatchObject({ torn: 1, faults: [] });
  });

  it('cut off by a second crash, in the note of the first, is whole as well', async () => {
    const path = join(folder(), 'audit.jsonl');
    const first = journal(new RotatingFile(path, 1_000_000));
    await first.close();
    appendFileSync(path, '{"sequence":3,"ti');
    const second = journal(new RotatingFile(path, 1_000_000));
    await second.close();
    const text = readFileSync(path, 'utf8');
    writeFileSync(path, text.slice(0, text.indexOf('"event":"recovered"')));
    const third = journal(new RotatingFile(path, 1_000_000));
    await third.close();
    expect(await verifyAudit([path])).toMatchObject({ lines: 5, torn: 2, faults: [] });
    writeFileSync(path, readFileSync(path, 'utf8').replace('"event":"recovered"', '"event":"x"'));
    const { faults } = await verifyAudit([path]);
    expect(faults.slice(0, 3).map(({ fault }) => fault)).toEqual([
      'malformed',
      'malformed',
      'changed',
    ]);
  });
});

describe('a record that cannot be written', () => {
  it('is bounded: what finds no room is counted on it, and nobody is refused', async () => {
    const sink = new HeldSink();
    const telemetry = new Counts();
    const trail = new AuditJournal({ sink, telemetry, queueEntriesMax: 3 });
    for (let i = 0; i < 10; i += 1) trail.record(CALL);
    expect(trail.fault()).toBeUndefined();
    expect(telemetry.counted).toHaveLength(8);
  });

  it('keeps every line and its order until it can be, however many there are', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const sink = new HeldSink();
    sink.isHeld = false;
    sink.failure = new Error('no space');
    const trail = new AuditJournal({ sink, telemetry: new Counts() });
    for (let i = 0; i < 500; i += 1) {
      trail.record({ ...CALL, target: 'x'.repeat(i % 128) });
      vi.advanceTimersByTime(7);
    }
    expect(sink.lines).toEqual([]);
    sink.failure = undefined;
    vi.advanceTimersByTime(2000);
    expect(sink.lines).toHaveLength(501);
    let head = CHAIN_START;
    for (const line of sink.lines) {
      const next = checkAuditLine(line, head);
      if (typeof next === 'string') throw new Error(`${next}: ${line}`);
      head = next;
    }
  });

  it.each([
    ['can be by then', undefined, 3],
    ['cannot be either', new Error('no space'), 0],
  ])('is tried once more at the end, and never after it: %s', async (_name, atTheEnd, lines) => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const sink = new HeldSink();
    sink.isHeld = false;
    sink.failure = new Error('no space');
    const trail = new AuditJournal({ sink, telemetry: new Counts() });
    trail.record(CALL);
    await turn();
    sink.failure = atTheEnd;
    await trail.close();
    expect(sink.lines).toHaveLength(lines);
    const written = vi.spyOn(sink, 'write');
    vi.advanceTimersByTime(10_000);
    await turn();
    expect(written).not.toHaveBeenCalled();
  });

  it('that is required refuses calls until it can be written again', async () => {
    const sink = new HeldSink();
    sink.isHeld = false;
    sink.failure = Object.assign(new Error('no space'), { code: 'ENOSPC' });
    const telemetry = new Counts();
    const trail = new AuditJournal({ sink, telemetry, isRequired: true });
    await turn();
    expect(trail.fault()).toEqual({ error: 'AUDIT_UNAVAILABLE' });
    expect(telemetry.logged).toEqual(['audit_unwritable']);
  });

  it('that is required keeps what was let in, whatever strangers do meanwhile', async () => {
    const sink = new HeldSink();
    sink.isHeld = false;
    sink.failure = new Error('no space');
    const telemetry = new Counts();
    const trail = new AuditJournal({ sink, telemetry, isRequired: true, queueEntriesMax: 3 });
    for (let i = 0; i < 10; i += 1) trail.record(visit(i));
    trail.record({ event: 'connected', address: '192.0.2.1', server: 'files' });
    for (let i = 0; i < 10; i += 1) trail.record(CALL);
    trail.record({ ...CALL, event: 'denied' });
    trail.record({ event: 'administered', act: 'reload', by: 'config' });
    expect(telemetry.counted).toHaveLength(7);
    await turn();
    sink.failure = undefined;
    await trail.close();
  });

  it('that is required takes calls while only strangers fill it', () => {
    const options = { sink: new HeldSink(), telemetry: new Counts(), isRequired: true };
    const trail = new AuditJournal({ ...options, queueEntriesMax: 3 });
    for (let i = 0; i < 10; i += 1) trail.record(visit(i));
    expect(trail.fault()).toBeUndefined();
  });

  it('that is required refuses calls while its queue is full', () => {
    const telemetry = new Counts();
    const options = { sink: new HeldSink(), telemetry, isRequired: true, queueEntriesMax: 3 };
    const trail = new AuditJournal(options);
    expect(trail.fault()).toBeUndefined();
    for (let i = 0; i < 3; i += 1) trail.record(CALL);
    expect(trail.fault()).toEqual({ error: 'AUDIT_UNAVAILABLE' });
  });
});

function visit(stranger: number): AuditEntry {
  return { event: 'unauthenticated', address: `192.0.2.${stranger}`, server: 'files' };
}

describe('strangers', () => {
  function stranger(address: string): AuditEntry {
    return { event: 'unauthenticated', address, server: 'files', why: 'none' };
  }

  interface Told {
    readonly event: string;
    readonly address?: string;
    readonly count?: number;
  }

  function told(sink: HeldSink): readonly Told[] {
    const all = sink.lines.map((line) => JSON.parse(line) as Told);
    return all.filter(({ event }) => event === 'unauthenticated');
  }

  it('get few lines a second each, and one that counts the others', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const sink = new HeldSink();
    sink.isHeld = false;
    const trail = new AuditJournal({ sink, telemetry: new Counts() });
    for (let i = 0; i < 1000; i += 1) trail.record(stranger('192.0.2.1'));
    trail.record(stranger('192.0.2.2'));
    trail.record(CALL);
    vi.advanceTimersByTime(1100);
    expect(told(sink)).toHaveLength(7);
    expect(told(sink).at(-1)).toMatchObject({ address: '192.0.2.1', count: 995 });
    trail.record(stranger('192.0.2.1'));
    vi.advanceTimersByTime(1100);
    expect(told(sink)).toHaveLength(8);
    let head = CHAIN_START;
    for (const line of sink.lines) {
      const next = checkAuditLine(line, head);
      if (typeof next === 'string') throw new Error(`${next}: ${line}`);
      head = next;
    }
  });

  it('of many addresses are told together, so that nothing grows with them', async () => {
    const sink = new HeldSink();
    sink.isHeld = false;
    const trail = new AuditJournal({ sink, telemetry: new Counts() });
    for (let i = 0; i < 50_000; i += 1) trail.record(stranger(`2001:db8:0:${i.toString(16)}::1`));
    await trail.close();
    const lines = told(sink);
    expect(lines).toHaveLength(101);
    expect(lines.at(-1)).toMatchObject({ count: 49_900 });
    expect(lines.at(-1)).not.toHaveProperty('address');
  });

  it('of one IPv6 network are one, and leave lines to others', async () => {
    const sink = new HeldSink();
    sink.isHeld = false;
    const trail = new AuditJournal({ sink, telemetry: new Counts() });
    for (let i = 0; i < 1000; i += 1) trail.record(stranger(`2001:db8::${i.toString(16)}`));
    trail.record(stranger('192.0.2.1'));
    await trail.close();
    expect(told(sink).map(({ address, count }) => [address, count])).toEqual([
      ...Array.from({ length: 5 }, (_, i) => [`2001:db8::${i}`, undefined]),
      ['192.0.2.1', undefined],
      ['2001:db8:0:0::/64', 995],
    ]);
  });
});

describe('writes', () => {
  it('begin at once for one entry, and are shared by those that follow closely', async () => {
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout', 'setImmediate'] });
    onTestFinished(() => {
      vi.useRealTimers();
    });
    const sizes: number[] = [];
    const sink: LineSink = {
      write(bytes, done) {
        sizes.push(textsOf(bytes).length);
        done(undefined);
      },
      close: async () => {},
    };
    const kept = new AuditJournal({ sink, telemetry: new Counts() });
    vi.advanceTimersByTime(1);
    expect(sizes).toEqual([1]);
    for (let i = 0; i < 3; i += 1) {
      kept.record(CALL);
      vi.advanceTimersByTime(1);
    }
    expect(sizes).toEqual([1]);
    vi.advanceTimersByTime(30);
    expect(sizes).toEqual([1, 3]);
    vi.advanceTimersByTime(30);
    kept.record(CALL);
    vi.advanceTimersByTime(1);
    expect(sizes).toEqual([1, 3, 1]);
    kept.record(CALL);
    const closed = kept.close();
    vi.advanceTimersByTime(1);
    await closed;
    expect(sizes).toEqual([1, 3, 1, 2]);
  });
});
