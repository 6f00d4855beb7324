/** Requests that wait while it is found out what their server speaks. */
import { describe, expect, it } from 'vitest';
import { ApplicationOutbound } from '../../src/adapters/outbound/application-outbound.ts';
import { credentials } from '../trust/credentials.ts';
import { answerOf, callLater, callNow, listenTo, textOf } from './client-2026.ts';
import { timedModernServer, type ModernOptions } from './modern-server.ts';
import { eventually } from './signal.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';
import type { ModernRequest, ModernUpstream } from './modern-upstream.ts';
import type { WireReply, WireRequest } from './wire-reply.ts';
import type { WireServer } from './wire-server.ts';

const JSON_ONLY = { headers: { accept: 'application/json' } };

interface Unknown {
  readonly server: WireServer;
  readonly upstream: ModernUpstream;
  readonly clock: VirtualClock;
  readonly probe: ModernRequest;
  /** Sends it, and returns once the server has seen it. */
  readonly wait: (request: WireRequest) => Promise<WireReply>;
}

/** A server of which nobody knows yet what it speaks. */
async function unknown(options: ModernOptions = {}): Promise<Unknown> {
  const script = { holdsProbe: true, isDual: false };
  const timed = await timedModernServer({ server: script, ...options });
  const wait = async (request: WireRequest): Promise<WireReply> => {
    const reply = timed.server.send(request);
    await timed.server.fetch({ path: '/healthz' });
    return reply;
  };
  return { ...timed, wait, probe: await timed.upstream.call(0, 'server/discover') };
}

function comments({ blocks }: WireReply): number {
  return blocks.filter(({ isComment }) => isComment).length;
}

describe('while it is not known what the server speaks', () => {
  it('W74 a request is a stream after one heartbeat, with heartbeats, and is answered there', async () => {
    const { server, upstream, clock, probe, wait } = await unknown();
    const reply = await wait(callLater(1));
    const listen = await wait(listenTo(2, { toolsListChanged: true }));
    const whole = await wait(callLater(3, JSON_ONLY));
    clock.advance(15_000);
    for (const each of [reply, listen]) {
      await each.head();
      expect([each.status, each.header('content-type')]).toEqual([200, 'text/event-stream']);
    }
    clock.advance(15_000);
    await reply.until(() => comments(reply) === 1, 'a heartbeat');
    expect(server.endpoint.status.streams).toBe(2);
    probe.discover();
    for (const index of [0, 1]) (await upstream.call(index, 'tools/call')).say('late');
    expect(await textOf(reply)).toBe('late');
    expect(await textOf(whole)).toBe('late');
    expect(whole.header('content-type')).toBe('application/json');
    const acknowledged = await listen.message(0);
    expect(acknowledged['method']).toBe('notifications/subscriptions/acknowledged');
    expect(server.endpoint.status).toMatchObject({ streams: 1, pending: 0 });
    listen.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the listen');
  });

  it('goes on with heartbeats where the call takes long', async () => {
    const { upstream, clock, probe, wait } = await unknown();
    const reply = await wait(callLater(1));
    clock.advance(15_000);
    await reply.head();
    clock.advance(14_000);
    probe.discover();
    const call = await upstream.call(0, 'tools/call');
    await reply.until(() => comments(reply) === 1, 'a heartbeat as the call goes on');
    clock.advance(15_000);
    await reply.until(() => comments(reply) === 2, 'another heartbeat');
    call.say('late');
    expect(await textOf(reply)).toBe('late');
  });

  it('a quick answer is JSON, as where nothing was waited for', async () => {
    const { probe, wait } = await unknown();
    const reply = await wait(callNow(1));
    probe.discover();
    expect(await textOf(reply)).toBe('now');
    expect(reply.header('content-type')).toBe('application/json');
  });

  it('one that left begins nothing, and one whose stream was open neither', async () => {
    const { server, upstream, clock, probe, wait } = await unknown();
    const early = await wait(callLater(1));
    early.leave();
    const reply = await wait(callLater(2));
    clock.advance(15_000);
    await reply.head();
    reply.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the stream');
    probe.discover();
    await server.fetch(callNow(3));
    expect(upstream.calls.map(({ method }) => method)).toEqual(['server/discover']);
    expect(server.endpoint.status).toMatchObject({ streams: 0, pending: 0 });
  });

  it('a server that cannot be reached refuses it once, on its stream or with a status', async () => {
    const { server, clock, probe, wait } = await unknown();
    const reply = await wait(callLater(1));
    clock.advance(15_000);
    await reply.head();
    const young = await wait(callLater(2));
    probe.connection.die('start-failed');
    await Promise.all([reply.whole(), young.whole()]);
    expect(reply.messages).toMatchObject([{ id: 1, error: { code: -32010 } }]);
    expect(young.status).toBe(502);
    expect(server.endpoint.status.streams).toBe(0);
  });

  it('a shutdown refuses it once', async () => {
    const { server, clock, wait } = await unknown();
    const reply = await wait(callLater(1));
    clock.advance(15_000);
    await reply.head();
    const drained = server.endpoint.drain(1000);
    await reply.whole();
    expect(reply.messages).toHaveLength(1);
    expect(reply.messages).toMatchObject([{ id: 1, error: { code: -32004 } }]);
    await drained;
    expect(server.endpoint.status.streams).toBe(0);
  });

  it('whose credential is taken back is told so, or cut, and begins nothing', async () => {
    const { server, upstream, clock, probe, wait } = await unknown({ identity: credentials() });
    const reply = await wait(callLater(1, { token: 'alice' }));
    clock.advance(15_000);
    await reply.head();
    const young = await wait(callLater(2, { token: 'alice' }));
    server.endpoint.revoke(({ subject }) => subject === 'alice');
    expect((await young.whole()).status).toBe(401);
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the stream');
    probe.discover();
    const other = await server.fetch(callNow(3, { token: 'bob' }));
    expect(answerOf(other)).toBeDefined();
    expect(reply.messages).toEqual([]);
    expect(upstream.calls.map(({ method }) => method)).toEqual(['server/discover']);
  });
});

describe('while the tools are read that its verdict looks at', () => {
  const access = {
    decide: () => ({ refusal: undefined, policies: [] }),
    filter: <T>(_request: unknown, answer: T): T => answer,
    learn() {},
    factsOf: () => new Map(),
  };

  it('W74 a call is a stream after one heartbeat, too, and is answered there', async () => {
    const script = { holdsDiscover: true };
    const { server, upstream, clock } = await timedModernServer({ server: script, access });
    const reply = server.send(callLater(1));
    const discover = await upstream.call(0, 'server/discover');
    await server.fetch({ path: '/healthz' });
    clock.advance(15_000);
    await reply.head();
    expect(reply.header('content-type')).toBe('text/event-stream');
    discover.discover();
    (await upstream.call(0, 'tools/call')).say('late');
    expect(await textOf(reply)).toBe('late');
    expect(server.endpoint.status).toMatchObject({ streams: 0, pending: 0 });
  });
});

describe('a listen to tasks at a server that is still starting', () => {
  const ASKED = { toolsListChanged: true, taskIds: ['t'] };

  /** Its head has come, and its server has not answered yet. */
  async function listening() {
    const { server, upstream, clock } = await timedModernServer({
      server: { holdsDiscover: true },
    });
    const listen = server.send(listenTo(1, ASKED));
    const discover = await upstream.call(0, 'server/discover');
    await server.fetch({ path: '/healthz' });
    clock.advance(15_000);
    await listen.head();
    return { server, upstream, listen, discover };
  }

  it('W74 is a stream after one heartbeat, and acknowledged there', async () => {
    const { server, listen, discover } = await listening();
    expect(listen.header('content-type')).toBe('text/event-stream');
    discover.discover();
    expect(await listen.message(0)).toMatchObject({
      method: 'notifications/subscriptions/acknowledged',
      params: { notifications: { toolsListChanged: true } },
    });
    listen.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the listen');
  });

  it('is nothing to the server where its client left', async () => {
    const { server, upstream, listen, discover } = await listening();
    listen.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the stream');
    discover.discover();
    await server.fetch(callNow(2));
    expect(upstream.listens).toEqual([]);
    expect(server.endpoint.status).toMatchObject({ streams: 0, pending: 0 });
  });

  it('is nothing to the server where its client in this process left', async () => {
    const { server, upstream } = await timedModernServer({ server: { holdsDiscover: true } });
    const outbound = new ApplicationOutbound(server.endpoint);
    const { headers = {}, body = '' } = listenTo(1, ASKED);
    const leave = outbound.send(
      {
        method: 'POST',
        url: `http://127.0.0.1:${server.port}/mcp`,
        headers: Object.entries(headers).flatMap(([name, value]) => [name, String(value)]),
        body: String(body),
        isRepeatable: false,
      },
      { onSent() {}, onHead() {}, onBytes() {}, onEnd() {} },
    );
    const discover = await upstream.call(0, 'server/discover');
    leave();
    discover.discover();
    await server.fetch(callNow(2));
    expect(upstream.listens).toEqual([]);
    expect(server.endpoint.status).toMatchObject({ streams: 0, pending: 0 });
  });
});
