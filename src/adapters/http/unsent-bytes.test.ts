import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { LITTLE_BYTES, type Reader, UnsentBytes } from './unsent-bytes.ts';

const MAX = 16_000_000;

/** A connection on which as much waits as a test says. */
class Connection implements Reader {
  bytes = 0;
  looks = 0;
  isCut = false;

  unsentBytes(): number {
    this.looks += 1;
    return this.bytes;
  }

  cut(): void {
    this.isCut = true;
    this.bytes = 0;
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
  connections.map(({ isCut }) => isCut);

describe('connections on which much waits', () => {
  it('are cut when it is more than may be on all, not before, and one part more than it is', async () => {
    const first = holding(MAX / 2);
    ages(1);
    const second = holding(MAX / 2);
    await setImmediate();
    expect(cutOf([first, second])).toEqual([false, false]);
    const third = holding(LITTLE_BYTES + 1);
    // Whoever writes is in the middle of something.
    expect(cutOf([first, second, third])).toEqual([false, false, false]);
    await setImmediate();
    expect(cutOf([first, second, third])).toEqual([true, false, false]);
    expect(told).toEqual([[1, MAX / 2]]);
  });

  it('are cut until one part is free', async () => {
    const all = Array.from({ length: 32 }, () => holding(MAX / 32));
    const last = holding(MAX / 32);
    await setImmediate();
    // Three of 33, of which each is half a part.
    expect(cutOf(all).filter(Boolean)).toHaveLength(3);
    expect(last.isCut).toBe(false);
    expect(told).toEqual([[3, (3 * MAX) / 32]]);
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
    reader.bytes = LITTLE_BYTES;
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
    write(stalled, LITTLE_BYTES);
    await setImmediate();
    expect(cutOf([stalled, other])).toEqual([true, false]);
  });

  it('are not cut for what was taken, and are looked at now and then', async () => {
    const readers = Array.from({ length: 10 }, () => new Connection());
    for (let i = 0; i < 1000; i += 1) {
      const reader = readers[i % 10] as Connection;
      write(reader, MAX / 100);
      reader.bytes = i % 2 === 0 ? 0 : LITTLE_BYTES;
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
});
