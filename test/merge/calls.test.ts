/** Requests of one server: that they reach it, as it knows them, and nobody else. */
import { describe, expect, it } from 'vitest';
import { ModernUpstream } from '../wire/modern-upstream.ts';
import type { Json } from '../wire/wire-reply.ts';
import { ALICE, BOB, type Conversation, Merged } from './conversation.ts';
import { member } from './merged-gate.ts';

const NOT_FOUND = [-32602, 'Resource not found'] as const;

interface Two {
  readonly one: ModernUpstream;
  readonly two: ModernUpstream;
}

function two(): Two {
  return { one: new ModernUpstream(), two: new ModernUpstream() };
}

/** Answers the lists of resources, so that it is known who has what. */
async function tellResources(
  server: ModernUpstream,
  uris: readonly string[],
  templates: readonly string[] = [],
  index = 0,
): Promise<void> {
  const kept = { ttlMs: 0, cacheScope: 'private' };
  const resources = uris.map((uri) => ({ uri, name: uri }));
  const resourceTemplates = templates.map((uriTemplate) => ({ uriTemplate, name: uriTemplate }));
  (await server.call(index, 'resources/list')).answer({ resources, ...kept });
  (await server.call(index, 'resources/templates/list')).answer({ resourceTemplates, ...kept });
}

describe('a tool', () => {
  it('is called by its own name, and what it says on the way stays with its call', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/call', { name: 'two__a__b', arguments: { n: 1 } });
    const other = conversation.send('tools/call', { name: 'two__a__b', arguments: { n: 2 } });
    const call = await servers.two.call(0);
    expect(call.params).toMatchObject({ name: 'a__b', arguments: { n: 1 } });
    call.progress(1);
    (await servers.two.call(1)).say('second');
    call.say('first');
    const [first, second] = [await conversation.answer(id), await conversation.answer(other)];
    expect([textOf(first), textOf(second)]).toEqual(['first', 'second']);
    expect(conversation.notices().map(({ value }) => value)).toMatchObject([
      { progressToken: id, progress: 1 },
    ]);
    expect(servers.one.calls).toEqual([]);
  });

  it('may ask for input, and what it keeps with the client comes back to it', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const params = { name: 'one__t', arguments: {} };
    const id = conversation.send('tools/call', params);
    const asked = { inputRequests: { q: { method: 'roots/list' } }, requestState: 'opaque' };
    (await servers.one.call(0)).answer({ resultType: 'input_required', ...asked });
    expect(await conversation.answer(id)).toMatchObject(asked);
    const inputResponses = { q: { roots: [] } };
    conversation.send('tools/call', { ...params, inputResponses, requestState: 'opaque' });
    const retry = await servers.one.call(1);
    expect(retry.params).toMatchObject({ inputResponses, requestState: 'opaque', name: 't' });
  });

  it('that is cancelled is cancelled where it runs, and answered no more', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/call', { name: 'one__t' });
    const call = await servers.one.call(0);
    conversation.cancel(id);
    await servers.one.until(() => call.isCancelled, 'the cancellation');
    call.say('too late');
    await conversation.ask('server/discover');
    expect(conversation.isAnswered(id)).toBe(false);
  });

  it('of a server that is down fails as it does at its own URL', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/call', { name: 'one__t' });
    await servers.one.call(0);
    servers.one.newest.die();
    expect(await conversation.answer(id)).toMatchObject({ error: { code: -32010 } });
  });

  it.each(['nobody__t', 't', '__t', 'one_t'])('%s is unknown', async (name) => {
    const conversation = new Merged({ ...two() }).conversation();
    expect(await conversation.ask('tools/call', { name })).toEqual({
      error: { code: -32602, message: `Unknown tool: ${name}` },
    });
  });
});

it.each(['tasks/get', 'logging/setLevel', 'unheard/of'])('%s is no method here', async (method) => {
  const conversation = new Merged({ ...two() }).conversation();
  expect(await conversation.ask(method)).toMatchObject({ error: { code: -32601 } });
});

describe('a resource', () => {
  it('is not waited for where a reload took its server away while it was asked what it has', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    await tellResources(servers.two, ['x:1']);
    await servers.one.call(0, 'resources/list');
    // Nothing tells that an answer was taken.
    await conversation.ask('server/discover');
    merged.upstream.setMembers(merged.members.filter(({ name }) => name === 'two'));
    const contents = [{ uri: 'x:1', text: 'there' }];
    (await servers.two.call(0, 'resources/read')).answer({ contents });
    expect(await conversation.answer(id)).toMatchObject({ contents });
  });

  it('is not found at once where the reload left nobody who could have it', async () => {
    const one = new ModernUpstream();
    const merged = new Merged({ one });
    const conversation = merged.conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    await one.call(0, 'resources/list');
    merged.upstream.setMembers([]);
    expect(await conversation.answer(id)).toMatchObject({
      error: { code: -32602, data: { uri: 'x:1' } },
    });
  });

  it('is read from the first server that lists it, whose word is the last', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    await tellResources(servers.two, ['x:1']);
    await tellResources(servers.one, ['x:2']);
    const read = await servers.two.call(0, 'resources/read');
    expect(read.params).toMatchObject({ uri: 'x:1' });
    read.fail(-32602, 'It was here.');
    expect(await conversation.answer(id)).toMatchObject({ error: { message: 'It was here.' } });
    expect(methods(servers.one)).not.toContain('resources/read');
    // It was not true any more: the lists are read again.
    conversation.send('resources/read', { uri: 'x:1' });
    await tellResources(servers.two, [], [], 1);
  });

  it('of nobody’s list is asked of the closest template, then of the others in order', async () => {
    const servers = { ...two(), three: new ModernUpstream() };
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('resources/read', { uri: 'db://people/7' });
    await tellResources(servers.one, []);
    await tellResources(servers.two, []);
    await tellResources(servers.three, [], ['db://{table}/{row}']);
    (await servers.three.call(0, 'resources/read')).fail(...NOT_FOUND);
    (await servers.one.call(0, 'resources/read')).fail(-32002, 'Resource not found');
    const contents = [{ uri: 'db://people/7', text: 'Ann' }];
    (await servers.two.call(0, 'resources/read')).answer({ contents });
    expect(await conversation.answer(id)).toMatchObject({ contents });
  });

  it('that no server knows is not found', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    for (const server of [servers.one, servers.two]) await tellResources(server, []);
    for (const server of [servers.one, servers.two]) {
      (await server.call(0, 'resources/read')).fail(...NOT_FOUND);
    }
    expect(await conversation.answer(id)).toEqual({
      error: { code: -32602, message: 'Resource not found', data: { uri: 'x:1' } },
    });
  });

  it('is asked of no server that is merged no more, but of what took its place', async () => {
    const servers = { ...two(), three: new ModernUpstream() };
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    for (const server of Object.values(servers)) await tellResources(server, []);
    const first = await servers.one.call(0, 'resources/read');
    const [one] = merged.members;
    const fresh = new ModernUpstream();
    merged.upstream.setMembers([one as (typeof merged.members)[number], member('three', fresh)]);
    first.fail(...NOT_FOUND);
    (await fresh.call(0, 'resources/read')).answer({ contents: [] });
    expect(await conversation.answer(id)).toMatchObject({ contents: [] });
    for (const gone of [servers.two, servers.three]) {
      expect(methods(gone)).not.toContain('resources/read');
    }
  });

  it('that fails for another reason is asked of nobody else', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('resources/read', { uri: 'x:1' });
    for (const server of [servers.one, servers.two]) await tellResources(server, []);
    (await servers.one.call(0, 'resources/read')).fail(-32603, 'disk on fire');
    expect(await conversation.answer(id)).toMatchObject({ error: { message: 'disk on fire' } });
    expect(methods(servers.two)).not.toContain('resources/read');
  });

  it('has its template’s arguments completed by the server of the template', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const ref = { type: 'ref/resource', uri: 'db://{table}' };
    conversation.send('completion/complete', { ref, argument: { name: 'table', value: 'p' } });
    await tellResources(servers.one, [], ['x://{y}']);
    await tellResources(servers.two, [], ['db://{table}']);
    expect((await servers.two.call(0, 'completion/complete')).params).toMatchObject({ ref });
  });
});

describe('two principals', () => {
  it('each have their own instance of every server, and see no word of the other', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const [alice, bob] = [merged.conversation(ALICE), merged.conversation(BOB)];
    const send = (who: Conversation, mark: number): number =>
      who.send('tools/call', { name: 'one__t', arguments: { mark } });
    const ids = [send(alice, 1), send(bob, 2)] as const;
    const calls = [await servers.one.call(0), await servers.one.call(1)];
    expect(calls[0]?.connection).not.toBe(calls[1]?.connection);
    for (const call of calls) {
      const { mark } = call.params['arguments'] as { readonly mark: number };
      call.progress(mark);
      call.say(`for ${mark}`);
    }
    expect(textOf(await alice.answer(ids[0]))).toBe('for 1');
    expect(textOf(await bob.answer(ids[1]))).toBe('for 2');
    expect(seen(alice)).toEqual([{ progressToken: 1, progress: 1 }]);
    expect(seen(bob)).toEqual([{ progressToken: 1, progress: 2 }]);
  });

  it('do not learn from each other who has a resource', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const [alice, bob] = [merged.conversation(ALICE), merged.conversation(BOB)];
    const read = alice.send('resources/read', { uri: 'secret:alice' });
    await tellResources(servers.one, []);
    await tellResources(servers.two, ['secret:alice']);
    (await servers.two.call(0, 'resources/read')).answer({ contents: [] });
    await alice.answer(read);
    const refused = bob.send('resources/read', { uri: 'secret:alice' });
    for (const server of [servers.one, servers.two]) await tellResources(server, [], [], 1);
    (await servers.one.call(0, 'resources/read')).fail(...NOT_FOUND);
    (await servers.two.call(1, 'resources/read')).fail(...NOT_FOUND);
    expect(await bob.answer(refused)).toMatchObject({ error: { message: 'Resource not found' } });
  });
});

function textOf(result: Json): string {
  const [first] = result['content'] as readonly { readonly text: string }[];
  return first?.text ?? '';
}

function methods(server: ModernUpstream): readonly string[] {
  return server.calls.map(({ method }) => method);
}

function seen(conversation: Conversation): readonly unknown[] {
  return conversation.notices().map(({ value }) => value);
}
