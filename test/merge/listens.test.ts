/** One listen over those of several servers, and what is told when servers go, come and change. */
import { describe, expect, it } from 'vitest';
import { ModernUpstream, type ModernUpstreamOptions } from '../wire/modern-upstream.ts';
import type { Json } from '../wire/wire-reply.ts';
import { type Conversation, listed, Merged, WAIT_MS } from './conversation.ts';
import { member } from './merged-gate.ts';

const ACKNOWLEDGED = 'notifications/subscriptions/acknowledged';
const TOOLS_CHANGED = 'notifications/tools/list_changed';
const UPDATED = 'notifications/resources/updated';
const TOOLS = { toolsListChanged: true };

interface Two {
  readonly one: ModernUpstream;
  readonly two: ModernUpstream;
}

function two(options: ModernUpstreamOptions = {}): Two {
  return { one: new ModernUpstream(options), two: new ModernUpstream(options) };
}

function listen(conversation: Conversation, notifications: Json): number {
  return conversation.send('subscriptions/listen', { notifications });
}

/** Listens, once it is acknowledged. */
async function listening(conversation: Conversation, notifications: Json = TOOLS): Promise<number> {
  const id = listen(conversation, notifications);
  await told(conversation, ACKNOWLEDGED);
  return id;
}

/** The notifications of a kind, once there are as many. */
async function told(
  conversation: Conversation,
  method: string,
  times = 1,
): Promise<readonly unknown[]> {
  const found = (): readonly unknown[] => conversation.notices(method).map(({ value }) => value);
  await conversation.until(() => found().length >= times, `${times} of ${method}`);
  expect(found()).toHaveLength(times);
  return found();
}

function stamp(id: number): Json {
  return { _meta: { 'io.modelcontextprotocol/subscriptionId': id } };
}

describe('a listen', () => {
  it('is acknowledged once, when all have answered, and told of every server’s changes', async () => {
    const servers = two({ holdsListens: true });
    const conversation = new Merged({ ...servers }).conversation();
    const id = listen(conversation, TOOLS);
    const [first, second] = [await servers.one.listen(0), await servers.two.listen(0)];
    first.acknowledge();
    servers.one.publish(TOOLS_CHANGED, 'toolsListChanged');
    await conversation.ask('server/discover');
    expect(conversation.notices()).toEqual([]);
    second.acknowledge();
    await told(conversation, TOOLS_CHANGED);
    expect(conversation.notices().map(({ method }) => method)).toEqual([
      ACKNOWLEDGED,
      TOOLS_CHANGED,
    ]);
    servers.two.publish(TOOLS_CHANGED, 'toolsListChanged');
    const [acknowledged] = await told(conversation, ACKNOWLEDGED);
    expect(acknowledged).toEqual({ ...stamp(id), notifications: TOOLS });
    expect(await told(conversation, TOOLS_CHANGED, 2)).toEqual([stamp(id), stamp(id)]);
  });

  it('waits for a slow server no longer than the bound, and tells its changes when it answers', async () => {
    const servers = two({ holdsListens: true });
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    listen(conversation, TOOLS);
    (await servers.one.listen(0)).acknowledge();
    const late = await servers.two.listen(0);
    await conversation.ask('server/discover');
    merged.clock.advance(WAIT_MS);
    await told(conversation, ACKNOWLEDGED);
    late.acknowledge();
    await told(conversation, TOOLS_CHANGED);
  });

  it('to a resource goes to the server that has it, and nowhere else', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    const id = listen(conversation, { resourceSubscriptions: ['x:1'] });
    const kept = { ttlMs: 0, cacheScope: 'private' };
    for (const server of [servers.one, servers.two]) {
      const resources = server === servers.two ? [{ uri: 'x:1', name: 'x' }] : [];
      (await server.call(0, 'resources/list')).answer({ resources, ...kept });
      const templates = await server.call(0, 'resources/templates/list');
      templates.answer({ resourceTemplates: [], ...kept });
    }
    await told(conversation, ACKNOWLEDGED);
    servers.two.publish(UPDATED, 'resourceSubscriptions', { uri: 'x:1' });
    expect(await told(conversation, UPDATED)).toEqual([{ ...stamp(id), uri: 'x:1' }]);
    expect(servers.one.listens).toEqual([]);
  });

  it('that is given up is given up at every server', async () => {
    const servers = two();
    const conversation = new Merged({ ...servers }).conversation();
    conversation.cancel(await listening(conversation));
    for (const server of [servers.one, servers.two]) {
      await server.until(() => server.listens[0]?.isCancelled === true, 'the cancellation');
    }
  });

  it('that a server ends is opened there again, and its changes are told', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    await listening(conversation);
    (await servers.one.listen(0)).end();
    await merged.passUntil(() => servers.one.listens.length > 1, 'the next listen');
    await told(conversation, TOOLS_CHANGED);
    expect(servers.two.listens).toHaveLength(1);
  });
});

describe('who listens is told that the lists changed', () => {
  it('when a server is found to be down, and when it is back', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    await listening(conversation);
    const call = conversation.send('tools/call', { name: 'one__t' });
    await servers.one.call(0);
    servers.one.isDown = true;
    servers.one.newest.die();
    expect(await conversation.answer(call)).toMatchObject({ error: { code: -32010 } });
    await merged.passUntil(() => merged.isMissed('one'), 'the server to be missed');
    const count = (): number => conversation.notices(TOOLS_CHANGED).length;
    await conversation.until(() => count() > 0, 'the change');
    const before = count();
    servers.one.isDown = false;
    await merged.passUntil(() => merged.isHeard('one', 2), 'the server to be heard');
    await conversation.until(() => count() > before, 'the change back');
  });

  it('when servers are added, replaced or removed; what stays goes on', async () => {
    const servers = two();
    const merged = new Merged({ ...servers });
    const conversation = merged.conversation();
    await listening(conversation);
    const inFlight = conversation.send('tools/call', { name: 'two__t' });
    const call = await servers.two.call(0);
    const [one] = merged.members;
    const three = new ModernUpstream();
    merged.upstream.setMembers([member('three', three), one as (typeof merged.members)[number]]);
    await merged.heard('three');
    await three.listen(0);
    expect(servers.one.listens).toHaveLength(1);
    expect(servers.two.listens[0]?.isCancelled).toBe(true);
    await conversation.until(() => conversation.notices(TOOLS_CHANGED).length > 1, 'the changes');
    // A call in flight at a server that left ends in its own time.
    call.say('in peace');
    expect(await conversation.answer(inFlight)).toMatchObject({ content: [{ text: 'in peace' }] });
    expect(await conversation.ask('tools/call', { name: 'two__t' })).toMatchObject({
      error: { message: 'Unknown tool: two__t' },
    });
    const id = conversation.send('tools/list');
    const kept = { ttlMs: 0, cacheScope: 'private' };
    (await three.call(0)).answer({ tools: [{ name: 'c' }], ...kept });
    (await servers.one.call(0)).answer({ tools: [{ name: 'a' }], ...kept });
    const names = listed(await conversation.answer(id), 'tools', 'name');
    expect(names).toEqual(['three__c', 'one__a']);
  });
});

it('names that could be taken for each other are refused', () => {
  const { upstream } = new Merged({});
  const app = member('x', new ModernUpstream()).app;
  const set = (...names: readonly string[]): void =>
    upstream.setMembers(names.map((name) => ({ name, app })));
  expect(() => set('a', 'a')).toThrow(TypeError);
  expect(() => set('a__b')).toThrow(TypeError);
  expect(() => set('')).toThrow(TypeError);
  expect(() => set('a-b', 'a')).not.toThrow();
});
