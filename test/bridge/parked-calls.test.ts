/**
 * Questions of a server of the handshake revisions, as multi-round-trip requests.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr
 */
import { describe, expect, it } from 'vitest';
import { answerOf, errorOf, modern, textOf } from '../wire/client-2026.ts';
import { people, STRANGERS } from '../wire/people.ts';
import { timedServer, wireServer, type WireOptions, type WireServer } from '../wire/wire-server.ts';
import { answerTo, asked, CAN_ALL, call, elicit, retry, YES, type Asked } from './asking.ts';

/** Without tools to list, so that every request is the test's. */
const HAND = { kind: 'stdio', capabilities: { logging: {} } } as const;
const OPTIONS: WireOptions = { hand: HAND };

async function firstAsk(server: WireServer, request = call(1)): Promise<Asked> {
  const before = server.upstream.calls.length;
  const reply = server.send(request);
  elicit(await server.upstream.call(before));
  const { result } = (await answerOf(reply)) as { result: Asked };
  expect(result.resultType).toBe('input_required');
  return result;
}

describe('a question in the middle of a call', () => {
  it('ends the request, and the retry joins the same call', async () => {
    const server = await wireServer(OPTIONS);
    const question = await firstAsk(server);
    const [key = ''] = Object.keys(question.inputRequests);
    expect(question.inputRequests[key]).toMatchObject({
      method: 'elicitation/create',
      params: { message: 'Sure?' },
    });
    const reply = server.send(retry('again', question, { [key]: YES }));
    const upstream = await server.upstream.call(0);
    expect(await answerTo(upstream.connection, '"q"')).toEqual({ result: YES });
    upstream.say('done');
    expect(await answerOf(reply)).toMatchObject({
      id: 'again',
      result: { resultType: 'complete', content: [{ text: 'done' }] },
    });
    expect(server.upstream.calls).toHaveLength(1);
  });

  it('goes out together with others asked at once, one key each', async () => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(call(1));
    const upstream = await server.upstream.call(0);
    elicit(upstream, 'q');
    upstream.ask('r', 'roots/list', {});
    upstream.ask(7, 'sampling/createMessage', { messages: [], maxTokens: 1 });
    const { result } = (await answerOf(reply)) as { result: Asked };
    const methods = Object.values(result.inputRequests).map(({ method }) => method);
    expect(methods).toEqual(['elicitation/create', 'roots/list', 'sampling/createMessage']);
  });

  it('is asked again while its answer is missing or makes no sense; strange keys are ignored', async () => {
    const server = await wireServer(OPTIONS);
    const first = await firstAsk(server);
    const [key = ''] = Object.keys(first.inputRequests);
    const second = await asked(server, retry(2, first, { stranger: YES }));
    expect(second.inputRequests).toEqual(first.inputRequests);
    expect(second.requestState).not.toBe(first.requestState);
    const third = await asked(server, retry(3, second, { [key]: 12 }));
    const reply = server.send(retry(4, third, { [key]: YES, stranger: YES }));
    const upstream = await server.upstream.call(0);
    await answerTo(upstream.connection, '"q"');
    upstream.say('done');
    expect(await textOf(reply)).toBe('done');
  });

  it('is refused upstream when it was asked in too many rounds', async () => {
    const server = await wireServer({ ...OPTIONS, limits: { bridgedRoundsMax: 2 } });
    let question = await firstAsk(server);
    question = await asked(server, retry(2, question, {}));
    const reply = server.send(retry(3, question, {}));
    const upstream = await server.upstream.call(0);
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32603 } });
    upstream.say('gave up');
    expect(await textOf(reply)).toBe('gave up');
  });

  it('takes the name its server gave it, without showing how', async () => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(call(1));
    const params = { message: 'Who?', requestedSchema: {}, _meta: { 'tidegate/inputKey': 'who' } };
    elicit(await server.upstream.call(0), 'q', params);
    const { result } = (await answerOf(reply)) as { result: Asked };
    const { _meta, ...shown } = params;
    expect(result.inputRequests).toEqual({ who: { method: 'elicitation/create', params: shown } });
  });

  it('is answered at once by what the first request brought for its name', async () => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(call(1, { inputResponses: { who: YES } }));
    const upstream = await server.upstream.call(0);
    expect(upstream.params['inputResponses']).toBeUndefined();
    elicit(upstream, 'q', { message: 'Who?', _meta: { 'tidegate/inputKey': 'who' } });
    expect(await answerTo(upstream.connection, '"q"')).toEqual({ result: YES });
    upstream.say('done');
    expect(await textOf(reply)).toBe('done');
  });

  it('is not asked when its server took it back in time', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const reply = server.send(call(1));
    const upstream = await server.upstream.call(0);
    elicit(upstream);
    upstream.connection.say('notifications/cancelled', { requestId: 'q' });
    await pass(1000);
    upstream.say('without');
    expect(await textOf(reply)).toBe('without');
  });
});

describe('the state of a parked call', () => {
  it.each([
    ['changed', (state: string) => `${state.slice(0, -1)}${state.endsWith('A') ? 'B' : 'A'}`, {}],
    ['lengthened', (state: string) => `${state}-TAMPERED`, {}],
    ['invented', () => 'AAAA', {}],
    ['empty', () => '', {}],
    ['used for other arguments', (state: string) => state, { arguments: { more: 1 } }],
    ['used for another tool', (state: string) => state, { name: 'other' }],
  ])('is refused when it is %s, and the call goes on', async (_, change, params) => {
    const server = await wireServer(OPTIONS);
    const question = await firstAsk(server);
    const [key = ''] = Object.keys(question.inputRequests);
    const changed = { ...question, requestState: change(question.requestState) };
    const refused = await server.fetch(retry(2, changed, { [key]: YES }, params));
    expect(await errorOf(refused)).toMatchObject({ id: 2, code: -32602 });
    const reply = server.send(retry(3, question, { [key]: YES }));
    const upstream = await server.upstream.call(0);
    await answerTo(upstream.connection, '"q"');
    upstream.say('done');
    expect(await textOf(reply)).toBe('done');
  });

  it('fetches what the server answered meanwhile, though the session is gone', async () => {
    const limits = { upstreamIdleMs: 2000, parkedMsMax: 60_000 };
    const { server, pass } = await timedServer({ ...OPTIONS, limits });
    const reply = server.send(call(1));
    elicit(await server.upstream.call(0));
    await pass(500);
    const { result: question } = (await answerOf(reply)) as { result: Asked };
    const upstream = await server.upstream.call(0);
    upstream.say('without');
    await pass(5000);
    await server.upstream.until(() => upstream.connection.isOver, 'the end of the session');
    expect(await textOf(server.send(retry(2, question, {})))).toBe('without');
  });

  it('is of use once', async () => {
    const server = await wireServer(OPTIONS);
    const question = await firstAsk(server);
    const [key = ''] = Object.keys(question.inputRequests);
    server.send(retry(2, question, { [key]: YES }));
    await answerTo((await server.upstream.call(0)).connection, '"q"');
    const again = await server.fetch(retry(3, question, { [key]: YES }));
    expect((await errorOf(again)).code).toBe(-32602);
  });

  it.each(['session', 'shared'] as const)(
    'is of use to nobody else, with isolation %s',
    async (isolation) => {
      const server = await wireServer({ ...OPTIONS, isolation, identity: people() });
      const question = await firstAsk(server, call(1, {}, { token: 'alice' }));
      for (const token of STRANGERS) {
        const reply = await server.fetch(retry(2, question, { q: YES }, {}, { token }));
        expect((await errorOf(reply)).code).toBe(-32602);
      }
    },
  );

  it('expires, and then the server is told that nobody came back', async () => {
    const { server, pass } = await timedServer({ ...OPTIONS, limits: { parkedMsMax: 5000 } });
    const reply = server.send(call(1));
    const upstream = await server.upstream.call(0);
    elicit(upstream);
    await pass(1000);
    const { result } = (await answerOf(reply)) as { result: Asked };
    await pass(5000);
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32603 } });
    await server.upstream.until(() => upstream.isCancelled, 'the cancellation');
    const late = await server.fetch(retry(2, result, { q: YES }));
    expect((await errorOf(late)).code).toBe(-32602);
  });

  it('keeps the notifications of the call, in order, before its result', async () => {
    const server = await wireServer(OPTIONS);
    const meta = { progressToken: 'first', logLevel: 'info' };
    const question = await firstAsk(server, call(1, {}, { meta }));
    const upstream = await server.upstream.call(0, 'tools/call');
    upstream.progress(1);
    upstream.log('while away');
    upstream.progress(2);
    upstream.say('done');
    const said = { meta: { progressToken: 'second', logLevel: 'info' } };
    const reply = server.send(retry(2, question, {}, {}, said));
    await reply.whole();
    expect(reply.messages.map(({ method, params }) => [method, params])).toMatchObject([
      ['notifications/progress', { progressToken: 'second', progress: 1 }],
      ['notifications/message', { data: 'while away' }],
      ['notifications/progress', { progressToken: 'second', progress: 2 }],
      [undefined, undefined],
    ]);
    expect(await textOf(reply)).toBe('done');
  });

  it('tells of a server that died meanwhile', async () => {
    const server = await wireServer(OPTIONS);
    const question = await firstAsk(server);
    server.upstream.newest.die();
    const reply = await server.fetch(retry(2, question, {}));
    expect((await errorOf(reply)).code).toBe(-32010);
  });

  it('is not given out beyond the bound of one principal', async () => {
    const server = await wireServer({ ...OPTIONS, limits: { parkedPerOwnerMax: 1 } });
    await firstAsk(server);
    const reply = server.send(call(2));
    const upstream = await server.upstream.call(1);
    elicit(upstream);
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32003 } });
    upstream.say('unasked');
    expect(await textOf(reply)).toBe('unasked');
  });
});

describe('a server that cannot say for which call it asks', () => {
  it('is given one call at a time that may ask', async () => {
    const server = await wireServer(OPTIONS);
    const first = server.send(call(1));
    const one = await server.upstream.call(0);
    const second = server.send(call(2));
    const list = server.send(
      modern(3, 'prompts/list', {}, { meta: { clientCapabilities: CAN_ALL } }),
    );
    await server.upstream.call(0, 'prompts/list');
    expect(server.upstream.calls.map(({ method }) => method)).toEqual([
      'tools/call',
      'prompts/list',
    ]);
    one.say('one');
    expect(await textOf(first)).toBe('one');
    const two = await server.upstream.call(1, 'tools/call');
    expect(two.connection).toBe(one.connection);
    two.say('two');
    expect(await textOf(second)).toBe('two');
    list.leave();
  });

  it('is given no other while one waits for its user: another of its kind serves', async () => {
    const server = await wireServer(OPTIONS);
    const first = server.send(call(1));
    const second = server.send(call(2));
    const one = await server.upstream.call(0);
    elicit(one);
    const { result } = (await answerOf(first)) as { result: Asked };
    const two = await server.upstream.call(1);
    expect(two.connection).not.toBe(one.connection);
    elicit(two, 'q', { message: 'Two?', requestedSchema: {} });
    const other = ((await answerOf(second)) as { result: Asked }).result;
    expect(Object.values(other.inputRequests)).toMatchObject([{ params: { message: 'Two?' } }]);
    const [key = ''] = Object.keys(result.inputRequests);
    server.send(retry(3, result, { [key]: YES }));
    expect(await answerTo(one.connection, '"q"')).toEqual({ result: YES });
  });

  it('is given all calls at once by clients that cannot be asked', async () => {
    const server = await wireServer(OPTIONS);
    const said = { meta: { clientCapabilities: {} } };
    const replies = [1, 2, 3].map((id) => server.send(call(id, {}, said)));
    const calls = await Promise.all([0, 1, 2].map((index) => server.upstream.call(index)));
    expect(new Set(calls.map(({ connection }) => connection)).size).toBe(1);
    for (const each of calls.toReversed()) each.say(each.id);
    expect(await Promise.all(replies.map(textOf))).toEqual(calls.map(({ id }) => id));
  });

  it('asks nobody after a call was given up: the next is made elsewhere', async () => {
    const server = await wireServer(OPTIONS);
    const gone = server.send(call(1));
    const one = await server.upstream.call(0);
    gone.leave();
    await server.upstream.until(() => one.isCancelled, 'the cancellation');
    const reply = server.send(call(2));
    const two = await server.upstream.call(1);
    expect(two.connection).not.toBe(one.connection);
    elicit(one, 'late');
    expect(await answerTo(one.connection, '"late"')).toMatchObject({ error: { code: -32603 } });
    two.say('two');
    expect(await textOf(reply)).toBe('two');
  });
});

describe('questions nobody can be asked', () => {
  it.each(['prompts/list', 'completion/complete'])('during %s', async (method) => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(modern(1, method, {}, { meta: { clientCapabilities: CAN_ALL } }));
    const upstream = await server.upstream.call(0);
    elicit(upstream);
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32603 } });
    upstream.answer({ prompts: [] });
    expect(await answerOf(reply)).toMatchObject({ result: { resultType: 'complete' } });
  });

  it.each([
    ['an error', { code: -1, message: 'no' }],
    ['a failed result', undefined],
  ])('for want of a capability: %s names what is missing', async (_, error) => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(call(1, {}, { meta: { clientCapabilities: { roots: {} } } }));
    const upstream = await server.upstream.call(0);
    upstream.ask('q', 'sampling/createMessage', { messages: [], maxTokens: 1 });
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32601 } });
    if (error === undefined) upstream.answer({ isError: true, content: [] });
    else upstream.fail(error.code, error.message);
    await reply.whole();
    expect(reply.status).toBe(400);
    expect(await errorOf(reply)).toMatchObject({
      code: -32021,
      data: { requiredCapabilities: { sampling: {} } },
    });
  });

  it('when the client left: the server is told so, and to stop', async () => {
    const { server, pass } = await timedServer(OPTIONS);
    const reply = server.send(call(1));
    const upstream = await server.upstream.call(0);
    elicit(upstream);
    reply.leave();
    await server.upstream.until(() => upstream.isCancelled, 'the cancellation');
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32603 } });
    await pass(1000);
  });

  it('of a task that is over, whichever call is in flight', async () => {
    const server = await wireServer(OPTIONS);
    const reply = server.send(call(1));
    const upstream = await server.upstream.call(0);
    const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 'gone' } };
    elicit(upstream, 'q', { message: 'Whose?', requestedSchema: {}, _meta });
    expect(await answerTo(upstream.connection, '"q"')).toMatchObject({ error: { code: -32603 } });
    upstream.say('done');
    expect(await answerOf(reply)).toMatchObject({ result: { resultType: 'complete' } });
  });

  it('outside of every call', async () => {
    const server = await wireServer(OPTIONS);
    await server.fetch(call(1, { name: 'now' }));
    const { newest } = server.upstream;
    newest.say('roots/list', {}, { id: 'r' });
    newest.say('ping', undefined, { id: 'p' });
    expect(await answerTo(newest, '"r"')).toMatchObject({ error: { code: -32603 } });
    expect(await answerTo(newest, '"p"')).toEqual({ result: {} });
  });
});
