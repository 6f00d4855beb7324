/**
 * Nobody sees a byte of anybody else's: ids, tokens and names that are equal at once, on one
 * upstream and on many.
 */
import { describe, expect, it } from 'vitest';
import { callLater, note, rpc, Session2024, Session2025 } from './conversation.ts';
import { people } from './people.ts';
import { eventually } from './signal.ts';
import type { WireReply } from './wire-reply.ts';
import { timedServer, wireServer } from './wire-server.ts';

const CLIENTS = 100;

describe('on one upstream that all share', () => {
  it('V25 V51 a hundred clients with equal ids and tokens each get their own', async () => {
    const server = await wireServer({ isolation: 'shared', identity: people() });
    const names = ['alice', 'bob', 'alice-of-another-tenant'];
    const sessions = await Promise.all(
      Array.from({ length: CLIENTS }, (_, index) =>
        Session2025.open(server, { token: names[index % names.length] ?? '' }),
      ),
    );
    const posts: { readonly canary: string; readonly reply: WireReply; readonly id: unknown }[] =
      [];
    for (const [index, session] of sessions.entries()) {
      for (const id of [0, 1, '1']) {
        const canary = `canary-${index}-${typeof id}-${id}.`;
        const params = { name: 'later', arguments: { canary }, _meta: { progressToken: 0 } };
        posts.push({ canary, id, reply: session.post(rpc(id, 'tools/call', params)) });
      }
    }
    await server.upstream.call(posts.length - 1);
    const { calls } = server.upstream;
    for (const call of calls.toReversed()) call.progress(1);
    for (const call of calls)
      call.log(String((call.params['arguments'] as { canary: string }).canary));
    for (const call of calls.toReversed()) {
      call.say(String((call.params['arguments'] as { canary: string }).canary));
    }
    for (const { canary, id, reply } of posts) {
      await reply.whole();
      expect(reply.messages).toMatchObject([
        { params: { progressToken: 0, progress: 1 } },
        { params: { data: canary } },
        { id, result: { content: [{ text: canary }] } },
      ]);
      expect(new Set(reply.text.match(/canary-[^".]*\./g))).toEqual(new Set([canary]));
    }
    expect(server.endpoint.status.upstreamInstances).toBe(1);
  });

  it('V26 what a child says of a call reaches that call alone, in every era', async () => {
    const server = await wireServer({ isolation: 'shared', hand: { kind: 'stdio' } });
    const old = await Session2024.initialized(server);
    const mine = await Session2025.open(server);
    const theirs = await Session2025.open(server);
    const listening = [await mine.listen().head(), await theirs.listen().head()];
    await old.post(callLater(1, 'p')).whole();
    const replies = [mine.post(callLater(1, 'p')), theirs.post(callLater(1, 'p'))];
    await server.upstream.call(2);
    for (const [index, call] of server.upstream.calls.entries()) {
      call.progress(index + 1);
      call.log('whose this is cannot be told');
      call.say(`canary-${index}`);
    }
    await Promise.all(replies.map((reply) => reply.whole()));
    server.upstream.newest.say('notifications/tools/list_changed');
    await Promise.all([old.stream.message(3), ...listening.map((stream) => stream.message(0))]);
    const texts = [old.stream.text, ...replies.map(({ text }) => text)];
    for (const text of texts) expect(text).not.toContain('cannot be told');
    for (const [index, text] of texts.entries()) {
      expect([...text.matchAll(/canary-\d/g)].map(([found]) => found)).toEqual([`canary-${index}`]);
      expect(text).toContain(`"progress":${index + 1}`);
    }
    for (const stream of listening) {
      expect(stream.messages.map(({ method }) => method)).toEqual([
        'notifications/tools/list_changed',
      ]);
    }
  });

  it('V26 what a server says of a call, and says whose it is, is on no stream of another', async () => {
    const server = await wireServer({ isolation: 'shared', identity: people() });
    const old = await Session2024.initialized(server, { token: 'alice' });
    const mine = await Session2025.open(server, { token: 'bob' });
    const theirs = await Session2025.open(server, { token: 'alice-of-another-tenant' });
    const listening = [await mine.listen().head(), await theirs.listen().head()];
    await old.post(callLater(1, 'p')).whole();
    const replies = [mine.post(callLater(1, 'p')), theirs.post(callLater(1, 'p'))];
    await server.upstream.call(2);
    for (const [index, call] of server.upstream.calls.entries()) {
      call.log(`canary-${index}`);
      call.progress(1);
      call.say(`canary-${index}`);
    }
    // Of calls that nobody made.
    const { newest } = server.upstream;
    newest.say('notifications/progress', { progressToken: 99, progress: 1 });
    newest.say('notifications/progress', { progressToken: 'p', progress: 1 });
    await Promise.all(replies.map((reply) => reply.whole()));
    newest.say('notifications/tools/list_changed');
    const after = [await old.stream.message(4)];
    for (const stream of listening) after.push(await stream.message(0));
    for (const { method } of after) expect(method).toBe('notifications/tools/list_changed');
    for (const [index, text] of [old.stream, ...replies].map(({ text }) => text).entries()) {
      expect(new Set(text.match(/canary-\d/g))).toEqual(new Set([`canary-${index}`]));
      expect(text.match(/notifications\/progress/g)).toHaveLength(1);
    }
    for (const stream of listening) expect(stream.messages).toHaveLength(1);
  });

  it('V26 a question that cannot be traced to one call is asked of nobody', async () => {
    const server = await wireServer({ isolation: 'shared', hand: { kind: 'stdio' } });
    const able = { capabilities: { sampling: {} } };
    const sessions = [await Session2025.open(server, able), await Session2025.open(server, able)];
    const listening = await Promise.all(sessions.map((session) => session.listen().head()));
    const replies = sessions.map((session) => session.post(callLater(1)));
    await server.upstream.call(1);
    const { connection } = await server.upstream.call(0);
    connection.say('sampling/createMessage', { secret: 'canary' }, { id: 'q' });
    await server.upstream.until(() => connection.methods().includes('response'), 'the refusal');
    const answer = connection.sent.find(({ kind }) => kind === 'response');
    expect([answer?.id, answer?.isError]).toEqual(['"q"', true]);
    for (const call of server.upstream.calls) call.say('done');
    await Promise.all(replies.map((reply) => reply.whole()));
    for (const stream of [...listening, ...replies]) expect(stream.text).not.toContain('canary');
  });

  it('V26 what may be of a call whose time was over is not put on the next', async () => {
    const hand = { kind: 'stdio' } as const;
    const { server, pass } = await timedServer({ hand, limits: { callMsMax: 20_000 } });
    const session = await Session2025.open(server);
    const listening = await session.listen().head();
    const late = session.post(callLater(1));
    const first = await server.upstream.call(0);
    await pass(22_000);
    await late.whole();
    const next = session.post(callLater(2));
    const second = await server.upstream.call(1);
    first.log('canary');
    await listening.message(0);
    second.say('done');
    await next.whole();
    expect(next.text).toContain('done');
    expect(next.text).not.toContain('canary');
  });

  it('V26 what a server says of an answered call, and names it, is not put on the next', async () => {
    const server = await wireServer({ isolation: 'session' });
    const session = await Session2025.open(server);
    const answered = session.post(callLater(1));
    const first = await server.upstream.call(0);
    first.say('done');
    await answered.whole();
    const next = session.post(callLater(2));
    const second = await server.upstream.call(1);
    first.log('canary');
    second.say('done');
    await next.whole();
    expect(next.text).toContain('done');
    expect(next.text).not.toContain('canary');
  });

  it.each([true, false])(
    'V26 what may be of a cancelled call is not put on the next, if its client listens: %s',
    async (isListening) => {
      const server = await wireServer({ isolation: 'session', hand: { kind: 'stdio' } });
      const session = await Session2025.open(server, { capabilities: { sampling: {} } });
      const listening = isListening ? await session.listen().head() : undefined;
      const gone = session.post(callLater(1));
      const first = await server.upstream.call(0);
      await session.post(note('notifications/cancelled', { requestId: 1 })).whole();
      await server.upstream.until(() => first.isCancelled, 'the cancellation');
      const next = session.post(callLater(2));
      const second = await server.upstream.call(1);
      first.ask('late', 'sampling/createMessage', { messages: [] });
      const { method } = await (listening ?? next).message(0);
      expect(method).toBe('sampling/createMessage');
      second.say('done');
      await next.whole();
      expect(next.text).toContain('done');
      expect(next.text.includes('createMessage')).toBe(!isListening);
      gone.leave();
    },
  );

  it('V22 an answer to a question counts only from the session that was asked', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const asked = await Session2025.open(server, { capabilities: { sampling: {} } });
    const other = await Session2025.open(server, { capabilities: { sampling: {} } });
    const reply = asked.post(callLater(1));
    const call = await server.upstream.call(0);
    call.ask('q', 'sampling/createMessage', { messages: [] });
    const { id } = await reply.message(0);
    await other.post({ jsonrpc: '2.0', id, result: { forged: true } }).whole();
    expect(call.connection.methods()).not.toContain('response');
    await asked.post({ jsonrpc: '2.0', id, result: { genuine: true } }).whole();
    const answer = call.connection.sent.find(({ kind }) => kind === 'response');
    expect(answer?.value).toEqual({ genuine: true });
  });

  it('V22 a cancellation reaches only calls of the session it came from', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const [mine, theirs] = [await Session2025.open(server), await Session2025.open(server)];
    const reply = mine.post(callLater(1));
    const call = await server.upstream.call(0);
    const cancelled = { jsonrpc: '2.0', method: 'notifications/cancelled' };
    for (const requestId of [1, Number(call.id)]) {
      await theirs.post({ ...cancelled, params: { requestId } }).whole();
    }
    await theirs.post(rpc(2, 'ping')).whole();
    expect(call.isCancelled).toBe(false);
    call.say('mine');
    expect((await reply.whole()).text).toContain('mine');
  });

  it('what only a session that ended had set up is taken back, and nothing of others', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const [leaving, staying] = [await Session2025.open(server), await Session2025.open(server)];
    const wishes = [
      [leaving, 'resources/subscribe', { uri: 'file:///own' }],
      [leaving, 'resources/subscribe', { uri: 'file:///common' }],
      [leaving, 'logging/setLevel', { level: 'debug' }],
      [staying, 'resources/subscribe', { uri: 'file:///common' }],
      [staying, 'logging/setLevel', { level: 'error' }],
    ] as const;
    for (const [index, [session, method, params]] of wishes.entries()) {
      const reply = session.post(rpc(1, method, params));
      (await server.upstream.call(index)).answer({});
      await reply.whole();
    }
    await leaving.end().whole();
    const [back, level] = [await server.upstream.call(5), await server.upstream.call(6)];
    expect([back.method, back.params]).toEqual(['resources/unsubscribe', { uri: 'file:///own' }]);
    expect([level.method, level.params]).toEqual(['logging/setLevel', { level: 'error' }]);
    await staying.end().whole();
    const last = await server.upstream.call(7);
    expect([last.method, last.params]).toEqual([
      'resources/unsubscribe',
      { uri: 'file:///common' },
    ]);
    expect(server.upstream.calls).toHaveLength(8);
  });

  it('V26 what a server that died still says is nobody’s, and what it asked is answered to nobody', async () => {
    const { server, clock } = await timedServer({ isolation: 'shared' });
    const session = await Session2025.open(server, { capabilities: { roots: {} } });
    const lost = session.post(callLater(1));
    const before = await server.upstream.call(0);
    // It is the session's, and does not end with the call it was asked beside.
    before.ask(0, 'roots/list', {});
    const question = await lost.message(0);
    before.connection.die();
    await lost.whole();
    clock.advance(5000);
    const reply = session.post(callLater(2));
    const after = await server.upstream.call(1);
    expect(after.connection).not.toBe(before.connection);
    after.ask(0, 'roots/list', {});
    await reply.message(0);
    const late = { level: 'error', data: 'canary' };
    before.connection.say('notifications/message', late, { relatedTo: after.id });
    before.connection.say('roots/list', late, { id: 1, relatedTo: after.id });
    const result = { content: [{ type: 'text', text: 'canary' }] };
    before.connection.raw({ jsonrpc: '2.0', id: Number(after.id), result }, after.id);
    before.connection.closeStreamOf(after.id);
    before.connection.oversized(after.id);
    const { id } = question;
    await session.post({ jsonrpc: '2.0', id, result: { of: 'the first' } }).whole();
    await session.post(rpc(3, 'ping')).whole();
    expect(after.connection.methods()).not.toContain('response');
    after.say('mine');
    await reply.whole();
    expect(reply.text).toContain('mine');
    expect(reply.text).not.toContain('canary');
  });

  it('V26 an updated resource is told to those who subscribed it, not to others', async () => {
    const server = await wireServer({ isolation: 'shared' });
    const [mine, theirs] = [await Session2025.open(server), await Session2025.open(server)];
    const listening = [await mine.listen().head(), await theirs.listen().head()] as const;
    const subscribed = mine.post(rpc(1, 'resources/subscribe', { uri: 'file:///canary' }));
    (await server.upstream.call(0)).answer({});
    await subscribed.whole();
    const refused = theirs.post(rpc(1, 'resources/subscribe', { uri: 'file:///canary' }));
    (await server.upstream.call(1)).fail(-32602, 'Not for you.');
    await refused.whole();
    const { newest } = server.upstream;
    newest.say('notifications/resources/updated', { uri: 'file:///canary' });
    newest.say('notifications/tools/list_changed');
    await listening[0].message(1);
    await listening[1].message(0);
    expect(listening[0].messages).toHaveLength(2);
    expect(listening[1].messages.map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
    ]);
    expect(listening[1].text).not.toContain('canary');
  });
});

describe('who shares an upstream', () => {
  it.each([
    ['session', 4],
    ['principal', 3],
    ['tenant', 2],
    ['shared', 1],
  ] as const)(
    'V28 with isolation %s is as the operator said: %i instances',
    async (isolation, count) => {
      const server = await wireServer({ isolation, identity: people() });
      for (const token of ['alice', 'alice', 'bob', 'alice-of-another-tenant']) {
        const session = await Session2025.open(server, { token });
        await session.listen().head();
      }
      expect(server.endpoint.status.upstreamInstances).toBe(count);
    },
  );

  it('V28 the instance of one session ends with it, and never serves the next', async () => {
    const server = await wireServer();
    const first = await Session2025.open(server);
    const { newest } = server.upstream;
    await first.end().whole();
    await eventually(() => newest.isOver, 'its end');
    await Session2025.open(server);
    expect(server.upstream.newest).not.toBe(newest);
    expect(newest.sent.filter(({ method }) => method === 'initialize')).toHaveLength(1);
  });

  it('V24 V29 a stream is found through its session alone, and that through its principal', async () => {
    const server = await wireServer({ identity: people(), isolation: 'shared' });
    const alice = await Session2025.open(server, { token: 'alice' });
    const reply = await alice.post(callLater(1)).head();
    const { id } = await reply.block(0);
    reply.leave();
    (await server.upstream.call(0)).say('canary');
    const bob = await Session2025.open(server, { token: 'bob' });
    const asHimself = await bob.listen(id).whole();
    const asAlice = await bob.listen(id, { 'mcp-session-id': alice.id }).whole();
    expect([asHimself.status, asAlice.status]).toEqual([400, 404]);
    for (const stolen of [asHimself, asAlice]) expect(stolen.text).not.toContain('canary');
    expect((await alice.listen(id).whole()).text).toContain('canary');
  });
});
