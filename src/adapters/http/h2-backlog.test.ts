import { once } from 'node:events';
import { Socket } from 'node:net';
import { Writable } from 'node:stream';
import { setImmediate } from 'node:timers/promises';
import { afterEach, beforeEach, describe, expect, it, vi } from 'vitest';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';
import { H2Backlog } from './h2-backlog.ts';

const MAX = 1_000_000;
/** As much as is left to the number of connections, and to that of the replies on one. */
const [LITTLE_BYTES, SMALL_REPLY_BYTES] = [16_384, 65_536];

/** A connection of which as much was taken, and as much waits in it, as a test says. */
class Connection {
  readonly handle = { bytesWritten: 0, writeQueueSize: 0 };
  readonly handled: string[] = [];
  unread = 0;
  /** What was counted with all connections. */
  countedBytes = 0;
  isCounted = false;
  readonly all = {
    add: (_reader: object, bytes: number): void => {
      this.countedBytes += bytes;
      this.isCounted = true;
    },
    delete: (): void => {
      this.isCounted = false;
    },
  };
  readonly backlog = new H2Backlog(
    Object.assign(new Socket(), { _handle: this.handle }),
    {
      ...DEFAULT_CONNECTION_LIMITS,
      unsentBytesMax: MAX,
      unsentBytesPerSecondMin: 1000,
      stallMsMax: 8000,
    },
    this.all,
    () => (this.unread += 1),
  );

  enter(name: string): Writable {
    const stream = new Writable();
    this.backlog.enter(stream, () => this.handled.push(name));
    return stream;
  }

  hold(bytes: number): Writable {
    const stream = new Writable();
    this.backlog.hold(stream, bytes);
    stream.once('close', () => this.backlog.release(stream));
    return stream;
  }
}

async function end(stream: Writable): Promise<void> {
  stream.destroy();
  await once(stream, 'close');
  await setImmediate();
}

let connection: Connection;

beforeEach(() => {
  vi.useFakeTimers({ toFake: ['setInterval', 'clearInterval'] });
  connection = new Connection();
});
afterEach(() => {
  connection.backlog.stop();
  expect(vi.getTimerCount()).toBe(0);
  vi.useRealTimers();
});

describe('V53: requests of a connection whose replies wait', () => {
  it('are handled at once while no more waits than may', () => {
    connection.hold(MAX);
    connection.enter('one');
    expect(connection.handled).toEqual(['one']);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('wait beyond it, and are handled in order when enough was taken', async () => {
    const [first] = [connection.hold(MAX), connection.hold(100_000)];
    for (const name of ['one', 'two']) connection.enter(name);
    expect(connection.handled).toEqual([]);
    first.destroy();
    await once(first, 'close');
    // Whoever let go of it may be in the middle of something.
    expect(connection.handled).toEqual([]);
    await setImmediate();
    expect(connection.handled).toEqual(['one', 'two']);
    connection.enter('three');
    expect(connection.handled).toEqual(['one', 'two', 'three']);
  });

  it('go on waiting when one of them brings a reply that is too much again', async () => {
    const first = connection.hold(MAX + 1);
    let second: Writable | undefined;
    connection.backlog.enter(new Writable(), () => {
      second = connection.hold(MAX + 1);
    });
    connection.enter('behind');
    await end(first);
    expect(connection.handled).toEqual([]);
    if (second !== undefined) await end(second);
    expect(connection.handled).toEqual(['behind']);
  });

  it('are not handled any more when their stream ends before, or their connection', async () => {
    const first = connection.hold(MAX + 1);
    await end(connection.enter('reset'));
    connection.enter('kept');
    await end(first);
    expect(connection.handled).toEqual(['kept']);
    const second = connection.hold(MAX + 1);
    connection.enter('gone');
    connection.backlog.stop();
    expect(vi.getTimerCount()).toBe(0);
    await end(second);
    connection.backlog.add(MAX + 1);
    connection.backlog.remove(MAX + 1);
    await setImmediate();
    expect(connection.handled).toEqual(['kept']);
  });

  it('wait for nothing when their connection is over', () => {
    connection.hold(MAX + 1);
    connection.backlog.stop();
    connection.enter('late');
    expect(connection.handled).toEqual(['late']);
  });

  it('wait for what is left in the connection when its streams ended', async () => {
    const first = connection.hold(MAX + 1);
    connection.enter('one');
    connection.handle.writeQueueSize = MAX + 1;
    await end(first);
    vi.advanceTimersByTime(500);
    expect(connection.handled).toEqual([]);
    connection.handle.writeQueueSize = MAX;
    vi.advanceTimersByTime(500);
    expect(connection.handled).toEqual(['one']);
  });

  it('wait for what event streams keep, too, and not for small replies', () => {
    for (let i = 0; i < 100; i += 1) connection.hold(SMALL_REPLY_BYTES);
    connection.backlog.add(MAX);
    connection.enter('one');
    connection.backlog.add(1);
    connection.enter('two');
    expect(connection.handled).toEqual(['one']);
  });

  it('wait for replies that are a byte larger than small ones', () => {
    for (let i = 0; i <= MAX / 65_537; i += 1) connection.hold(65_537);
    connection.enter('one');
    expect(connection.handled).toEqual([]);
  });

  it('wait for large replies alone, however many small ones are over', async () => {
    await end(connection.hold(SMALL_REPLY_BYTES));
    connection.hold(SMALL_REPLY_BYTES + 1);
    connection.backlog.add(MAX - SMALL_REPLY_BYTES - 1);
    connection.enter('one');
    connection.backlog.add(1);
    connection.enter('two');
    expect(connection.handled).toEqual(['one']);
  });
});

describe('what waits on a connection', () => {
  it('counts with what waits on all as soon as it is not little, small replies, too', async () => {
    const small = connection.hold(LITTLE_BYTES);
    expect(connection.isCounted).toBe(false);
    await end(connection.hold(1));
    expect([connection.isCounted, connection.countedBytes]).toEqual([true, 1]);
    const large = connection.hold(SMALL_REPLY_BYTES + 1);
    connection.backlog.add(7);
    connection.hold(1);
    expect(connection.countedBytes).toBe(SMALL_REPLY_BYTES + 10);
    const all = LITTLE_BYTES + SMALL_REPLY_BYTES + 9;
    expect(connection.backlog.unsentBytes()).toBe(all);
    await end(small);
    expect(connection.backlog.unsentBytes()).toBe(all - LITTLE_BYTES);
    await end(large);
    connection.backlog.release(large);
    expect(connection.backlog.unsentBytes()).toBe(8);
    connection.backlog.stop();
    expect(connection.isCounted).toBe(false);
  });

  it('is what its streams leave, or what the connection does, where that is more', () => {
    connection.hold(1000);
    connection.handle.writeQueueSize = 999;
    expect(connection.backlog.unsentBytes()).toBe(1000);
    connection.handle.writeQueueSize = 1001;
    expect(connection.backlog.unsentBytes()).toBe(1001);
  });

  it('is what Node keeps of its event streams, too, until they are over', async () => {
    const stream = new Writable({ write() {} });
    connection.backlog.watch(stream);
    stream.write('x'.repeat(1000));
    connection.backlog.handed(1000);
    connection.hold(10);
    expect([connection.backlog.unsentBytes(), connection.countedBytes]).toEqual([1010, 1000]);
    connection.backlog.release(stream);
    expect(connection.backlog.unsentBytes()).toBe(10);
    stream.destroy();
    await once(stream, 'close');
    connection.backlog.watch(stream);
    expect(connection.backlog.unsentBytes()).toBe(10);
  });

  it('is dropped with the connection when it is too much for all', () => {
    connection.hold(MAX + 1);
    connection.backlog.cut();
    expect([connection.unread, connection.isCounted]).toEqual([1, false]);
    expect(vi.getTimerCount()).toBe(0);
  });
});

describe('V53: a peer that leaves more than it may', () => {
  it('is told of when it takes too little for half of the time that a reader has', () => {
    connection.handle.bytesWritten = 50_000;
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(3500);
    connection.handle.bytesWritten += 3999;
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(499);
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(1);
    expect(connection.unread).toBe(1);
    expect(vi.getTimerCount()).toBe(0);
  });

  it('is not told of while it takes enough', () => {
    connection.handle.bytesWritten = 500;
    connection.hold(MAX + 1);
    for (let i = 0; i < 20; i += 1) {
      vi.advanceTimersByTime(3500);
      connection.handle.bytesWritten += 4000;
      vi.advanceTimersByTime(500);
    }
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(3999);
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(1);
    expect(connection.unread).toBe(1);
  });

  it('has no more time for what comes meanwhile', () => {
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(3500);
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(500);
    expect(connection.unread).toBe(1);
  });

  it('has the same time where nobody counts what it takes', () => {
    Object.assign(connection.handle, { bytesWritten: undefined });
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(3999);
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(1);
    expect(connection.unread).toBe(1);
  });

  it('has taken nothing until somebody counts it', () => {
    Object.assign(connection.handle, { bytesWritten: undefined });
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(3500);
    connection.handle.bytesWritten = 4000;
    vi.advanceTimersByTime(500);
    expect(connection.unread).toBe(0);
  });

  it('has all of the time again the next time', async () => {
    const first = connection.hold(MAX + 1);
    vi.advanceTimersByTime(3500);
    await end(first);
    vi.advanceTimersByTime(60_000);
    connection.hold(MAX + 1);
    vi.advanceTimersByTime(3999);
    expect(connection.unread).toBe(0);
    vi.advanceTimersByTime(1);
    expect(connection.unread).toBe(1);
  });
});
