/** Lists of several servers as one: order, bounds, and who is left out. */
import { describe, expect, it } from 'vitest';
import { ModernUpstream } from '../wire/modern-upstream.ts';
import type { Json } from '../wire/wire-reply.ts';
import { listed, Merged, WAIT_MS } from './conversation.ts';

const PUBLIC = { ttlMs: 5000, cacheScope: 'public' };

interface Two {
  readonly one: ModernUpstream;
  readonly two: ModernUpstream;
}

function two(): Two {
  return { one: new ModernUpstream(), two: new ModernUpstream() };
}

async function answer(
  server: ModernUpstream,
  result: Json,
  index = 0,
  method = 'tools/list',
): Promise<void> {
  (await server.call(index, method)).answer({ ...PUBLIC, ...result });
}

describe('a list', () => {
  it('stands in the order of the servers, whichever answers first, with all of their pages', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/list');
    await answer(servers.two, { tools: [{ name: 'c' }] });
    await answer(servers.one, { tools: [{ name: 'b' }], nextCursor: 'more' });
    const next = await servers.one.call(1, 'tools/list');
    expect(next.params['cursor']).toBe('more');
    expect(next.meta).not.toHaveProperty('progressToken');
    next.answer({ tools: [{ name: 'a' }], ttlMs: 1000, cacheScope: 'public' });
    const result = await conversation.answer(id);
    expect(listed(result, 'tools', 'name')).toEqual(['one__b', 'one__a', 'two__c']);
    expect(result).toMatchObject({ ttlMs: 1000, cacheScope: 'public', resultType: 'complete' });
    expect(result).not.toHaveProperty('nextCursor');
  });

  it('is private as soon as one server says so', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('prompts/list');
    await answer(servers.one, { prompts: [{ name: 'p' }] }, 0, 'prompts/list');
    const mine = { prompts: [{ name: 'p' }], cacheScope: 'private' };
    await answer(servers.two, mine, 0, 'prompts/list');
    const result = await conversation.answer(id);
    expect(listed(result, 'prompts', 'name')).toEqual(['one__p', 'two__p']);
    expect(result).toMatchObject({ ttlMs: 5000, cacheScope: 'private' });
  });

  it('of resources keeps the URIs, and tells which of two servers has lost one', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('resources/list');
    const method = 'resources/list';
    await answer(servers.one, { resources: [{ uri: 'x:1', name: 'first' }] }, 0, method);
    await answer(servers.two, { resources: [{ uri: 'x:1' }, { uri: 'x:2' }] }, 0, method);
    const result = await conversation.answer(id);
    expect(result['resources']).toEqual([{ uri: 'x:1', name: 'first' }, { uri: 'x:2' }]);
    const warned = merged.sight.logs.filter(({ event }) => event === 'merged_entry_left_out');
    expect(warned).toMatchObject([{ fields: { server: 'two', reason: 'repeated' } }]);
  });

  it('refuses a cursor of a server there is not', async () => {
    const conversation = new Merged({ ...two() }).conversation();
    const result = await conversation.ask('tools/list', { cursor: 'gone~1' });
    expect(result).toMatchObject({ error: { code: -32602 } });
  });

  it('goes on at the cursor it gave, without the servers before it', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/list', { cursor: 'two~page 2' });
    const request = await servers.two.call(0, 'tools/list');
    expect(request.params['cursor']).toBe('page 2');
    request.answer({ tools: [{ name: 'z' }], ...PUBLIC });
    expect(listed(await conversation.answer(id), 'tools', 'name')).toEqual(['two__z']);
    expect(servers.one.calls).toEqual([]);
  });

  it('that is given up is given up at every server', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = conversation.send('tools/list');
    const calls = [await servers.one.call(0), await servers.two.call(0)];
    conversation.cancel(id);
    for (const server of [servers.one, servers.two]) {
      await server.until(() => server.calls[0]?.isCancelled === true, 'the cancellation');
    }
    for (const call of calls) call.answer({ tools: [], ...PUBLIC });
    await conversation.ask('server/discover');
    expect(conversation.isAnswered(id)).toBe(false);
  });
});

describe('a server', () => {
  it('that takes longer than the wait is left out, and the list is not to be kept', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('tools/list');
    const slow = await servers.one.call(0);
    await answer(servers.two, { tools: [{ name: 'c' }] });
    // Nothing tells that an answer was taken.
    await conversation.ask('server/discover');
    merged.clock.advance(WAIT_MS - 1);
    expect(conversation.isAnswered(id)).toBe(false);
    merged.clock.advance(1);
    const result = await conversation.answer(id);
    expect(listed(result, 'tools', 'name')).toEqual(['two__c']);
    expect(result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    expect(merged.sight.counts.get('merged_left_out_total slow')).toBe(1);
    await servers.one.until(() => slow.isCancelled, 'the cancellation');
  });

  it('that is merged no more is not waited for, and the list is not to be kept', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('tools/list');
    await servers.one.call(0);
    const [, other] = merged.members;
    await answer(servers.two, { tools: [{ name: 'c' }] });
    // Nothing tells that an answer was taken.
    await conversation.ask('server/discover');
    merged.upstream.setMembers([other as (typeof merged.members)[number]]);
    const result = await conversation.answer(id);
    expect(listed(result, 'tools', 'name')).toEqual(['two__c']);
    expect(result).toMatchObject({ ttlMs: 0, cacheScope: 'private' });
    expect(merged.sight.counts.size).toBe(0);
  });

  it('that is merged no more leaves an empty list where it was the only one', async () => {
    const one = new ModernUpstream();
    const merged = new Merged({ one });
    const conversation = merged.conversation();
    const id = conversation.send('tools/list');
    await one.call(0);
    merged.upstream.setMembers([]);
    expect(listed(await conversation.answer(id), 'tools', 'name')).toEqual([]);
  });

  it('that fails is left out with all of its pages', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const id = conversation.send('tools/list');
    await answer(servers.two, { tools: [{ name: 'c' }] });
    await answer(servers.one, { tools: [{ name: 'a' }], nextCursor: 'more' });
    (await servers.one.call(1)).fail(-32603, 'broken');
    const result = await conversation.answer(id);
    expect(listed(result, 'tools', 'name')).toEqual(['two__c']);
    expect(merged.sight.counts.get('merged_left_out_total failed')).toBe(1);
  });

  it('that is alone and fails is the failure of all', async () => {
    const one = new ModernUpstream();
    const conversation = new Merged({ one }).conversation();
    const id = conversation.send('tools/list');
    (await one.call(0)).fail(-32603, 'broken');
    expect(await conversation.answer(id)).toMatchObject({ error: { code: -32010 } });
  });

  it('that says nothing of itself is waited for once', async () => {
    const servers = { one: new ModernUpstream({ holdsDiscover: true }), two: new ModernUpstream() };
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    const first = conversation.send('tools/list');
    await merged.heard('two');
    await servers.one.call(0, 'server/discover');
    merged.clock.advance(WAIT_MS);
    await answer(servers.two, { tools: [{ name: 'c' }] });
    expect(listed(await conversation.answer(first), 'tools', 'name')).toEqual(['two__c']);
    const second = conversation.send('tools/list');
    await answer(servers.two, { tools: [{ name: 'c' }] }, 1);
    expect(listed(await conversation.answer(second), 'tools', 'name')).toEqual(['two__c']);
  });
});

it('what the merged server says of itself names its servers’ instructions and no one else', async () => {
  const conversation = new Merged({ ...two() }).conversation();
  const result = await conversation.ask('server/discover');
  expect(result).toMatchObject({
    supportedVersions: ['2026-07-28'],
    capabilities: { tools: { listChanged: true } },
    _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'merged' } },
  });
});

it('no server at all is an empty list', async () => {
  const conversation = new Merged({}).conversation();
  expect(await conversation.ask('tools/list')).toMatchObject({ tools: [], ttlMs: 0 });
});
