/**
 * Event streams of Streamable HTTP: which message goes where, how they begin, and who reads them.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server
 */
import { describe, expect, it } from 'vitest';
import { callLater, callNow, rpc, Session2025 } from './conversation.ts';
import { timedServer, wireServer } from './wire-server.ts';

describe('GET', () => {
  it.each(['application/json', 'text/html', 'text/event-stream;q=0'])(
    'W15 with Accept %s is 406',
    async (accept) => {
      const server = await wireServer();
      const session = await Session2025.open(server);
      const reply = await session.listen(undefined, { accept }).whole();
      expect(reply.status).toBe(406);
      expect((await reply.json())['error']).toMatchObject({ code: -32600 });
    },
  );

  it.each([undefined, '*/*', 'text/*', 'application/json, text/event-stream'])(
    'W15 with Accept %s is a stream',
    async (accept) => {
      const server = await wireServer();
      const session = await Session2025.open(server);
      const reply = await session.listen(undefined, { accept }).head();
      expect([reply.status, reply.header('content-type')]).toEqual([200, 'text/event-stream']);
    },
  );

  it('W16 never carries a response, and W17 never what belongs to a request', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const standalone = await session.listen().head();
    const replies = [session.post(callLater(1, 'p')), session.post(callNow(2))];
    const call = await server.upstream.call(0);
    call.progress(1);
    call.log('of the call');
    call.connection.say('notifications/tools/list_changed');
    call.ask('q', 'sampling/createMessage', { messages: [] });
    call.say('done');
    await Promise.all(replies.map((reply) => reply.whole()));
    await standalone.message(0);
    expect(standalone.messages.map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
    ]);
    expect(replies[0]?.messages.map(({ method, id }) => method ?? id)).toEqual([
      'notifications/progress',
      'notifications/message',
      'sampling/createMessage',
      'notifications/cancelled',
      1,
    ]);
  });

  it('W17 with several requests at once sends each message to one stream only', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const standalone = await session.listen().head();
    const replies = [1, 2, 3].map((id) => session.post(callLater(id, id)));
    await server.upstream.call(2);
    const { calls } = server.upstream;
    for (const step of [1, 2]) {
      for (const call of calls) {
        call.log(`${(call.params['_meta'] as { progressToken: number }).progressToken}`);
        call.progress(step);
      }
      calls[0]?.connection.say('notifications/tools/list_changed');
    }
    for (const call of calls) call.say('done');
    await Promise.all(replies.map((reply) => reply.whole()));
    await standalone.message(1);
    expect(standalone.messages).toHaveLength(2);
    const tokens = new Map(calls.map((call) => [call.id, call.params]));
    expect(tokens.size).toBe(3);
    for (const [index, reply] of replies.entries()) {
      expect(reply.messages).toHaveLength(5);
      expect(reply.messages.at(-1)).toMatchObject({ id: index + 1 });
      const progress = reply.messages.filter(({ method }) => method === 'notifications/progress');
      expect(progress.map(({ params }) => params)).toEqual([
        { progressToken: index + 1, progress: 1 },
        { progressToken: index + 1, progress: 2 },
      ]);
    }
  });

  it('W17 keeps what belongs to no request until a reader comes', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    server.upstream.newest.say('notifications/tools/list_changed');
    const question = { messages: [] };
    server.upstream.newest.say('sampling/createMessage', question, { id: 'q' });
    const standalone = await session.listen().head();
    await standalone.message(1);
    expect(standalone.messages.map(({ method }) => method)).toEqual([
      'notifications/tools/list_changed',
      'sampling/createMessage',
    ]);
    const id = standalone.messages[1]?.['id'];
    expect((await session.post({ jsonrpc: '2.0', id, result: {} }).whole()).status).toBe(202);
    const answered = server.upstream.newest.sent.filter(({ kind }) => kind === 'response');
    expect(answered.map((message) => message.id)).toEqual(['"q"']);
    await session.post({ jsonrpc: '2.0', id, result: {} }).whole();
    expect(server.upstream.newest.sent.filter(({ kind }) => kind === 'response')).toHaveLength(1);
  });

  it('W18 a second one takes over from the first, which ends cleanly', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const first = await session.listen().head();
    server.upstream.newest.say('notifications/message', { level: 'info', data: 'one' });
    await first.message(0);
    const second = await session.listen().head();
    await first.whole();
    expect([second.status, first.isBroken]).toEqual([200, false]);
    server.upstream.newest.say('notifications/message', { level: 'info', data: 'two' });
    expect(await second.message(0)).toMatchObject({ params: { data: 'two' } });
    expect(first.messages).toHaveLength(1);
    expect(second.isEnded).toBe(false);
  });

  it('W18 a dozen in a row leave one stream, and no message is sent twice', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const streams = [];
    for (let index = 0; index < 12; index += 1) {
      const stream = await session.listen().head();
      server.upstream.newest.say('notifications/message', { level: 'info', data: index });
      await stream.message(0);
      streams.push(stream);
    }
    for (const stream of streams.slice(0, -1)) await stream.whole();
    expect(streams.map(({ messages }) => messages.length)).toEqual(streams.map(() => 1));
    expect(server.endpoint.status.streams).toBe(1);
  });
});

describe('the beginning', () => {
  it.each(['2025-11-25', '2025-06-18', '2025-03-26'])(
    'W29 in %s has an id and a retry, and empty data only where the revision has it',
    async (version) => {
      const server = await wireServer();
      const session = await Session2025.open(server, { version });
      const standalone = await session.listen().head();
      const reply = await session.post(callLater(1)).head();
      for (const stream of [standalone, reply]) {
        const first = await stream.block(0);
        expect(first.id).toMatch(/^[A-Za-z0-9._-]{1,64}$/);
        expect(first.data).toBe(version === '2025-11-25' ? '' : undefined);
        expect(first.event).toBeUndefined();
        expect(stream.text.startsWith('id: ')).toBe(true);
      }
    },
  );

  it('W29 has no empty data where it is switched off, but an id to come back with', async () => {
    const server = await wireServer({ priming: 'off' });
    const session = await Session2025.open(server);
    const first = await (await session.listen().head()).block(0);
    expect([first.id === undefined, first.data]).toEqual([false, undefined]);
  });

  it('W30 has a retry jittered for this client, by half of two seconds', async () => {
    const fractions = [0, 0.25, 0.5, 0.999];
    let index = 0;
    const { server } = await timedServer({}, () => fractions[index++ % fractions.length] ?? 0);
    const session = await Session2025.open(server);
    const waits: number[] = [];
    for (let i = 0; i < 8; i += 1) {
      waits.push(Number((await (await session.listen().head()).block(0)).retry));
    }
    expect(new Set(waits).size).toBeGreaterThan(1);
    for (const wait of waits) {
      expect(wait).toBeGreaterThanOrEqual(1000);
      expect(wait).toBeLessThanOrEqual(3000);
      expect(Number.isInteger(wait)).toBe(true);
    }
  });

  it('W75 comes at once, with the headers that keep proxies from buffering', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const encodings = { 'accept-encoding': 'gzip, br' };
    const standalone = await session.listen(undefined, encodings).head();
    const reply = await session.post(callLater(1), encodings).head();
    for (const stream of [standalone, reply]) {
      await stream.block(0);
      expect(stream.header('content-type')).toBe('text/event-stream');
      expect(stream.header('cache-control')).toBe('no-cache, no-transform');
      expect(stream.header('x-accel-buffering')).toBe('no');
      expect(stream.header('content-encoding')).toBeUndefined();
      expect(stream.header('tidegate-resume')).toBeUndefined();
    }
  });
});

describe('silence', () => {
  it('W74 is broken by a comment every 15 s, on the reply of a slow POST too', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const standalone = await session.listen().head();
    const reply = session.post(callLater(1), { accept: 'text/event-stream' });
    await reply.head();
    const comments = (): readonly number[] =>
      [standalone, reply].map(({ blocks }) => blocks.filter((each) => each.isComment).length);
    await pass(14_999);
    await session.post(rpc(2, 'ping')).whole();
    expect(comments()).toEqual([0, 0]);
    for (const count of [1, 2, 3]) {
      await pass(15_000);
      const isBeaten = (): boolean => comments().every((each) => each >= count);
      await standalone.until(() => (comments()[0] ?? 0) >= count, `heartbeat ${count}`);
      await reply.until(isBeaten, `heartbeat ${count} of the reply`);
      expect(comments()).toEqual([count, count]);
    }
    for (const stream of [standalone, reply]) {
      expect(stream.messages).toEqual([]);
      for (const { isComment, text } of stream.blocks.slice(1)) {
        expect([isComment, text.startsWith(':')]).toEqual([true, true]);
      }
    }
  });

  it('W74 that is broken by a message needs no comment until 15 s after it', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    await pass(10_000);
    server.upstream.newest.say('notifications/tools/list_changed');
    await pass(14_999);
    server.upstream.newest.say('notifications/tools/list_changed');
    await stream.message(1);
    expect(stream.blocks.some(({ isComment }) => isComment)).toBe(false);
    await pass(15_000);
    await stream.until(() => stream.blocks.at(-1)?.isComment === true, 'a heartbeat');
  });

  it('W74 is kept where clients choke on comments, and beats as often as it is told to', async () => {
    const silent = await timedServer({ heartbeat: 'off' });
    const quiet = await (await Session2025.open(silent.server)).listen().head();
    await quiet.block(0);
    await silent.pass(60_000);
    silent.server.upstream.newest.say('notifications/tools/list_changed');
    await quiet.message(0);
    expect(quiet.blocks).toHaveLength(2);
    const quick = await wireServer({ limits: { heartbeatMs: 5 } });
    const stream = await (await Session2025.open(quick)).listen().head();
    await stream.until(() => stream.blocks.filter((each) => each.isComment).length > 3, 'hearts');
  });
});
