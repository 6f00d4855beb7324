/**
 * Coming back for the rest of a stream: exactly, or with the gap named, never silently afresh.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
import { describe, expect, it } from 'vitest';
import { callLater, callNow, note, Session2025 } from './conversation.ts';
import { people } from './people.ts';
import { eventually } from './signal.ts';
import type { Json } from './wire-reply.ts';
import { timedServer, wireServer } from './wire-server.ts';

describe('a reply whose connection is lost', () => {
  it('W31 is not cancelled: the handler runs on, and its answer waits to be fetched', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1)).head();
    await reply.block(0);
    reply.leave();
    await eventually(() => server.endpoint.status.streams === 0, 'the loss of the reply');
    const call = await server.upstream.call(0);
    expect(call.isCancelled).toBe(false);
    call.log('missed');
    call.say('kept');
    expect(server.upstream.newest.methods()).not.toContain('notifications/cancelled');
    const back = await session.listen(reply.lastEventId).whole();
    expect([back.status, back.header('tidegate-resume')]).toEqual([200, 'exact']);
    expect(back.messages).toMatchObject([
      { params: { data: 'missed' } },
      { id: 1, result: { content: [{ text: 'kept' }] } },
    ]);
  });

  it('W31 that was still undecided runs on as well, and disturbs nothing', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    reply.leave();
    expect((await session.post(callNow(2)).whole()).status).toBe(200);
    expect(call.isCancelled).toBe(false);
    call.say('for nobody');
    expect((await session.post(callNow(3)).whole()).status).toBe(200);
    expect(server.endpoint.status.pending).toBe(0);
  });

  it('W31 and is cancelled yields no response', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const stream = await session.post(callLater(1), { accept: 'text/event-stream' }).head();
    const undecided = session.post(callLater('two'));
    const onlyJson = session.post(callLater(3), { accept: 'application/json' });
    const calls = await Promise.all([0, 1, 2].map((index) => server.upstream.call(index)));
    for (const requestId of [1, 'two', 3]) {
      await session.post(note('notifications/cancelled', { requestId })).whole();
    }
    await server.upstream.until(() => calls.every((call) => call.isCancelled), 'cancellations');
    for (const call of calls) call.say('too late');
    for (const reply of [stream, undecided, onlyJson]) {
      await reply.whole();
      expect(reply.isBroken).toBe(false);
      expect(reply.text).not.toContain('jsonrpc');
    }
    expect([onlyJson.status, onlyJson.text]).toEqual([202, '']);
    expect(server.endpoint.status.pending).toBe(0);
  });
});

describe('a batch', () => {
  it('W31 of which every call is cancelled yields nothing, not an empty array', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const batch = [callLater(1), callLater(2)];
    const reply = session.post(batch, { accept: 'application/json' });
    await server.upstream.call(1);
    for (const requestId of [1, 2]) {
      await session.post(note('notifications/cancelled', { requestId })).whole();
    }
    await reply.whole();
    expect([reply.status, reply.text]).toEqual([202, '']);
  });
});

describe('a stream that we close before its end', () => {
  it('W30 has told when to come back, and the client then gets the rest', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1, 'p')).head();
    const call = await server.upstream.call(0);
    call.progress(1);
    await reply.message(0);
    call.closeStream();
    await reply.whole();
    expect(reply.isBroken).toBe(false);
    expect(reply.blocks.some(({ retry }) => Number(retry) > 0)).toBe(true);
    call.progress(2);
    const back = await session.listen(reply.lastEventId).head();
    expect(back.header('tidegate-resume')).toBe('exact');
    call.progress(3);
    call.say('done');
    await back.whole();
    expect(back.messages.map(({ id, params }) => id ?? params)).toEqual([
      { progressToken: 'p', progress: 2 },
      { progressToken: 'p', progress: 3 },
      1,
    ]);
  });

  it('W30 before anything was sent on it is a stream with an id to come back with', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 60_000 } });
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.closeStream();
    await reply.whole();
    expect(reply.messages).toEqual([]);
    expect(Number(reply.blocks[0]?.retry)).toBeGreaterThan(0);
    const back = await session.listen(reply.lastEventId).head();
    call.say('done');
    await back.whole();
    expect(back.messages).toMatchObject([{ id: 1 }]);
  });

  it('W38 is over: who has all of it and comes back is told that there is no more', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = session.post(callLater(1));
    const call = await server.upstream.call(0);
    call.log('company');
    call.fail(-32603, 'It failed.');
    await reply.whole();
    const back = await session.listen(reply.lastEventId).whole();
    expect([back.status, back.header('allow')]).toEqual([405, 'POST, DELETE']);
    expect(JSON.parse(back.text)).toMatchObject({ error: { code: -32600 } });
    const again = await session.listen(reply.blocks[0]?.id).whole();
    expect(again.messages).toEqual(reply.messages);
  });

  it('W30 because it is old says when to come back, and nothing is missed', async () => {
    const { server, pass } = await timedServer({ limits: { streamMsMax: 60_000 } });
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    await stream.block(0);
    await pass(75_000);
    await stream.whole();
    expect(stream.isBroken).toBe(false);
    expect(Number(stream.blocks.at(-1)?.retry)).toBeGreaterThan(0);
    server.upstream.newest.say('notifications/tools/list_changed');
    const back = await session.listen(stream.lastEventId).head();
    expect(back.header('tidegate-resume')).toBe('exact');
    expect(await back.message(0)).toMatchObject({ method: 'notifications/tools/list_changed' });
  });
});

describe('event ids', () => {
  it('W32 are unique in a session and lead to their own stream, from any place of it', async () => {
    const server = await wireServer({ limits: { replyDecisionMs: 1 } });
    const session = await Session2025.open(server);
    const standalone = await session.listen().head();
    const replies = [session.post(callLater(1)), session.post(callLater(2))];
    const calls = [await server.upstream.call(0), await server.upstream.call(1)];
    await Promise.all(replies.map((reply) => reply.head()));
    for (const step of ['a', 'b', 'c']) {
      for (const [index, call] of calls.entries()) call.log(`${step}${index}`);
      const data = `${step} for all`;
      server.upstream.newest.say('notifications/message', { level: 'info', data });
    }
    for (const call of calls) call.say('done');
    await Promise.all([standalone.message(2), ...replies.map((reply) => reply.whole())]);
    const all = [standalone, ...replies];
    const ids = all.flatMap(({ blocks }) => blocks.map(({ id }) => id));
    expect(new Set(ids).size).toBe(ids.length);
    for (const stream of all) {
      const expected = stream.messages;
      for (const [index, { id = '' }] of stream.blocks.entries()) {
        const back = await session.listen(id).head();
        const isWhole = stream !== standalone && index === stream.blocks.length - 1;
        expect(back.status).toBe(isWhole ? 405 : 200);
        if (isWhole) continue;
        expect(back.header('tidegate-resume')).toBe('exact');
        if (index < expected.length) await back.message(expected.length - index - 1);
        expect(back.messages).toEqual(expected.slice(index));
        const repeated = back.messageBlocks.map((block) => block.id);
        expect(repeated).toEqual(stream.messageBlocks.slice(index).map((block) => block.id));
        if (stream !== standalone) await back.whole();
      }
    }
  });

  it('W32 join replay and what comes live without a hole and without a repeat', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1)).head();
    const call = await server.upstream.call(0);
    const seen: unknown[] = [];
    let reader = reply;
    for (let round = 0; round < 10; round += 1) {
      for (let step = 0; step < 5; step += 1) call.log(`${round}.${step}`);
      await reader.message(round % 3);
      const read = reader.messageBlocks.slice(0, (round % 3) + 1);
      seen.push(...reader.messages.slice(0, read.length).map(loggedIn));
      reader.leave();
      const next = session.listen(read.at(-1)?.id);
      call.log(`${round}.5`);
      reader = await next.head();
    }
    call.say('done');
    await reader.whole();
    seen.push(...reader.messages.map((message) => message['id'] ?? loggedIn(message)));
    const rounds = Array.from({ length: 10 }, (_, round) => round);
    const logged = rounds.flatMap((round) => [0, 1, 2, 3, 4, 5].map((step) => `${round}.${step}`));
    expect(seen).toEqual([...logged, 1]);
  });

  it('W33 V29 that are unknown, malformed or foreign are the same 400', async () => {
    const server = await wireServer({ identity: people() });
    const session = await Session2025.open(server, { token: 'alice' });
    const own = await Session2025.open(server, { token: 'alice' });
    const bob = await Session2025.open(server, { token: 'bob' });
    const foreign: string[] = [];
    for (const other of [own, bob]) {
      const stream = await other.listen().head();
      foreign.push((await stream.block(0)).id ?? '');
      const reply = await other.post(callLater(1)).head();
      foreign.push((await reply.block(0)).id ?? '');
    }
    await (await session.listen().head()).block(0);
    const malformed = [
      'junk',
      '0',
      '0.1-0',
      '0.1-0.',
      `${'9'.repeat(300)}`,
      'é',
      '../..',
      '-1.1-0.0',
    ];
    const texts = new Set<string>();
    for (const id of [...malformed, ...foreign]) {
      const reply = await session.listen(id).whole();
      expect([id, reply.status]).toEqual([id, 400]);
      texts.add(reply.bytes);
    }
    expect(texts.size).toBe(1);
    expect([...texts][0]).toContain('"code":-32600');
  });

  it('W33 of a place that was never reached are unknown', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    for (const data of ['one', 'two']) {
      server.upstream.newest.say('notifications/message', { level: 'info', data });
    }
    await stream.message(1);
    const invented = stream.lastEventId.replace(/-2\./, '-3.');
    expect(invented).not.toBe(stream.lastEventId);
    expect((await session.listen(invented).whole()).status).toBe(400);
    expect(stream.isEnded).toBe(false);
  });

  it('W34 of two resumes of one stream the newest wins', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const reply = await session.post(callLater(1)).head();
    const { id } = await reply.block(0);
    const call = await server.upstream.call(0);
    const first = await session.listen(id).head();
    const second = await session.listen(id).head();
    await Promise.all([reply.whole(), first.whole()]);
    expect([reply.isBroken, first.isBroken]).toEqual([false, false]);
    call.say('for the newest');
    await second.whole();
    expect([reply.messages, first.messages]).toEqual([[], []]);
    expect(second.messages).toMatchObject([{ id: 1 }]);
  });

  it('W32 resume a reply beside a standalone stream, which goes on', async () => {
    const server = await wireServer();
    const session = await Session2025.open(server);
    const standalone = await session.listen().head();
    const reply = await session.post(callLater(1)).head();
    const { id } = await reply.block(0);
    reply.leave();
    const back = await session.listen(id).head();
    server.upstream.newest.say('notifications/tools/list_changed');
    (await server.upstream.call(0)).say('done');
    await back.whole();
    expect(back.messages).toMatchObject([{ id: 1 }]);
    await standalone.message(0);
    expect(standalone.messages).toHaveLength(1);
  });
});

describe('a gap', () => {
  it('is named, an evicted answer is replaced by -32011, what is left follows', async () => {
    const server = await wireServer({ limits: { logEventsMax: 2, replyDecisionMs: 1 } });
    const session = await Session2025.open(server, { version: '2025-03-26' });
    const reply = await session.post([callLater('lost'), callLater('kept')]).head();
    const { id } = await reply.block(0);
    reply.leave();
    const [first, second] = [await server.upstream.call(0), await server.upstream.call(1)];
    first.say('will be evicted');
    for (const data of ['a', 'b']) second.log(data);
    second.say('done');
    const back = await session.listen(id).whole();
    expect([back.status, back.header('tidegate-resume')]).toEqual([200, 'gap']);
    expect(back.messages).toMatchObject([
      { id: 'lost', error: { code: -32011 } },
      { params: { data: 'b' } },
      { id: 'kept', result: {} },
    ]);
    const fromTheEnd = await session.listen(back.lastEventId).whole();
    expect(fromTheEnd.status).toBe(405);
  });

  it('on a standalone stream tells the client to look at every list again', async () => {
    const capabilities = {
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { listChanged: false },
    };
    const server = await wireServer({ limits: { logEventsMax: 1 }, hand: { capabilities } });
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    const { id } = await stream.block(0);
    stream.leave();
    for (const data of ['gone', 'left']) {
      server.upstream.newest.say('notifications/message', { level: 'info', data });
    }
    const back = await session.listen(id).head();
    expect(back.header('tidegate-resume')).toBe('gap');
    await back.message(2);
    expect(back.messages.map(({ params, method }) => params ?? method)).toEqual([
      { level: 'info', data: 'left' },
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    const again = await session.listen(back.lastEventId).head();
    expect(again.header('tidegate-resume')).toBe('exact');
  });

  it('comes with age, too: after five minutes events are not kept', async () => {
    const { server, pass } = await timedServer();
    const session = await Session2025.open(server);
    const held = await session.listen().head();
    await held.block(0);
    const reply = await session.post(callLater('old'), { accept: 'text/event-stream' }).head();
    const { id } = await reply.block(0);
    reply.leave();
    (await server.upstream.call(0)).say('done');
    await pass(299_000);
    expect((await session.listen(id).whole()).messages).toMatchObject([{ id: 'old', result: {} }]);
    await pass(2000);
    const back = await session.listen(id).whole();
    expect(back.header('tidegate-resume')).toBe('gap');
    expect(back.messages).toMatchObject([{ id: 'old', error: { code: -32011 } }]);
  });

  it('is counted, as is an exact resume and a refused one', async () => {
    const outcomes: unknown[] = [];
    const telemetry = {
      log: () => {},
      request: () => {},
      streamClosed: () => {},
      count: (name: string, labels: object) => {
        if (name === 'resume_total') outcomes.push(labels);
      },
    };
    const server = await wireServer({ limits: { logEventsMax: 1 }, telemetry });
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    const { id } = await stream.block(0);
    await session.listen(id).head();
    for (const data of ['gone', 'left']) {
      server.upstream.newest.say('notifications/message', { level: 'info', data });
    }
    await session.listen(id).head();
    await session.listen('junk').whole();
    expect(outcomes).toEqual([{ outcome: 'exact' }, { outcome: 'gap' }, { outcome: 'refused' }]);
  });
});

function loggedIn({ params }: Json): unknown {
  return (params as { readonly data: string }).data;
}
