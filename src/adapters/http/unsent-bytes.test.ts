import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { type Reader, UnsentBytes } from './unsent-bytes.ts';

const MAX = 160_000_000;
/** As much as is left to the number of connections. */
const LITTLE = 16_384;

/** A connection on which as much waits as a test says. */
class Connection implements Reader {
  bytes = 0;
  looks = 0;
  cuts = 0;

  unsentBytes(): number {
    this.looks += 1;
    return this.bytes;
  }

  /** What waits on it is gone a little later. */
  cut(): void {
    this.cuts += 1;
  }
}

let told: (readonly [connections: number, bytes: number])[];
let unsent: UnsentBytes;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['performance'] });
  told = [];
  const limits = { ...DEFAULT_CONNECTION_LIMITS, unsentTotalBytesMax: MAX };
  unsent = new UnsentBytes(limits, (...cut) => told.push(cut));
});
afterEach(() => {
  vi.useRealTimers();
});

function write(connection: Connection, bytes: number): void {
  connection.bytes += bytes;
  unsent.add(connection, bytes);
}

/** One on which so much waits, as of now. */
function holding(bytes: number): Connection {
  const connection = new Connection();
  write(connection, bytes);
  return connection;
}

const ages = (ms: number): void => void vi.advanceTimersByTime(ms);
const cutOf = (connections: readonly Connection[]): boolean[] =>
  connections.map(({ cuts }) => cuts > 0);

describe('connections on which much waits', () => {
  it('are cut when it is more than may be on all, not before, and one part more than it is', async () => {
    const first = holding(MAX / 2);
    ages(1);
    const second = holding(MAX / 2);
    await setImmediate();
    expect(cutOf([first, second])).toEqual([false, false]);
    const third = holding(LITTLE + 1);
    // Whoever writes is in the middle of something.
    expect(cutOf([first, second, third])).toEqual([false, false, false]);
    await setImmediate();
    expect(cutOf([first, second, third])).toEqual([true, false, false]);
    expect(told).toEqual([[1, MAX / 2]]);
  });

  it('are cut until one part is free, each once', async () => {
    const all = Array.from({ length: 1600 }, () => holding(MAX / 1600));
    const last = holding(MAX / 1600);
    await setImmediate();
    // Of 1601 as many as are more than fifteen parts of sixteen.
    expect(cutOf(all).filter(Boolean)).toHaveLength(101);
    expect(last.cuts).toBe(0);
    expect(told).toEqual([[101, (101 * MAX) / 1600]]);
    holding(MAX / 8);
    await setImmediate();
    expect(told).toHaveLength(2);
    expect(Math.max(...all.map(({ cuts }) => cuts))).toBe(1);
  });

  it('are looked at once for all that is written in one turn', async () => {
    const old = holding(MAX);
    ages(1);
    const young = [holding(MAX / 4), holding(MAX / 4), holding(MAX / 4)];
    await setImmediate();
    expect(cutOf([old, ...young])).toEqual([true, false, false, false]);
    // When it was written to, when all was added up, and when some were chosen.
    expect(young.map(({ looks }) => looks)).toEqual([3, 3, 3]);
  });

  it('count however much waited when they were met first', async () => {
    const met = new Connection();
    met.bytes = MAX * 0.6;
    unsent.add(met, 1);
    const other = holding(MAX);
    other.bytes = MAX / 2;
    await setImmediate();
    expect(cutOf([met, other])).toEqual([true, false]);
  });

  it('go first when they hold most for longest', async () => {
    const small = holding(MAX / 8);
    ages(1000);
    const large = holding(MAX / 2);
    ages(1000);
    const young = holding(MAX / 2);
    await setImmediate();
    expect(cutOf([small, large, young])).toEqual([false, true, false]);
  });

  it('go first when they hold half as much for twice as long, and a little more', async () => {
    const half = holding(MAX * 0.55);
    ages(1);
    const more = holding(MAX * 0.9);
    await setImmediate();
    expect(cutOf([half, more])).toEqual([true, false]);
  });

  it('go first when they hold most, where all are as old', async () => {
    const all = [MAX / 4, MAX / 2, MAX / 3].map(holding);
    await setImmediate();
    expect(cutOf(all)).toEqual([false, true, false]);
  });

  it('are as old as what waits now: whoever took all of it begins anew', async () => {
    const reader = holding(MAX / 2);
    ages(60_000);
    const other = holding(MAX / 2);
    ages(100);
    reader.bytes = LITTLE;
    write(reader, MAX / 2);
    await setImmediate();
    expect(cutOf([reader, other])).toEqual([false, true]);
  });

  it('are as old as what waits longest, whatever comes behind it', async () => {
    const stalled = holding(MAX / 4);
    ages(1000);
    const other = holding(MAX / 2);
    write(stalled, MAX / 4);
    ages(1000);
    write(stalled, LITTLE);
    await setImmediate();
    expect(cutOf([stalled, other])).toEqual([true, false]);
  });

  it('are not cut for what was taken, and are looked at now and then', async () => {
    const readers = Array.from({ length: 10 }, () => new Connection());
    for (let i = 0; i < 1000; i += 1) {
      const reader = readers[i % 10] as Connection;
      write(reader, MAX / 100);
      reader.bytes = i % 2 === 0 ? 0 : LITTLE;
      await setImmediate();
    }
    expect(told).toEqual([]);
    // Once with each write, and all of them each time that as much was written as may wait.
    const looks = readers.reduce((sum, each) => sum + each.looks, 0);
    expect(looks).toBeGreaterThan(1000);
    expect(looks).toBeLessThanOrEqual(1000 + 10 * 10);
  });

  it('are not looked at with each write where as much waits as may', async () => {
    const full = holding(MAX);
    const writer = new Connection();
    for (let i = 0; i < 160; i += 1) {
      write(writer, MAX / 160);
      writer.bytes = 0;
      await setImmediate();
    }
    expect(told).toEqual([]);
    // Its own write, and once for each part that was written.
    expect(full.looks).toBeLessThanOrEqual(1 + 16);
    expect(full.looks).toBeGreaterThan(10);
  });

  it('are let go of when they are gone', async () => {
    const gone = holding(MAX);
    unsent.delete(gone);
    holding(MAX / 2);
    await setImmediate();
    expect(gone.looks).toBe(1);
    expect(told).toEqual([]);
  });

  it('are forgotten, and do not count, where little is left', async () => {
    const little = Array.from({ length: 20_000 }, () => holding(LITTLE + 1));
    for (const each of little) each.bytes = LITTLE;
    const full = holding(MAX);
    await setImmediate();
    expect([told, full.cuts]).toEqual([[], 0]);
    expect(little[0]?.looks).toBe(2);
    holding(LITTLE + 1);
    await setImmediate();
    holding(MAX / 8);
    await setImmediate();
    expect(full.cuts).toBe(1);
    expect(little[0]?.looks).toBe(2);
  });
});
