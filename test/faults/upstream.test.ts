/** A server behind the gate that misbehaves, while others go on calling theirs. */
import { setTimeout as delay } from 'node:timers/promises';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { isRunning, survivors } from '../upstreams/processes.ts';
import { Bystanders } from './bystanders.ts';
import {
  type Client,
  Client2024,
  Client2025,
  Client2026,
  initializeParams,
  type Json,
  textOf,
} from './clients.ts';
import { describeLinux, FaultHost, PATIENCE_MS } from './fault-host.ts';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

const STOP_MS = { stdinMs: 200, termMs: 300 };
/** For machines that are busy with much else. */
const TEST_MS_MAX = 90_000;
const GIGABYTE = 1024 ** 3;

type Open = (port: number) => Promise<Client>;

const OPEN: Readonly<Record<'2024' | '2025' | '2026', Open>> = {
  2024: (port) => Client2024.open(port, 'victim'),
  2025: (port) => Client2025.open(port, 'victim', false),
  2026: async (port) => new Client2026(port, 'victim'),
};
const ERAS = ['2024', '2025', '2026'] as const;

async function opened(host: FaultHost, era: (typeof ERAS)[number]): Promise<Client> {
  const client = await OPEN[era](host.port);
  onTestFinished(() => client.close());
  return client;
}

async function call(client: Client, id: number, name: string, args: Json = {}): Promise<string> {
  return client.request(id, 'tools/call', { name, arguments: args });
}

interface Failure {
  readonly id: number;
  readonly error: { readonly code: number; readonly message: string };
}

async function failureOf(answer: Promise<string>): Promise<Failure> {
  return JSON.parse(await answer) as Failure;
}

interface Life {
  readonly pid: number;
  readonly handshakes: readonly Json[];
}

/** What the server says of its life, once it answers. */
async function lifeOf(client: Client): Promise<Life> {
  const endsAt = performance.now() + PATIENCE_MS;
  for (let id = 1000; ; id += 1) {
    const answer = await call(client, id, 'life');
    if ('result' in (JSON.parse(answer) as Json)) return JSON.parse(textOf(answer)) as Life;
    if (performance.now() > endsAt) throw new Error(`It never came back: ${answer}`);
    await delay(20);
  }
}

async function familyOf(client: Client): Promise<readonly number[]> {
  const { pids } = JSON.parse(textOf(await call(client, 1, 'family'))) as { pids: number[] };
  expect(pids).toHaveLength(3);
  expect(pids.every(isRunning)).toBe(true);
  return pids;
}

describeLinux('a server that is killed in the middle of calls', { timeout: TEST_MS_MAX }, () => {
  it.each(ERAS)(
    'answers every pending call of %s at once with -32010, and starts again with its handshake',
    async (era) => {
      const host = await FaultHost.start({ identity: 'users' });
      const bystanders = await Bystanders.begin(host);
      const client = await opened(host, era);
      const before = await lifeOf(client);
      await bystanders.note();

      const waiting = [10, 11, 12, 13].map((id) => failureOf(call(client, id, 'wait')));
      await host.until(({ held }) => held.pending >= 4, 'four calls in flight');
      const startedAt = performance.now();
      process.kill(before.pid, 'SIGKILL');
      const failures = await Promise.all(waiting);
      expect(performance.now() - startedAt).toBeLessThan(5000);
      expect(failures.map(({ id }) => id)).toEqual([10, 11, 12, 13]);
      expect(new Set(failures.map(({ error }) => error.code))).toEqual(new Set([-32010]));

      const after = await lifeOf(client);
      expect(after.pid).not.toBe(before.pid);
      const version = { 2024: '2024-11-05', 2025: '2025-11-25', 2026: undefined }[era];
      const handshake = version === undefined ? [] : [initializeParams(version, 'victim')];
      expect(after.handshakes).toEqual(handshake);
      await bystanders.sawNothing();
    },
  );

  it('again and again is answered each time, and leaves nothing of its lives behind', async () => {
    const host = await FaultHost.start({ identity: 'users' });
    const bystanders = await Bystanders.begin(host);
    const client = await opened(host, '2025');
    await lifeOf(client);
    await bystanders.note();
    for (let death = 1; death <= 3; death += 1) {
      expect((await failureOf(call(client, death, 'die'))).error.code).toBe(-32010);
      await lifeOf(client);
    }
    expect((await host.peek()).counted['upstream_restarts_total node']).toBe(3);
    await bystanders.sawNothing();
  });
});

describeLinux(
  'a server that ignores SIGTERM and has descendants that do',
  { timeout: TEST_MS_MAX },
  () => {
    const settings = { identity: 'users', stopMs: STOP_MS, args: ['stubborn'] } as const;

    it('is gone with all of them when its session is ended', async () => {
      const host = await FaultHost.start(settings);
      const bystanders = await Bystanders.begin(host);
      await bystanders.note();
      const client = await Client2025.open(host.port, 'victim', false);
      onTestFinished(() => client.close());
      const pids = await familyOf(client);
      expect((await client.end()).status).toBe(204);
      client.close();
      expect(await survivors(pids, PATIENCE_MS)).toEqual([]);
      await bystanders.sawNothing();
    });

    it('is gone with all of them when its session is idle for too long', async () => {
      const host = await FaultHost.start({ ...settings, limits: { sessionIdleMs: 300 } });
      const bystanders = await Bystanders.begin(host);
      await bystanders.note();
      const client = await opened(host, '2024');
      const pids = await familyOf(client);
      client.close();
      expect(await survivors(pids, PATIENCE_MS)).toEqual([]);
      expect((await host.peek()).ended).toEqual(['session-idle']);
      await bystanders.sawNothing();
    });

    it.each(['SIGTERM', 'SIGKILL'] as const)(
      'is gone with all of them, as every other server is, after our %s',
      async (signal) => {
        const host = await FaultHost.start(settings);
        const clients = await Promise.all(ERAS.map((era) => opened(host, era)));
        const families = await Promise.all(clients.map((client) => familyOf(client)));
        const all = [...host.descendants(), ...families.flat()];
        for (const client of clients) client.close();
        host.signal(signal);
        expect(await survivors([host.pid, ...all], PATIENCE_MS)).toEqual([]);
      },
    );
  },
);

describeLinux('a line of a gigabyte from a server', { timeout: TEST_MS_MAX }, () => {
  it('is skipped: its call is answered with an error, the next one as ever, and no memory is kept', async () => {
    const host = await FaultHost.start({ identity: 'users' });
    const bystanders = await Bystanders.begin(host);
    const client = await opened(host, '2025');
    // The same with less, so that what stays is not what any long line leaves behind once.
    await failureOf(call(client, 1, 'line', { bytes: GIGABYTE / 16 }));
    await bystanders.note();
    const rss = host.resident();
    host.forgetPeak();
    const failure = await failureOf(call(client, 2, 'line', { bytes: GIGABYTE }));
    expect(failure).toMatchObject({ id: 2, error: { code: -32010 } });
    // The bound on a line is 10 MiB; the rest is garbage of chunks that are on their way out.
    expect(host.resident('VmHWM') - rss).toBeLessThan(96 * 1024 * 1024);
    expect(textOf(await call(client, 3, 'echo', { text: 'as ever' }))).toBe('as ever');
    await bystanders.sawNothing();
  });
});
