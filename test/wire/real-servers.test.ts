/**
 * Servers on the official SDK, in this process and as a child, behind the handshake eras on real
 * sockets.
 */
import { fileURLToPath } from 'node:url';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEndpoint, inProcess, stdio, type EndpointOptions, type Upstream } from 'tidegate';
import { serve } from 'tidegate/node';
import { everythingV1 } from '../fixtures/servers/everything-v1.mjs';
import { everythingV2 } from '../fixtures/servers/everything-v2.mjs';
import { childrenOf, survivors, titleOf } from '../upstreams/processes.ts';
import { note, rpc, Session2024, Session2025 } from './conversation.ts';
import { HandUpstream } from './hand-upstream.ts';
import { eventually } from './signal.ts';
import { WireServer } from './wire-server.ts';

const CHILD = fileURLToPath(
  new URL('../fixtures/servers/everything-v1-stdio.mjs', import.meta.url),
);

const UPSTREAMS: readonly (readonly [string, () => Upstream])[] = [
  ['a v1 server in process', () => inProcess(everythingV1)],
  ['a v2 server in process', () => inProcess(everythingV2)],
  ['a v1 server as a child', () => stdio(process.execPath, [CHILD])],
];

async function realServer(
  upstream: Upstream,
  options: Partial<EndpointOptions> = {},
): Promise<WireServer> {
  const endpoint = createEndpoint({ upstream, ...options });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  const server = new WireServer(served.port, new HandUpstream(), endpoint, () => served.close());
  onTestFinished(() => server.close());
  return server;
}

function call(id: number | string, name: string, args: object = {}): ReturnType<typeof rpc> {
  return rpc(id, 'tools/call', { name, arguments: args, _meta: { progressToken: `of ${id}` } });
}

describe.each(UPSTREAMS)('%s', (_name, upstream) => {
  it('W10 W17 W77 serves 2025: a plain call, progress before its answer, logs', async () => {
    const server = await realServer(upstream());
    const session = await Session2025.open(server);
    const plain = await session.post(call(1, 'test_simple_text')).whole();
    expect(plain.text).toContain('simple text');
    const progress = await session.post(call('2', 'test_tool_with_progress')).whole();
    expect(progress.messages.map(({ id, params }) => id ?? params)).toMatchObject([
      { progressToken: 'of 2', progress: 0 },
      { progressToken: 'of 2', progress: 50 },
      { progressToken: 'of 2', progress: 100 },
      '2',
    ]);
    const logs = await session.post(call(3, 'test_tool_with_logging')).whole();
    expect(logs.messages.map(({ method, id }) => method ?? id)).toEqual([
      'notifications/message',
      'notifications/message',
      'notifications/message',
      3,
    ]);
    const failed = await session.post(call(4, 'no_such_tool')).whole();
    expect(failed.status).toBe(200);
  });

  it('W17 asks the client of a call on the stream of that call', async () => {
    const server = await realServer(upstream());
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    const reply = session.post(call(1, 'test_sampling', { prompt: 'hello' }));
    const question = await reply.message(0);
    expect(question).toMatchObject({ method: 'sampling/createMessage' });
    const content = { type: 'text', text: 'a canary' };
    const result = { role: 'assistant', model: 'm', content };
    const answered = await session.post({ jsonrpc: '2.0', id: question['id'], result }).whole();
    expect(answered.status).toBe(202);
    await reply.whole();
    expect(JSON.stringify(reply.messages.at(-1))).toContain('a canary');
  });

  it('W1 W3 W7 serves 2024, and takes a client back', async () => {
    const server = await realServer(upstream());
    const session = await Session2024.initialized(server);
    await session.post(call(1, 'test_tool_with_progress')).whole();
    await session.stream.message(1);
    const { lastEventId } = session.stream;
    session.stream.leave();
    const back = await session.comeBack(lastEventId);
    expect(back.header('tidegate-resume')).toBe('exact');
    await back.until(() => back.messages.some(({ id }) => id === 1), 'the answer');
    const seen = [...session.stream.messages.slice(1), ...back.messages].map(
      ({ id, params }) => id ?? (params as { readonly progress: number }).progress,
    );
    expect([...new Set(seen)]).toEqual([0, 50, 100, 1]);
  });

  it('W36 V25 keeps apart two clients that share it and use equal ids', async () => {
    const server = await realServer(upstream(), { isolation: 'shared' });
    const sessions = [await Session2025.open(server), await Session2025.open(server)];
    const replies = sessions.flatMap((session) => [
      session.post(call(1, 'test_tool_with_progress')),
      session.post(call(1, 'test_simple_text')),
    ]);
    await Promise.all(replies.map((reply) => reply.whole()));
    for (const reply of [replies[0], replies[2]]) {
      expect(reply?.messages.map(({ id, params }) => id ?? params)).toMatchObject([
        { progressToken: 'of 1', progress: 0 },
        { progressToken: 'of 1', progress: 50 },
        { progressToken: 'of 1', progress: 100 },
        1,
      ]);
    }
  });
});

describe('a v1 server in process', () => {
  it('W30 ends a stream so that its client polls, and the client gets the rest', async () => {
    const server = await realServer(inProcess(everythingV1));
    const session = await Session2025.open(server);
    const reply = await session.post(call(1, 'test_reconnection')).whole();
    expect(reply.messages).toEqual([]);
    expect(Number(reply.blocks[0]?.retry)).toBeGreaterThan(0);
    const back = await session.listen(reply.lastEventId).whole();
    expect(JSON.stringify(back.messages)).toContain('You came back for this.');
  });
});

describe('a child that is killed in the middle of a call', () => {
  it('has its call answered at once, is started again, and is gone with its session', async () => {
    const others = new Set(childrenOf(process.pid));
    const own = (): readonly number[] =>
      childrenOf(process.pid).filter((pid) => !others.has(pid) && titleOf(pid).includes(CHILD));
    const server = await realServer(stdio(process.execPath, [CHILD]));
    const session = await Session2025.open(server, { capabilities: { sampling: {} } });
    await eventually(() => own().length === 1, 'the one child of the session');
    const [pid = 0] = own();
    const reply = session.post(call(1, 'test_sampling', { prompt: 'hello' }));
    await reply.message(0);
    process.kill(pid, 'SIGKILL');
    await reply.whole();
    expect(reply.messages.at(-1)).toMatchObject({ id: 1, error: { code: -32010 } });
    await eventually(() => own().some((each) => each !== pid), 'a new child');
    await eventually(() => server.endpoint.status.upstreamInstances === 1, 'its handshake');
    await session.post(note('notifications/roots/list_changed')).whole();
    const again = await session.post(call(2, 'test_simple_text')).whole();
    expect(again.text).toContain('simple text');
    const successors = own();
    await session.end().whole();
    expect(await survivors([...successors, pid], 10_000)).toEqual([]);
  });
});
