/**
 * What a client that comes back with `Last-Event-ID` is given of the time when it was away: what
 * was let through then, and to nobody who may not have the session now.
 */
import { expect, it } from 'vitest';
import { PolicyAccess } from '../../src/adapters/policy/policy-access.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { rpc, Session2025 } from '../wire/conversation.ts';
import { people } from '../wire/people.ts';
import { eventually } from '../wire/signal.ts';
import { wireServer, type WireServer } from '../wire/wire-server.ts';

const [A, B, C] = ['file:///a', 'file:///b', 'file:///c'];

function permit(
  access: PolicyAccess,
  resources: readonly string[],
  tools: readonly string[],
): void {
  const allow = [{ resources: [...resources] }, { tools: [...tools] }];
  access.prepare({ sources: [], allow, arguments: {} })();
}

interface Away {
  readonly server: WireServer;
  readonly identity: ReturnType<typeof people>;
  readonly session: Session2025;
  readonly access: PolicyAccess;
  /** The last events that it saw: of its own stream, and of its call's. */
  readonly seen: { readonly own: string; readonly call: string };
}

/** A client that subscribed two resources and called a tool, and whose streams are gone. */
async function away(): Promise<Away> {
  const access = new PolicyAccess({ telemetry: silent, wallMs: () => 0 });
  permit(access, [A, B, C], ['later']);
  const identity = people();
  const server = await wireServer({ identity, access, limits: { replyDecisionMs: 5 } });
  const session = await Session2025.open(server, { token: 'alice' });
  const own = session.listen();
  for (const [index, uri] of [A, B].entries()) {
    const subscribed = session.post(rpc(index, 'resources/subscribe', { uri }));
    (await server.upstream.call(index)).answer({});
    await subscribed.whole();
  }
  server.upstream.newest.say('notifications/resources/updated', { uri: C });
  await own.message(0);
  const call = session.post(rpc('call', 'tools/call', { name: 'later', arguments: {} }));
  (await server.upstream.call(2)).log('begun');
  await call.message(0);
  for (const reply of [own, call]) reply.leave();
  await eventually(() => server.endpoint.status.streams === 0, 'the end of its streams');
  const seen = { own: own.lastEventId, call: call.lastEventId };
  return { server, identity, session, access, seen };
}

it('a replay is what policies let through when it was said, and later ones take nothing out of it', async () => {
  const { server, session, access, seen } = await away();
  const { newest } = server.upstream;
  newest.say('notifications/resources/updated', { uri: A });
  permit(access, [B], []);
  // Whoever had been there would have been told of the first, and not of the second.
  for (const uri of [A, B]) newest.say('notifications/resources/updated', { uri });
  (await server.upstream.call(2)).say('done');
  const own = session.listen(seen.own);
  await own.message(1);
  newest.say('notifications/resources/updated', { uri: A });
  newest.say('notifications/tools/list_changed');
  await own.message(2);
  expect(own.messages.map(({ method, params }) => [method, params])).toEqual([
    ['notifications/resources/updated', { uri: A }],
    ['notifications/resources/updated', { uri: B }],
    ['notifications/tools/list_changed', undefined],
  ]);
  const call = await session.listen(seen.call).whole();
  expect(call.messages).toMatchObject([{ id: 'call', result: { content: [{ text: 'done' }] } }]);
  own.leave();
});

it('a replay is given to nobody whose credential does not count, and of no session that is not theirs', async () => {
  const { server, identity, session, seen } = await away();
  server.upstream.newest.say('notifications/resources/updated', { uri: A });
  const statusFor = async (token: string): Promise<number> => {
    const reply = session.listen(seen.own, { authorization: `Bearer ${token}` });
    await reply.whole();
    expect(reply.text).not.toContain(A);
    return reply.status;
  };
  expect(await statusFor('bob')).toBe(404);
  identity.expire('alice');
  expect(await statusFor('alice')).toBe(401);
});

it('a replay of whose person was revoked is gone with the session', async () => {
  const { server, session, seen } = await away();
  server.upstream.newest.say('notifications/resources/updated', { uri: A });
  server.endpoint.revoke(({ subject }) => subject === 'alice');
  const gone = await session.listen(seen.own).whole();
  expect([gone.status, gone.text.includes(A)]).toEqual([404, false]);
});
