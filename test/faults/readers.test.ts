/** Clients that do not read, do not write, or are not there any more. */
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { Bystanders } from './bystanders.ts';
import { Client2025, jsonHeaders, type Json, modernRequest, rpc } from './clients.ts';
import { describeLinux, FaultHost, type Peek } from './fault-host.ts';
import { exchange } from './http-exchange.ts';
import { RawSocket, requestText } from './raw-socket.ts';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

const MIB = 1024 * 1024;
const FLOOD = { bytes: 100 * MIB, size: 65_536 };
const SMALL_FLOOD_BYTES = 20 * MIB;
const FLOODED = '"text":"flooded"';
const EVENT_LOG_BYTES = 4 * MIB;
/** What a busy process may hold besides for a moment: far from the flood, which would all be held. */
const HELD_BYTES_MAX = 24 * MIB;

/** Times a reader comes back for the same: what each would hold comes to much more than is allowed. */
const RESUMED = 8;

const READS = {
  nothing: (socket: RawSocket) => socket.stopReading(),
  'one byte a second': (socket: RawSocket) => socket.readSlowly(),
} as const;

function floodParams(bytes: number, isHeld = false): Json {
  return { name: 'flood', arguments: { ...FLOOD, bytes, isHeld }, _meta: { progressToken: 'f' } };
}

/** A stream that a flood will come on, and the way to it after it is lost. */
interface Reader {
  readonly socket: RawSocket;
  /** @param isHeld - the last message waits until it is released. */
  flood(bytes: number, isHeld?: boolean): Promise<void>;
  release(): Promise<void>;
  /** The request that fetches the rest; none when the revision has no resume. */
  readonly resume: (lastEventId: string) => string;
  /** Ends what can be ended, and lets go of every connection but the stream's. */
  leave(): Promise<void>;
}

const RELEASE: Json = { name: 'release', arguments: {} };
const USER = { authorization: 'Bearer user-victim' };
const STREAM = { ...USER, accept: 'text/event-stream' };

async function reader2024({ port }: FaultHost): Promise<Reader> {
  const socket = await RawSocket.open(port);
  socket.send(requestText('GET', '/sse', STREAM));
  await socket.received('sessionId=');
  const path = `/${/data: (\S+)/.exec(socket.head)?.[1]}`;
  const post = async (body: string): Promise<void> => {
    const headers = jsonHeaders('victim');
    const { status } = await exchange({ port, method: 'POST', path, headers, body });
    expect(status).toBe(202);
  };
  const clientInfo = { name: 'victim', version: '1' };
  const hello = { protocolVersion: '2024-11-05', capabilities: {}, clientInfo };
  await post(rpc(0, 'initialize', hello));
  await socket.received('"id":0');
  await post(rpc(undefined, 'notifications/initialized', {}));
  return {
    socket,
    flood: (bytes, isHeld) => post(rpc(7, 'tools/call', floodParams(bytes, isHeld))),
    release: () => post(rpc(8, 'tools/call', RELEASE)),
    resume: (id) => requestText('GET', '/sse', { ...STREAM, 'last-event-id': id }),
    async leave() {},
  };
}

async function reader2025({ port }: FaultHost): Promise<Reader> {
  const client = await Client2025.open(port, 'victim', false);
  const socket = await RawSocket.open(port);
  const headers = { ...client.headers, accept: 'text/event-stream' };
  return {
    socket,
    async flood(bytes, isHeld) {
      const body = rpc(7, 'tools/call', floodParams(bytes, isHeld));
      socket.send(requestText('POST', '/mcp', headers, body));
    },
    async release() {
      await client.request(8, 'tools/call', RELEASE);
    },
    resume: (id) => requestText('GET', '/mcp', { ...headers, 'last-event-id': id }),
    async leave() {
      await client.end();
      client.close();
    },
  };
}

async function reader2026({ port }: FaultHost): Promise<Reader> {
  const socket = await RawSocket.open(port);
  return {
    socket,
    async flood(bytes, isHeld) {
      const given = floodParams(bytes, isHeld);
      const { headers, params } = modernRequest('victim', 'tools/call', given);
      socket.send(requestText('POST', '/mcp', headers, rpc(7, 'tools/call', params)));
    },
    async release() {},
    resume: () => '',
    async leave() {},
  };
}

const READERS = { 2024: reader2024, 2025: reader2025, 2026: reader2026 } as const;
type Era = keyof typeof READERS;

/**
 * A flood that is read, as far as this machine reads fast enough: what any flood leaves behind is
 * no part of what a stalled one does.
 */
async function warm(host: FaultHost, era: Era): Promise<void> {
  const reader = await READERS[era](host);
  const { socket } = reader;
  await reader.flood(SMALL_FLOOD_BYTES);
  await socket.until(() => socket.tail.includes(FLOODED) || socket.isClosed, 'a flood');
  await host.until(({ held }) => held.pending === 0, 'the end of the flood');
  socket.destroy();
  await reader.leave();
}

const PACES = Object.keys(READS) as (keyof typeof READS)[];
const RESUMABLE = [2024, 2025] as const;
const ALL = [2024, 2025, 2026] as const;

/** The last event id of a stream as its reader had it. */
function lastEventId({ tail }: RawSocket): string {
  return (
    tail
      .match(/^id: \S+$/gm)
      ?.at(-1)
      ?.slice(4) ?? ''
  );
}

function isClosedMore(before: Peek, reason: string): (peek: Peek) => boolean {
  return ({ closed }) => (closed[reason] ?? 0) > (before.closed[reason] ?? 0);
}

/** For machines that are busy with much else. */
const TEST_MS_MAX = 90_000;

describeLinux('V49 a reader that falls behind', { timeout: TEST_MS_MAX }, () => {
  it.each(ALL)(
    'on a stream of %i, taking nothing or next to nothing of 100 MB, is closed and costs no memory',
    async (era) => {
      const limits = { sessionIdleMs: 1000 };
      const host = await FaultHost.start({ identity: 'users', isolation: 'shared', limits });
      const bystanders = await Bystanders.begin(host);
      await warm(host, era);
      await host.until(({ held }) => held.sessions === 2, 'two sessions');
      await bystanders.note();
      const bound = EVENT_LOG_BYTES + HELD_BYTES_MAX;
      for (const pace of PACES) {
        const before = await host.look();
        const rss = host.resident();
        const reader = await READERS[era](host);
        READS[pace](reader.socket);
        await reader.flood(FLOOD.bytes);
        // Looked at while it lasts too: what is in use then, garbage left out, is held for a
        // reader.
        let after = before;
        for (let isOver = false; !isOver;) {
          after = await host.look();
          expect(after.used - before.used).toBeLessThan(bound);
          isOver = isClosedMore(before, 'slow-reader')(after) && after.held.pending === 0;
          if (!isOver) await delay(300);
        }
        await host.shrinksTo(rss + bound);
        await reader.leave();
      }
      await bystanders.sawNothing();
    },
  );

  it.each(RESUMABLE)(
    'on a stream of %i comes back to a gap that is told, and its answer',
    async (era) => {
      const host = await FaultHost.start({ identity: 'users' });
      const bystanders = await Bystanders.begin(host);
      const reader = await READERS[era](host);
      const before = await host.look();
      await reader.flood(SMALL_FLOOD_BYTES);
      await reader.socket.until(() => lastEventId(reader.socket) !== '', 'an event id');
      READS.nothing(reader.socket);
      await host.until(isClosedMore(before, 'slow-reader'), 'slow-reader');
      await host.until(({ held }) => held.pending === 0, 'the end of the flood');

      const next = await RawSocket.open(host.port);
      next.send(reader.resume(lastEventId(reader.socket)));
      await next.received(FLOODED);
      expect(next.head).toMatch(/^HTTP\/1\.1 200 .*tidegate-resume: gap\r\n/is);
      expect(next.bytes).toBeLessThan(EVENT_LOG_BYTES * 1.1);
      expect(next.bytes).toBeGreaterThan(EVENT_LOG_BYTES * 0.9);
      next.destroy();
      await reader.leave();
      bystanders.check();
    },
  );

  it.each([
    [2024, 'nothing'],
    [2025, 'one byte a second'],
  ] as const)(
    'on a stream of %i, taking %s, is closed as stalled, and comes back to all that it missed',
    async (era, pace) => {
      const limits = {
        streamQueueBytesMax: 2 * SMALL_FLOOD_BYTES,
        logBytesMax: 2 * SMALL_FLOOD_BYTES,
        stallMsMax: 1000,
        sessionIdleMs: 4000,
      };
      const host = await FaultHost.start({ identity: 'users', limits });
      const bystanders = await Bystanders.begin(host);
      await bystanders.note();
      const before = await host.peek();
      const reader = await READERS[era](host);
      await reader.flood(SMALL_FLOOD_BYTES, true);
      await reader.socket.until(() => lastEventId(reader.socket) !== '', 'an event id');
      READS[pace](reader.socket);
      await host.until(isClosedMore(before, 'stalled'), 'stalled');
      await reader.release();
      await readRest(host, reader);
      await bystanders.sawNothing();
    },
  );

  it('of a reply that is complete is cut off, and comes back to all that it missed', async () => {
    const { host, bystanders, reader } = await floodedSession(1000);
    reader.socket.stopReading();
    await host.until(({ held }) => held.pending === 0, 'the end of the flood');
    await readRest(host, reader);
    await bystanders.sawNothing();
  });

  it('of a reply that it resumes ever again is kept for no more than what it missed', async () => {
    // None of them is cut for taking nothing, as long as the test lasts.
    const { host, bystanders, reader } = await floodedSession(TEST_MS_MAX);
    const first = lastEventId(reader.socket);
    reader.socket.destroy();
    await host.until(({ held }) => held.pending === 0, 'the end of the flood');
    const rss = host.resident();
    for (let i = 0; i < RESUMED; i += 1) {
      const { closed } = await host.peek();
      const next = await RawSocket.open(host.port);
      next.stopReading();
      next.send(reader.resume(first));
      await host.until(
        (peek) => (peek.closed['completed'] ?? 0) > (closed['completed'] ?? 0),
        'it',
      );
    }
    await host.shrinksTo(rss + SMALL_FLOOD_BYTES + 2 * HELD_BYTES_MAX);
    await readRest(host, reader);
    await bystanders.sawNothing();
  });

  it('on a stream of 2026 is closed as stalled, and its call is cancelled', async () => {
    const limits = { streamQueueBytesMax: 2 * SMALL_FLOOD_BYTES, stallMsMax: 1000 };
    const host = await FaultHost.start({ identity: 'users', limits });
    const bystanders = await Bystanders.begin(host);
    const before = await host.peek();
    const reader = await READERS[2026](host);
    reader.socket.stopReading();
    await reader.flood(SMALL_FLOOD_BYTES, true);
    await host.until(isClosedMore(before, 'stalled'), 'stalled');
    await host.until(({ held }) => held.pending === 0, 'the end of the call');
    bystanders.check();
  });
});

/** A call of 2025 that floods its reader, within what is kept of it. */
async function floodedSession(stallMsMax: number): Promise<{
  readonly host: FaultHost;
  readonly bystanders: Bystanders;
  readonly reader: Reader;
}> {
  const bytesMax = 2 * SMALL_FLOOD_BYTES;
  const limits = { streamQueueBytesMax: bytesMax, logBytesMax: bytesMax };
  const host = await FaultHost.start({ identity: 'users', limits, connections: { stallMsMax } });
  const bystanders = await Bystanders.begin(host);
  await bystanders.note();
  const reader = await READERS[2025](host);
  await reader.flood(SMALL_FLOOD_BYTES);
  await reader.socket.until(() => lastEventId(reader.socket) !== '', 'an event id');
  return { host, bystanders, reader };
}

/** Resumes exactly: with what was read before, nothing of the flood is missing. */
async function readRest(host: FaultHost, reader: Reader): Promise<void> {
  const read = reader.socket.bytes;
  const next = await RawSocket.open(host.port);
  next.send(reader.resume(lastEventId(reader.socket)));
  await next.received(FLOODED);
  expect(next.head).toMatch(/^HTTP\/1\.1 200 .*tidegate-resume: exact\r\n/is);
  expect(read + next.bytes).toBeGreaterThan(SMALL_FLOOD_BYTES);
  next.destroy();
  await reader.leave();
}

const GONE = 6;

describeLinux('V50 clients that vanish without a word', { timeout: TEST_MS_MAX }, () => {
  it('are found: their streams are rotated, their sessions end, their servers are gone', async () => {
    // Heartbeats to them stay in the kernel, which takes them for as long as nobody says otherwise.
    const limits = {
      heartbeatMs: 100,
      streamMsMax: 1500,
      sessionIdleMs: 700,
      retryMs: 50,
    };
    const host = await FaultHost.start({ identity: 'users', limits });
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const before = await host.peek();
    const gone = await Promise.all(
      Array.from({ length: GONE }, async () => {
        const socket = await RawSocket.open(host.port);
        socket.send(requestText('GET', '/sse', STREAM));
        await socket.received('sessionId=');
        socket.stopReading();
        return socket;
      }),
    );
    await host.until(({ held }) => held.sessions >= before.held.sessions + GONE, 'sessions');
    const wereIdle = ({ ended }: Peek): boolean =>
      ended.filter((reason) => reason === 'session-idle').length === GONE;
    await host.until(wereIdle, 'idle sessions');
    expect((await host.peek()).closed['rotated']).toBeGreaterThanOrEqual(GONE);
    await bystanders.sawNothing();
    for (const socket of gone) socket.destroy();
  });
});

const DRIPS = 60;
const HEAD = requestText('POST', '/mcp', jsonHeaders('victim', { 'content-length': '1000' }));

/** How each begins, and what it goes on with, a character at a time. */
const SLOW_SENDERS = {
  'a head': [HEAD.slice(0, 20), `x-a: ${'a'.repeat(2000)}`],
  'a body': [HEAD, `{"jsonrpc":"2.0","a":"${'a'.repeat(900)}`],
  'a body in chunks': [
    HEAD.replace('content-length: 1000', 'transfer-encoding: chunked'),
    '1\r\na\r\n'.repeat(300),
  ],
  nothing: ['', ''],
} as const;

describeLinux('senders that drip', { timeout: TEST_MS_MAX }, () => {
  it('a head, a body, chunks or nothing are refused in time with 408, many at once', async () => {
    const connections = { headMsMax: 800, requestMsMax: 1200, checkMs: 100 };
    const host = await FaultHost.start({ identity: 'users', connections });
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const senders = await Promise.all(
      Object.values(SLOW_SENDERS).flatMap(([first, rest]) =>
        Array.from({ length: DRIPS }, async () => {
          const socket = await RawSocket.open(host.port);
          socket.send(first);
          return { socket, rest };
        }),
      ),
    );
    for (let at = 0; senders.some(({ socket }) => !socket.isClosed); at += 1) {
      for (const { socket, rest } of senders) socket.send(rest.charAt(at));
      expect(at).toBeLessThan(1000);
      await delay(20);
    }
    for (const { socket } of senders) {
      const { head } = socket;
      expect(head).toMatch(/^HTTP\/1\.1 408 .*\r\nContent-Type: application\/json\r\n/s);
      expect(JSON.parse(head.slice(head.indexOf('\r\n\r\n')))).toMatchObject({ error: {} });
    }
    await bystanders.sawNothing();
  });
});
