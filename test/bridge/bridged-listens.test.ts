/**
 * Listens of 2026 clients at servers that publish to whole sessions.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { describe, expect, it } from 'vitest';
import type { Access } from 'tidegate';
import { callNow, errorOf, listening, listenTo, stampOf } from '../wire/client-2026.ts';
import { eventually } from '../wire/signal.ts';
import { timedServer, wireServer, type WireOptions, type WireServer } from '../wire/wire-server.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';

const CAPABILITIES = {
  resources: { subscribe: true, listChanged: true },
  prompts: { listChanged: true },
};
const OPTIONS: WireOptions = { hand: { kind: 'stdio', capabilities: CAPABILITIES } };
const URI = 'file:///a';

async function subscribed(server: WireServer, index: number, ok = true): Promise<Json> {
  const call = await server.upstream.call(index, 'resources/subscribe');
  if (ok) call.answer({});
  else call.fail(-32602, 'no such resource');
  return call.params;
}

function honoured(message: Json): unknown {
  return (message['params'] as Json)['notifications'];
}

function methodsOf(reply: WireReply): readonly unknown[] {
  return reply.messages.map(({ method }) => method);
}

describe('a listen at a server of the handshake revisions', () => {
  it('is acknowledged with what the server declares and granted, and then told of it', async () => {
    const server = await wireServer(OPTIONS);
    const wanted = {
      toolsListChanged: true,
      promptsListChanged: true,
      resourceSubscriptions: [URI, 'file:///b'],
    };
    const reply = server.send(listenTo('mine', wanted));
    expect(await subscribed(server, 0)).toEqual({ uri: URI });
    expect(await subscribed(server, 1, false)).toEqual({ uri: 'file:///b' });
    expect(honoured(await reply.message(0))).toEqual({
      promptsListChanged: true,
      resourceSubscriptions: [URI],
    });
    const { newest } = server.upstream;
    newest.say('notifications/tools/list_changed');
    newest.say('notifications/resources/list_changed');
    newest.say('notifications/resources/updated', { uri: 'file:///b' });
    newest.say('notifications/resources/updated', { uri: URI });
    newest.say('notifications/prompts/list_changed');
    await reply.message(2);
    expect(methodsOf(reply).slice(1)).toEqual([
      'notifications/resources/updated',
      'notifications/prompts/list_changed',
    ]);
    for (const message of reply.messages) expect(stampOf(message)).toBe('mine');
    reply.leave();
  });

  it('completes at once when nothing of it can be honoured', async () => {
    const server = await wireServer(OPTIONS);
    const reply = await server.fetch(listenTo(1, { toolsListChanged: true }));
    expect(honoured(reply.messages[0] as Json)).toEqual({});
    expect(reply.messages[1]).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('is told after its acknowledgment of what changed before', async () => {
    const server = await wireServer(OPTIONS);
    const wanted = { promptsListChanged: true, resourceSubscriptions: [URI] };
    const reply = server.send(listenTo(1, wanted));
    const call = await server.upstream.call(0, 'resources/subscribe');
    call.connection.say('notifications/prompts/list_changed');
    call.answer({});
    await reply.message(1);
    expect(methodsOf(reply)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/prompts/list_changed',
    ]);
    reply.leave();
  });

  it('shares one subscription with others: the first subscribes, the last unsubscribes', async () => {
    const server = await wireServer(OPTIONS);
    const one = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    await server.upstream.call(0, 'resources/subscribe');
    const two = server.send(listenTo(2, { resourceSubscriptions: [URI] }));
    await subscribed(server, 0);
    await Promise.all([one.message(0), two.message(0)]);
    const { newest } = server.upstream;
    newest.say('notifications/resources/updated', { uri: URI });
    expect(stampOf(await one.message(1))).toBe(1);
    expect(stampOf(await two.message(1))).toBe(2);
    one.leave();
    const three = await listening(server, 3, { resourceSubscriptions: [URI] });
    const isAsked = (): boolean => newest.methods().includes('resources/unsubscribe');
    expect(isAsked()).toBe(false);
    two.leave();
    three.leave();
    await server.upstream.until(isAsked, 'the unsubscription');
    expect(newest.methods().filter((method) => method === 'resources/subscribe')).toHaveLength(1);
  });

  it('hears what calls with other capabilities caused', async () => {
    const server = await wireServer(OPTIONS);
    const reply = await listening(server, 1, { promptsListChanged: true });
    await server.fetch(callNow(2, { meta: { clientCapabilities: { roots: {} } } }));
    expect(server.upstream.open).toHaveLength(2);
    server.upstream.newest.say('notifications/prompts/list_changed');
    expect(await reply.message(1)).toMatchObject({ method: 'notifications/prompts/list_changed' });
    reply.leave();
  });

  it('that is refused where it was asked for is given back where else it was granted', async () => {
    const server = await wireServer(OPTIONS);
    await server.fetch(callNow(1, { meta: { clientCapabilities: { roots: {} } } }));
    const other = server.upstream.newest;
    const wanted = { promptsListChanged: true, resourceSubscriptions: [URI] };
    const reply = server.send(listenTo(2, wanted));
    for (const index of [0, 1]) {
      const call = await server.upstream.call(index, 'resources/subscribe');
      if (call.connection === other) call.answer({});
      else call.fail(-32602, 'no such resource');
    }
    expect(honoured(await reply.message(0))).toEqual({ promptsListChanged: true });
    const givenBack = await server.upstream.call(0, 'resources/unsubscribe');
    expect([givenBack.connection, givenBack.params]).toEqual([other, { uri: URI }]);
    expect(server.upstream.newest.methods()).not.toContain('resources/unsubscribe');
    reply.leave();
  });

  it('outlives its server: subscribed again, and told to look again', async () => {
    const server = await wireServer(OPTIONS);
    const wanted = { promptsListChanged: true, resourceSubscriptions: [URI] };
    const reply = server.send(listenTo(1, wanted));
    await subscribed(server, 0);
    await reply.message(0);
    server.upstream.newest.die();
    expect(await subscribed(server, 1)).toEqual({ uri: URI });
    await reply.message(2);
    expect(methodsOf(reply).slice(1)).toEqual([
      'notifications/prompts/list_changed',
      'notifications/resources/updated',
    ]);
    reply.leave();
  });

  it('that its policies narrowed is told to look again at what they still allow', async () => {
    let isNarrow = false;
    const access: Access = {
      decide: ({ message }) => {
        const isRefused = isNarrow && message.payload?.includes(URI) === true;
        return { refusal: isRefused ? { error: 'FORBIDDEN' } : undefined, policies: [] };
      },
      filter: (_request, answer) => answer,
    };
    const server = await wireServer({ ...OPTIONS, access });
    const reply = server.send(listenTo(1, { resourceSubscriptions: [URI, 'file:///b'] }));
    for (const index of [0, 1]) await subscribed(server, index);
    await reply.message(0);
    isNarrow = true;
    server.upstream.newest.die();
    expect(await reply.message(1)).toMatchObject({ params: { uri: 'file:///b' } });
    reply.leave();
  });

  it('W67 is acknowledged without the resources of which its server says nothing', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const wanted = { promptsListChanged: true, resourceSubscriptions: [URI, 'file:///b'] };
    const reply = server.send(listenTo(1, wanted));
    await subscribed(server, 0);
    const silent = await server.upstream.call(1, 'resources/subscribe');
    const { newest } = server.upstream;
    newest.say('notifications/resources/updated', { uri: 'file:///b' });
    await pass(2500);
    expect(methodsOf(reply)).toEqual([]);
    await pass(500);
    expect(honoured(await reply.message(0))).toEqual({
      promptsListChanged: true,
      resourceSubscriptions: [URI],
    });
    silent.answer({});
    const isGivenBack = (): boolean => newest.methods().includes('resources/unsubscribe');
    await server.upstream.until(isGivenBack, 'the unsubscription');
    expect(newest.sent.at(-1)?.value).toEqual({ uri: 'file:///b' });
    newest.say('notifications/resources/updated', { uri: 'file:///b' });
    newest.say('notifications/resources/updated', { uri: URI });
    expect(await reply.message(1)).toMatchObject({ params: { uri: URI } });
    reply.leave();
  });

  it('W72 completes when its server says nothing of all that it wants', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const reply = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    await server.upstream.call(0, 'resources/subscribe');
    await pass(3000);
    await reply.whole();
    expect(honoured(reply.messages[0] as Json)).toEqual({});
    expect(reply.messages[1]).toMatchObject({ id: 1, result: { resultType: 'complete' } });
  });

  it('that comes while its server says nothing is served by the answer that is late', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const left = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    const silent = await server.upstream.call(0, 'resources/subscribe');
    await pass(3000);
    await left.whole();
    const reply = server.send(listenTo(2, { resourceSubscriptions: [URI] }));
    await pass(2500);
    silent.answer({});
    expect(honoured(await reply.message(0))).toEqual({ resourceSubscriptions: [URI] });
    const { newest } = server.upstream;
    newest.say('notifications/resources/updated', { uri: URI });
    expect(await reply.message(1)).toMatchObject({ params: { uri: URI } });
    reply.leave();
    const isGivenBack = (): boolean => newest.methods().includes('resources/unsubscribe');
    await server.upstream.until(isGivenBack, 'the unsubscription');
    expect(newest.methods().filter((method) => method === 'resources/subscribe')).toHaveLength(1);
  });

  it('that its client left is asked for again after its server refused late', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const left = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    const silent = await server.upstream.call(0, 'resources/subscribe');
    await pass(50);
    await left.head();
    left.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the end of the listen');
    silent.fail(-32602, 'no such resource');
    const reply = server.send(listenTo(2, { resourceSubscriptions: [URI] }));
    await subscribed(server, 1);
    expect(honoured(await reply.message(0))).toEqual({ resourceSubscriptions: [URI] });
    const { newest } = server.upstream;
    expect(newest.methods()).not.toContain('resources/unsubscribe');
    reply.leave();
  });

  it('takes the place of no call for longer than a minute, whatever its server says nothing of', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const reply = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    const silent = await server.upstream.call(0, 'resources/subscribe');
    await pass(3000);
    await reply.whole();
    await pass(56_500);
    expect(server.endpoint.status.pending).toBe(1);
    await pass(500);
    expect(server.endpoint.status.pending).toBe(0);
    const { newest } = server.upstream;
    expect(newest.methods().at(-1)).toBe('notifications/cancelled');
    silent.answer({});
    const again = server.send(listenTo(2, { resourceSubscriptions: [URI] }));
    await subscribed(server, 1);
    expect(honoured(await again.message(0))).toEqual({ resourceSubscriptions: [URI] });
    again.leave();
    const isGivenBack = (): boolean => newest.methods().includes('resources/unsubscribe');
    await server.upstream.until(isGivenBack, 'the unsubscription');
    expect(server.endpoint.status.pending).toBe(1);
    await pass(60_000);
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('is refused when its server dies before it could be acknowledged', async () => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(listenTo(1, { resourceSubscriptions: [URI] }));
    (await server.upstream.call(0, 'resources/subscribe')).connection.die();
    expect((await errorOf(reply)).code).toBe(-32010);
  });
});
