import { chmodSync, mkdtempSync, realpathSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { type StdioOptions, stdio } from '../../src/adapters/upstreams/stdio/stdio.ts';
import type { Upstream, UpstreamConnection } from '../../src/core/ports.ts';
import { Message } from '../../src/core/protocol/message.ts';
import { childrenOf, isRunning, survivors } from './processes.ts';
import { Recorder, Sight } from './recorder.ts';

const QUICK = { stdinMs: 150, termMs: 150 };
const fixture = (name: string): string =>
  fileURLToPath(new URL(`../fixtures/children/${name}.mjs`, import.meta.url));

const upstreams: Upstream[] = [];
let childrenBefore: number[] = [];

function open(
  name: string,
  args: readonly string[] = [],
  options: StdioOptions = {},
): { upstream: Upstream; connection: UpstreamConnection; events: Recorder; sight: Sight } {
  const sight = new Sight();
  const upstream = stdio(process.execPath, [fixture(name), ...args], {
    telemetry: sight,
    stopMs: QUICK,
    ...options,
  });
  upstreams.push(upstream);
  const events = new Recorder();
  return { upstream, connection: upstream.connect('legacy', events), events, sight };
}

function openCommand(command: string, options: StdioOptions = {}): Recorder {
  const upstream = stdio(command, ['--secret=canary'], { stopMs: QUICK, ...options });
  upstreams.push(upstream);
  const events = new Recorder();
  upstream.connect('legacy', events);
  expect(events.closes()).toEqual([]);
  return events;
}

beforeEach(() => {
  childrenBefore = childrenOf(process.pid);
});

afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
  const left = childrenOf(process.pid).filter((pid) => !childrenBefore.includes(pid));
  expect(left).toEqual([]);
});

describe('a conversation', () => {
  it('carries messages both ways in order, several in one turn', async () => {
    const { connection, events } = open('echo');
    for (let id = 1; id <= 500; id += 1) {
      connection.send(Message.request(String(id), 'tools/call', `{"wave":"🌊 ${id}"}`));
    }
    await events.until(({ seen }) => seen.length === 500, '500 answers');
    const ids = events.messages().map((message) => Number(message.id));
    expect(ids).toEqual(Array.from({ length: 500 }, (_, index) => index + 1));
    expect(events.messages()[41]?.payload).toBe('{"echo":{"wave":"🌊 42"}}');
  });

  it('sends a message with line breaks between its tokens as one line', async () => {
    const { connection, events } = open('echo');
    connection.send(Message.request('1', 'tools/call', '{\r\n  "a": [\n1]\r}'));
    await events.until(({ seen }) => seen.length === 1, 'the answer');
    expect(events.messages()[0]?.value).toEqual({ echo: { a: [1] } });
  });

  it('is separate for each connection of one upstream', async () => {
    const { upstream, connection, events } = open('echo');
    const others = new Recorder();
    const other = upstream.connect('modern', others);
    connection.send(Message.request('1', 'ping', '{"from":"A"}'));
    other.send(Message.request('1', 'ping', '{"from":"B"}'));
    await events.until(({ seen }) => seen.length === 1, 'answer to A');
    await others.until(({ seen }) => seen.length === 1, 'answer to B');
    expect(events.messages()[0]?.value).toEqual({ echo: { from: 'A' } });
    expect(others.messages()[0]?.value).toEqual({ echo: { from: 'B' } });
  });

  it('is named after the program, without its folder and arguments', () => {
    expect(stdio('/usr/local/bin/server', ['--token=x']).name).toBe('server');
  });
});

it.each<[string, unknown[]]>([
  ['Give a command', []],
  ['Give a command', ['']],
  ['Give a command', [['node', 'server.js']]],
  ['The arguments must be a list of texts.', ['node', 'server.js']],
  ['The arguments must be a list of texts.', ['node', [8808]]],
  ['inheritEnv must be a list of texts.', ['node', [], { inheritEnv: 'HOME' }]],
  ['sandbox must be a list of texts.', ['node', [], { sandbox: 'bwrap --' }]],
  ['The limit upstreamLineBytesMax', ['node', [], { limits: { upstreamLineBytesMax: '1mb' } }]],
])('says at once what is wrong: %s', (fault, given) => {
  const make = stdio as unknown as (...all: unknown[]) => Upstream;
  expect(() => make(...given)).toThrow(fault);
});

describe('what a server writes', () => {
  it('is skipped and counted where it is no message, and nothing else is lost', async () => {
    const { events, sight } = open('garbage');
    await events.closed();
    const texts = events.messages().map((message) => (message.value as { text: string }).text);
    expect(texts).toEqual(['marked', 'carriage', 'wave 🌊', 'batch 1', 'batch 2', 'no newline']);
    expect(sight.counts.get('upstream_lines_skipped_total not-utf8')).toBe(2);
    expect(sight.counts.get('upstream_lines_skipped_total not-json-rpc')).toBe(9);
    const logged = sight.logs.filter((entry) => entry.event === 'upstream_line_skipped');
    expect(logged.length).toBe(5);
    expect(JSON.stringify(logged)).not.toContain('listening');
  });

  it('ends the call of an answer that cannot be relayed', async () => {
    const { events } = open('garbage');
    await events.closed();
    const ended = events.seen.flatMap((event) => (event.kind === 'oversized' ? [event.id] : []));
    expect(ended).toEqual(['9', '10', '11', '12']);
  });

  it('in a flood is read in parts, between which others have their turn', async () => {
    const { events } = open('flood');
    let most = 0;
    let before = 0;
    const turn = (): void => {
      most = Math.max(most, events.seen.length - before);
      before = events.seen.length;
      if (events.closes().length === 0) setImmediate(turn);
    };
    setImmediate(turn);
    await events.closed();
    expect(events.messages()).toHaveLength(20_000);
    // Of 1 KB each: a few reads of 64 KB. Without a rest it is as many as the child can fill.
    expect(most).toBeLessThanOrEqual(6 * 64);
  });

  it('to stderr is logged where that was asked for, with its control characters escaped', async () => {
    const { events, sight } = open('garbage', [], { stderr: 'log' });
    await events.closed();
    const lines = sight.logs.flatMap((entry) =>
      entry.event === 'upstream_stderr' ? [entry.fields['line']] : [],
    );
    expect(lines).toEqual(['plain', '\\x1b[31mred\\x1b[0m', 'no end']);
  });

  it('to stderr in a flood is counted beyond the first lines', async () => {
    const { upstream, events, sight } = open('environment', ['flood'], { stderr: 'log' });
    await events.until(
      () => sight.counts.get('upstream_stderr_lines_total') === 10_000,
      'the flood',
    );
    await upstream.close();
    const logs = sight.logs.filter((entry) => entry.event === 'upstream_stderr');
    const suppressed = logs.reduce(
      (sum, entry) => sum + Number(entry.fields['suppressed'] ?? 0),
      0,
    );
    const shown = logs.filter((entry) => entry.fields['line'] === 'noise').length;
    expect(shown).toBeGreaterThanOrEqual(50);
    expect(shown + suppressed).toBe(10_000);
    expect(shown).toBeLessThan(5000);
  });

  it('to stderr stays out of the log where nobody asked for it, and its lines are counted', async () => {
    const { events, sight } = open('garbage');
    expect(await events.closed()).toMatchObject({
      detail: 'exit code 0; 3 lines on stderr, shown with --log-stderr or "stderr: log"',
    });
    expect(sight.logs.some((entry) => entry.event === 'upstream_stderr')).toBe(false);
    expect(sight.counts.get('upstream_stderr_lines_total')).toBe(3);
  });

  it.each(['first', 'last'])(
    'as one line of 1 GB costs no memory, and its call is known by an id that comes %s',
    async (place) => {
      const { connection, events, sight } = open('long-line', [String(1024 ** 3), place]);
      const before = process.memoryUsage().rss;
      let peak = before;
      const sampler = setInterval(() => {
        peak = Math.max(peak, process.memoryUsage().rss);
      }, 5);
      connection.send(Message.request('1', 'tools/call'));
      // A slow machine takes its time for a gigabyte.
      await events.until(({ seen }) => seen.length === 2, 'the answer after the line', 170_000);
      clearInterval(sampler);
      expect(events.seen[0]).toEqual({ kind: 'oversized', id: '1' });
      expect(events.messages()[0]?.id).toBe('2');
      expect((peak - before) / 1024 ** 2).toBeLessThan(64);
      expect(sight.counts.get('upstream_lines_skipped_total too-long')).toBe(1);
    },
    180_000,
  );

  it('passes whole when it is just within the line bound', async () => {
    const { connection, events } = open('long-line', ['9000000', 'last']);
    connection.send(Message.request('1', 'tools/call'));
    await events.until(({ seen }) => seen.length === 2, 'both answers');
    expect(events.messages()[0]?.payload?.length).toBe(9_000_000 + '{"text":""}'.length);
  });
});

describe('a server that does not read', () => {
  it('makes sends `full` at the bound, and is heard again once it reads', async () => {
    const limits = { upstreamQueueBytesMax: 1024 * 1024 };
    const { connection, events } = open('deaf', [], { limits });
    const [pid] = await events.pids();
    const payload = `{"x":"${'x'.repeat(50_000)}"}`;
    let sent = 0;
    while (connection.send(Message.request(String(sent + 1), 'ping', payload)) === 'sent') {
      sent += 1;
      if (sent % 5 === 0) await new Promise((resolve) => setImmediate(resolve));
      expect(sent).toBeLessThan(100);
    }
    expect(sent).toBeGreaterThan(15);
    process.kill(pid as number, 'SIGUSR2');
    await events.until(({ seen }) => seen.length === sent + 1, 'an answer to each message taken');
    expect(connection.send(Message.request('1000', 'ping', payload))).toBe('sent');
    await events.until((recorder) => recorder.messages().at(-1)?.id === '1000', 'the last answer');
  });

  it('is closed all the same', async () => {
    const { connection, events } = open('deaf');
    const pids = await events.pids();
    const payload = `{"x":"${'x'.repeat(1_000_000)}"}`;
    for (let id = 1; id <= 10; id += 1)
      connection.send(Message.request(String(id), 'ping', payload));
    connection.close();
    expect(connection.send(Message.notification('late'))).toBe('closed');
    expect(await events.closed()).toEqual({
      kind: 'closed',
      cause: 'closed',
      detail: 'signal SIGTERM',
    });
    expect(await survivors(pids, 5000)).toEqual([]);
  });
});

describe('the end of a server', () => {
  it('is a clean exit when it heeds the end of its input', async () => {
    const patient = { stopMs: { stdinMs: 60_000, termMs: 60_000 } };
    const { connection, events } = open('echo', [], patient);
    connection.send(Message.request('1', 'ping'));
    connection.close();
    connection.close();
    const end = await events.closed();
    expect(end).toEqual({ kind: 'closed', cause: 'closed', detail: 'exit code 0' });
    expect(events.messages().map((message) => message.id)).toEqual(['1']);
    expect(events.closes().length).toBe(1);
  });

  it.each([
    ['3', 'exit code 3'],
    ['SIGKILL', 'signal SIGKILL'],
  ])('V50 by itself (%s) is told once, at once and with its reason', async (way, detail) => {
    const { upstream, connection, events } = open('leaving', [way], {
      stopMs: { stdinMs: 60_000, termMs: 60_000 },
    });
    const pids = await events.pids();
    connection.send(Message.request('1', 'tools/call'));
    expect(await events.closed()).toEqual({ kind: 'closed', cause: 'exited', detail });
    expect(connection.send(Message.request('2', 'ping'))).toBe('closed');
    await upstream.close();
    expect(await survivors(pids, 5000)).toEqual([]);
    expect(events.closes().length).toBe(1);
  });

  it('V50 takes its grandchildren along, though all ignore SIGTERM', async () => {
    const { upstream, events } = open('stubborn', ['2']);
    const pids = await events.pids();
    expect(pids.length).toBe(3);
    const closing = upstream.close();
    await events.closed();
    await closing;
    expect(pids.filter(isRunning)).toEqual([]);
    expect(events.closes()).toEqual([
      { kind: 'closed', cause: 'closed', detail: 'signal SIGKILL' },
    ]);
  });

  it.runIf(process.platform === 'linux')(
    'V50 takes descendants along that left its process group, while the upstream lives on',
    async () => {
      const { upstream, connection, events } = open('stubborn', ['1', 'stray']);
      const pids = await events.pids();
      connection.close();
      await events.closed();
      expect(await survivors(pids, 10_000)).toEqual([]);
      const again = new Recorder();
      upstream.connect('legacy', again);
      expect((await again.pids()).every(isRunning)).toBe(true);
      await upstream.close();
      expect((await again.pids()).filter(isRunning)).toEqual([]);
    },
  );

  it('leaves alone what left its process group when told to', async () => {
    const { upstream, events } = open('stubborn', ['1', 'stray'], { endStrays: false });
    const [leader, stray] = (await events.pids()) as [number, number];
    await upstream.close();
    expect([isRunning(leader), isRunning(stray)]).toEqual([false, true]);
    process.kill(stray, 'SIGKILL');
    expect(await survivors([stray], 5000)).toEqual([]);
  });

  it('V50 comes for every connection when the upstream closes, and none opens after it', async () => {
    const patient = { stopMs: { stdinMs: 20_000, termMs: 20_000 } };
    const { upstream, events } = open('echo', [], patient);
    const second = new Recorder();
    upstream.connect('legacy', second);
    await upstream.close();
    const end = { kind: 'closed', cause: 'closed', detail: 'exit code 0' };
    expect([...events.closes(), ...second.closes()]).toEqual([end, end]);
    const third = new Recorder();
    const connection = upstream.connect('legacy', third);
    expect(third.closes()).toEqual([]);
    expect(connection.send(Message.notification('x'))).toBe('closed');
    expect((await third.closed()).cause).toBe('closed');
  });
});

describe('a command that cannot be started', () => {
  let folder = '';
  beforeEach(() => {
    folder = realpathSync(mkdtempSync(join(tmpdir(), 'tidegate-stdio-')));
  });
  afterEach(() => rmSync(folder, { recursive: true }));

  it('is reported when it does not exist, after connect has returned', async () => {
    const end = await openCommand('/nowhere/at-all').closed();
    expect(end).toMatchObject({
      cause: 'start-failed',
      detail: 'ENOENT: there is no command /nowhere/at-all',
    });
  });

  it('is reported when it may not be executed', async () => {
    const path = join(folder, 'server');
    writeFileSync(path, '#!/bin/sh\n');
    chmodSync(path, 0o644);
    const end = await openCommand(path).closed();
    expect(end).toMatchObject({
      cause: 'start-failed',
      detail: `EACCES: not allowed to execute ${path}`,
    });
  });

  it('is told apart from a working directory that does not exist', async () => {
    const cwd = join(folder, 'missing');
    const end = await openCommand(process.execPath, { cwd }).closed();
    expect(end).toMatchObject({
      cause: 'start-failed',
      detail: `ENOENT: the working directory ${cwd} does not exist`,
    });
  });

  it('is reported when its name holds what no system call takes', async () => {
    expect((await openCommand('server\0').closed()).cause).toBe('start-failed');
  });
});

describe('what a server is given', () => {
  it('is its arguments as they are, its folder, and of our environment what was named', async () => {
    process.env['TIDEGATE_TEST_CANARY'] = 'canary';
    process.env['TIDEGATE_TEST_NAMED'] = 'named';
    try {
      const cwd = realpathSync(tmpdir());
      const args = ['$HOME', '; exit 1', '*', 'a b'];
      const { events } = open('environment', args, {
        cwd,
        env: { EXTRA: 'given' },
        inheritEnv: ['TIDEGATE_TEST_NAMED'],
      });
      await events.until(({ seen }) => seen.length === 1, 'what was given');
      const given = events.messages()[0]?.value as {
        env: Record<string, string>;
        args: string[];
        cwd: string;
      };
      expect(given.args).toEqual(args);
      expect(given.cwd).toBe(cwd);
      expect(given.env).toMatchObject({ EXTRA: 'given', TIDEGATE_TEST_NAMED: 'named' });
      expect(given.env['PATH']).toBe(process.env['PATH']);
      expect(JSON.stringify(given.env)).not.toContain('canary');
    } finally {
      delete process.env['TIDEGATE_TEST_CANARY'];
      delete process.env['TIDEGATE_TEST_NAMED'];
    }
  });
});
