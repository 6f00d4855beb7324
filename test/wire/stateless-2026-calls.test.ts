/**
 * One request of the stateless revision from its reply's first byte to its last.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#receiving-messages
 */
import { describe, expect, it } from 'vitest';
import {
  answerOf,
  callLater,
  callNow,
  errorOf,
  listenTo,
  modern,
  textOf,
  type Said,
} from './client-2026.ts';
import { modernServer, timedModernServer } from './modern-server.ts';
import { people } from './people.ts';
import type { ModernRequest } from './modern-upstream.ts';
import type { Json, WireReply } from './wire-reply.ts';

const JSON_ONLY = { headers: { accept: 'application/json' } };

function progressOf(reply: WireReply): unknown[] {
  return reply.messages
    .filter(({ method }) => method === 'notifications/progress')
    .map(({ params }) => (params as Json)['progress']);
}

function logsOf(reply: WireReply): unknown[] {
  return reply.messages
    .filter(({ method }) => method === 'notifications/message')
    .map(({ params }) => (params as Json)['data']);
}

describe('replies', () => {
  it('W75 a quick answer is JSON, and is not kept by anybody', async () => {
    const { server } = await modernServer();
    const reply = await server.fetch(callNow(1));
    expect(reply.header('content-type')).toBe('application/json');
    expect(reply.header('cache-control')).toBe('no-store');
  });

  it('W75 a slow answer is a stream that no proxy buffers, from its first byte', async () => {
    const { server, upstream } = await modernServer();
    const accept = { headers: { 'accept-encoding': 'gzip, br' } };
    const reply = await server.open(callLater(1, accept));
    expect(reply.header('content-type')).toBe('text/event-stream');
    expect(reply.header('cache-control')).toBe('no-cache, no-transform');
    expect(reply.header('x-accel-buffering')).toBe('no');
    expect(reply.header('content-encoding')).toBeUndefined();
    (await upstream.call(0)).say('late');
    expect(await textOf(reply)).toBe('late');
    expect(reply.messageBlocks).toHaveLength(1);
  });

  it('W74 silence on a slow reply is broken by a comment every 15 seconds, and only silence', async () => {
    const { server, upstream, clock } = await timedModernServer();
    const reply = server.send(callLater(1, { meta: { progressToken: 'p' } }));
    const call = await upstream.call(0);
    clock.advance(50);
    await reply.head();
    clock.advance(14_000);
    call.progress(1);
    await reply.message(0);
    clock.advance(14_000);
    call.progress(2);
    await reply.message(1);
    expect(reply.blocks.filter(({ isComment }) => isComment)).toHaveLength(0);
    clock.advance(16_000);
    await reply.until(() => reply.blocks.length === 3, 'a heartbeat');
    expect(reply.blocks[2]).toMatchObject({ isComment: true, data: undefined, event: undefined });
    clock.advance(15_000);
    await reply.until(() => reply.blocks.length === 4, 'another heartbeat');
    call.say('done');
    expect(await textOf(reply)).toBe('done');
  });

  it('W74 silence ends as early where a call waits for its server to start', async () => {
    const server = { holdsDiscover: true };
    const timed = await timedModernServer({ server });
    const replies = [timed.server.send(callLater(1)), timed.server.send(callLater(2, JSON_ONLY))];
    const discover = await timed.upstream.call(0, 'server/discover');
    // A reply to another proves that the server has seen what came before.
    await timed.server.fetch({ path: '/healthz' });
    timed.clock.advance(15_000);
    const [stream] = replies;
    await stream?.head();
    expect([stream?.status, stream?.header('content-type')]).toEqual([200, 'text/event-stream']);
    discover.discover();
    for (const index of [0, 1]) (await timed.upstream.call(index, 'tools/call')).say('late');
    for (const reply of replies) expect(await textOf(reply)).toBe('late');
    expect(replies[1]?.header('content-type')).toBe('application/json');
  });

  it('W63 a question of the server is refused to it and reaches no stream', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(1, { meta: { progressToken: 'p', logLevel: 'debug' } }));
    const call = await upstream.call(0);
    const { connection } = call;
    for (const method of ['elicitation/create', 'sampling/createMessage', 'roots/list', 'ping']) {
      connection.raw({ jsonrpc: '2.0', id: method, method, params: {} }, call.id);
    }
    call.say('done');
    await reply.whole();
    expect(reply.text).not.toContain('elicitation');
    expect(reply.messages.filter(({ method }) => method !== undefined)).toEqual([]);
    await upstream.until(() => connection.answers().length === 4, 'four refusals');
    expect(connection.answers().every(({ isError }) => isError)).toBe(true);
  });

  it('W64 W65 results travel as they are: type, server, ttlMs, cacheScope and all', async () => {
    const { server, upstream } = await modernServer();
    const methods = [
      ['tools/list', {}],
      ['prompts/list', {}],
      ['resources/list', {}],
      ['resources/templates/list', {}],
      ['resources/read', { uri: 'test://x' }],
    ] as const;
    for (const [index, [method, params]] of methods.entries()) {
      const reply = server.send(modern(index, method, params));
      const extra = { ttlMs: index, cacheScope: index % 2 === 0 ? 'private' : 'public', big: 1e21 };
      (await upstream.call(index)).answer(extra);
      const { result } = (await answerOf(reply)) as { result: Json };
      expect(result).toMatchObject({ resultType: 'complete', ...extra });
      expect(result['_meta']).toEqual({
        'io.modelcontextprotocol/serverInfo': { name: 'modern', version: '1.0.0' },
      });
    }
  });

  it('W65 nothing is cached here: each of two people is answered by the server', async () => {
    const { server, upstream } = await modernServer({ identity: people(), isolation: 'shared' });
    for (const [index, token] of ['alice', 'bob', 'alice'].entries()) {
      const reply = server.send(modern(1, 'resources/read', { uri: 'test://x' }, { token }));
      const call = await upstream.call(index);
      call.answer({ contents: [], ttlMs: 60_000, cacheScope: 'private', whose: token });
      expect(await answerOf(reply)).toMatchObject({ result: { whose: token } });
    }
  });
});

describe('cancellation', () => {
  const undecided: Said = JSON_ONLY;
  const streaming: Said = { headers: { accept: 'text/event-stream' } };

  it.each<[string, Said]>([
    ['a pending JSON reply', undecided],
    ['a stream', streaming],
  ])('W66 closing %s cancels the call, and no other', async (_, said) => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(1, said));
    const other = server.send(callLater(1, said));
    const call = await upstream.call(0);
    const neighbour = await upstream.call(1);
    if (said === streaming) await reply.head();
    reply.leave();
    await upstream.until(() => call.isCancelled || neighbour.isCancelled, 'a cancellation');
    const [left, kept] = [call, neighbour].map(({ isCancelled }) => isCancelled);
    expect(left).not.toBe(kept);
    const kicked = left ? neighbour : call;
    kicked.say('still here');
    expect(await textOf(other)).toBe('still here');
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('W66 an answer that crosses the cancellation reaches nobody', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(1, { ...JSON_ONLY, meta: { progressToken: 't' } }));
    const call = await upstream.call(0);
    reply.leave();
    await upstream.until(() => call.isCancelled, 'the cancellation');
    const next = server.send(callLater(1, { meta: { progressToken: 't', logLevel: 'debug' } }));
    const nextCall = await upstream.call(1);
    call.progress(1);
    call.log('of the cancelled call');
    call.say('of the cancelled call');
    nextCall.say('mine');
    expect(await textOf(next)).toBe('mine');
    expect(next.text).not.toContain('cancelled');
    expect(next.text).not.toContain('notifications/progress');
  });

  it('W66 a client that left before the server was ready is not called for', async () => {
    const { server, upstream } = await modernServer({ server: { holdsDiscover: true } });
    const reply = server.send(callLater(1, JSON_ONLY));
    const discover = await upstream.call(0, 'server/discover');
    reply.leave();
    await reply.whole();
    const waiting = server.send(callLater(2, JSON_ONLY, 'now'));
    // A reply to another request proves that the server has seen what came before it.
    await server.fetch(modern(3, 'ping'));
    discover.discover();
    expect(await textOf(waiting)).toBe('now');
    const called = upstream.calls.filter(({ method }) => method === 'tools/call');
    expect(called).toEqual([]);
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('W66 what a client cancelled does not count against what it may have in flight', async () => {
    const { server, upstream } = await modernServer({ limits: { pendingPerOwnerMax: 2 } });
    for (let round = 0; round < 5; round += 1) {
      const reply = server.send(callLater(round, JSON_ONLY));
      const call = await upstream.call(round);
      reply.leave();
      await upstream.until(() => call.isCancelled, 'the cancellation');
    }
    expect(await textOf(await server.fetch(callNow(9)))).toBe('now');
  });
});

describe('logs', () => {
  const asking = (logLevel: string | undefined): Said => ({ meta: { logLevel } });

  async function loud(call: ModernRequest): Promise<void> {
    for (const level of [
      'debug',
      'info',
      'notice',
      'warning',
      'error',
      'critical',
      'alert',
      'emergency',
    ]) {
      call.log(level, level);
    }
    call.say('done');
  }

  it.each([
    [undefined, []],
    ['debug', ['debug', 'info', 'notice', 'warning', 'error', 'critical', 'alert', 'emergency']],
    ['warning', ['warning', 'error', 'critical', 'alert', 'emergency']],
    ['emergency', ['emergency']],
  ])(
    'W76 a request that asks for %s gets that and worse, before its answer',
    async (level, wanted) => {
      const { server, upstream } = await modernServer();
      const reply = server.send(callLater(1, asking(level)));
      await loud(await upstream.call(0));
      expect(await textOf(reply)).toBe('done');
      if (wanted.length === 0) expect(reply.text).not.toContain('notifications/message');
      else expect(logsOf(reply)).toEqual(wanted);
    },
  );

  it.each(['loud', '', 'WARNING', 4, null])('W76 the level %j is refused', async (logLevel) => {
    const { server } = await modernServer();
    const reply = await server.fetch(callNow(1, { meta: { logLevel } }));
    expect(reply.status).toBe(400);
    expect(await errorOf(reply)).toMatchObject({ id: 1, code: -32602 });
  });

  it('W76 each log goes to the stream of its own request', async () => {
    const { server, upstream } = await modernServer();
    const replies = [1, 2, 3].map((id) => server.send(callLater(id, asking('debug'))));
    const calls = await Promise.all([0, 1, 2].map((index) => upstream.call(index)));
    for (const call of calls) call.log(`of ${call.id}`);
    for (const call of calls) call.say(`of ${call.id}`);
    for (const reply of replies) {
      const text = await textOf(reply);
      expect(logsOf(reply)).toEqual([text]);
    }
  });

  it('W76 a log on a pipe belongs to the one call in flight', async () => {
    const { server, upstream } = await modernServer({ server: { kind: 'stdio' } });
    const reply = server.send(callLater(1, asking('debug')));
    const call = await upstream.call(0);
    call.log('mine');
    call.say('done');
    await reply.whole();
    expect(logsOf(reply)).toEqual(['mine']);
  });

  it('W76 of two calls on a pipe no log can be told apart, so neither gets one', async () => {
    const { server, upstream } = await modernServer({ server: { kind: 'stdio' } });
    const replies = [1, 2].map((id) => server.send(callLater(id, asking('debug'))));
    const [first, second] = await Promise.all([0, 1].map((index) => upstream.call(index)));
    first?.log('of the first');
    second?.log('of the second');
    first?.say('first');
    second?.say('second');
    for (const reply of replies) {
      await reply.whole();
      expect(reply.text).not.toContain('notifications/message');
    }
  });

  it('W76 a call that was cancelled may still log: on a pipe that is not the neighbour’s', async () => {
    const { server, upstream } = await modernServer({ server: { kind: 'stdio' } });
    const left = server.send(callLater(1, { ...JSON_ONLY, ...asking('debug') }));
    const leftCall = await upstream.call(0);
    const reply = server.send(callLater(2, asking('debug')));
    const call = await upstream.call(1);
    left.leave();
    await upstream.until(() => leftCall.isCancelled, 'the cancellation');
    leftCall.log('SECRET of the call that was cancelled');
    call.say('done');
    await reply.whole();
    expect(reply.text).not.toContain('SECRET');
  });
});

describe('progress', () => {
  it.each(['t', 7, '7', ''])(
    'W77 reaches the token %j with its type, rising, before the answer',
    async (token) => {
      const { server, upstream } = await modernServer();
      const reply = server.send(callLater(1, { meta: { progressToken: token } }));
      const call = await upstream.call(0);
      for (const value of [1, 2, 2, 1.5, 2.5, -1, 3]) call.progress(value);
      call.say('done');
      expect(await textOf(reply)).toBe('done');
      expect(progressOf(reply)).toEqual([1, 2, 2.5, 3]);
      const tokens = reply.messages
        .slice(0, -1)
        .map(({ params }) => (params as Json)['progressToken']);
      expect(new Set(tokens)).toEqual(new Set([token]));
      expect(reply.messages.at(-1)).toHaveProperty('result');
    },
  );

  it('W77 nothing comes without a token', async () => {
    const { server, upstream } = await modernServer();
    const reply = server.send(callLater(1));
    const call = await upstream.call(0);
    call.notify('notifications/progress', { progressToken: Number(call.id), progress: 1 });
    call.say('done');
    await reply.whole();
    expect(reply.text).not.toContain('progress');
  });

  it('W77 nothing comes after the answer, for a later call with the same token neither', async () => {
    const { server, upstream } = await modernServer();
    const said = { meta: { progressToken: 't' } };
    const first = server.send(callLater(1, said));
    const call = await upstream.call(0);
    call.say('done');
    await first.whole();
    const second = server.send(callLater(1, said));
    const next = await upstream.call(1);
    call.progress(9);
    next.progress(1);
    next.say('done');
    await second.whole();
    expect(progressOf(second)).toEqual([1]);
  });

  it('W77 equal tokens at once each get their own', async () => {
    const { server, upstream } = await modernServer();
    const replies = [1, 1, 1].map((id) =>
      server.send(callLater(id, { meta: { progressToken: 't' } })),
    );
    const calls = await Promise.all([0, 1, 2].map((index) => upstream.call(index)));
    for (const [index, call] of calls.entries()) call.progress(index + 1);
    for (const [index, call] of calls.entries()) call.say(String(index + 1));
    for (const reply of replies) {
      const text = await textOf(reply);
      expect(progressOf(reply)).toEqual([Number(text)]);
    }
  });
});

describe('multi-round-trip requests', () => {
  const asked = {
    resultType: 'input_required',
    inputRequests: { who: { method: 'elicitation/create', params: { message: 'Who?' } } },
    requestState: 'c2VhbGVk',
  };

  it.each([
    ['tools/call', { name: 'ask', arguments: {} }],
    ['prompts/get', { name: 'ask' }],
    ['resources/read', { uri: 'test://ask' }],
  ] as const)(
    'W79 input_required of %s passes, and its retry under a new id',
    async (method, params) => {
      const { server, upstream } = await modernServer();
      const first = server.send(modern(1, method, params));
      (await upstream.call(0)).answer(asked);
      const { result } = (await answerOf(first)) as { result: Json };
      expect(result).toMatchObject(asked);
      expect(result).not.toHaveProperty('ttlMs');
      const inputResponses = {
        who: { action: 'accept', content: { name: 'Ann' } },
        other: { x: 1 },
      };
      const retry = { ...params, inputResponses, requestState: asked.requestState };
      const second = server.send(modern(2, method, retry));
      const call = await upstream.call(1);
      expect(call.params).toMatchObject({ inputResponses, requestState: asked.requestState });
      expect(call.id).not.toBe((await upstream.call(0)).id);
      call.answer({});
      expect(await answerOf(second)).toMatchObject({ id: 2, result: { resultType: 'complete' } });
    },
  );

  it('W79 a state the server refuses is refused to the client, unchanged', async () => {
    const { server, upstream } = await modernServer();
    const params = { name: 'ask', arguments: {}, requestState: 'tampered' };
    const reply = server.send(modern(1, 'tools/call', params));
    (await upstream.call(0)).fail(-32602, 'Invalid request state');
    expect(await errorOf(reply)).toMatchObject({
      id: 1,
      code: -32602,
      message: 'Invalid request state',
    });
  });
});

describe('the end of a shutdown', () => {
  it('answers what is in flight still, on a stream and as JSON', async () => {
    const { server, upstream } = await modernServer();
    const stream = server.send(callLater(1));
    await upstream.call(0);
    await stream.head();
    const json = server.send(callLater(2, JSON_ONLY));
    const call = await upstream.call(1);
    await server.endpoint.drain(0);
    await Promise.all([stream.whole(), json.whole()]);
    expect([stream.isBroken, json.isBroken, json.status]).toEqual([false, false, 503]);
    expect(stream.messages).toMatchObject([{ id: 1, error: { code: -32004 } }]);
    expect(JSON.parse(json.text)).toMatchObject({ id: 2, error: { code: -32004 } });
    expect(call.isCancelled).toBe(true);
  });

  it('answers what waited for the server to start', async () => {
    const { server, upstream } = await modernServer({ server: { holdsDiscover: true } });
    const json = server.send(callLater(1, JSON_ONLY));
    await upstream.call(0, 'server/discover');
    const listen = server.send(listenTo(2, { toolsListChanged: true, taskIds: ['t'] }));
    // A reply to another proves that the server has seen what came before.
    await server.fetch({ path: '/healthz' });
    await server.endpoint.drain(0);
    await Promise.all([json.whole(), listen.whole()]);
    expect(await errorOf(listen)).toMatchObject({ id: 2, code: -32004 });
    expect([json.isBroken, json.status]).toEqual([false, 503]);
    expect(JSON.parse(json.text)).toMatchObject({ id: 1, error: { code: -32004 } });
    expect(upstream.calls.map(({ method }) => method)).not.toContain('tools/call');
  });
});

describe('the server’s death', () => {
  it('W78 answers what was in flight at once with a code of ours, outside the reserved ranges', async () => {
    const { server, upstream } = await modernServer();
    const pending = server.send(callLater(1, JSON_ONLY));
    const streaming = server.send(callLater(2, { headers: { accept: 'text/event-stream' } }));
    const call = await upstream.call(0);
    await upstream.call(1);
    await streaming.head();
    call.connection.die();
    for (const reply of [pending, streaming]) {
      const { code } = await errorOf(reply);
      expect(code).toBe(-32010);
      expect([-32002, -32042]).not.toContain(code);
      expect(code <= -32020 && code >= -32099).toBe(false);
    }
  });
});
