/**
 * Many people on one server: equal ids, tokens and names at once, and nobody sees a byte of
 * another's. Every secret is a canary, so a crossed wire is found wherever it comes out.
 */
import { describe, expect, it } from 'vitest';
import { callLater, errorOf, listening, textOf } from './client-2026.ts';
import { callLater as callLater2025, Session2024, Session2025 } from './conversation.ts';
import { modernServer, type ModernServer } from './modern-server.ts';
import { people, STRANGERS } from './people.ts';
import type { ModernRequest } from './modern-upstream.ts';
import type { HandCall } from './hand-upstream.ts';
import type { WireReply } from './wire-reply.ts';

const EVERYBODY = ['alice', ...STRANGERS];
const SECRET = /SECRET-[a-z-]+/g;

/** Whose secrets are in a text. */
function ownersIn(text: string): string[] {
  return [...new Set(text.match(SECRET) ?? [])].map((secret) => secret.slice('SECRET-'.length));
}

function secretOf(call: ModernRequest | HandCall): string {
  const args = call.params['arguments'] as { readonly secret?: string };
  return args.secret ?? 'SECRET-nobody';
}

async function sharedServer(kind: 'stdio' | 'in-process'): Promise<ModernServer> {
  const limits = { pendingPerOwnerMax: 1000 };
  return modernServer({ server: { kind }, identity: people(), isolation: 'shared', limits });
}

/** A call that looks exactly like everybody else's, but for its secret. */
function secretCall(name: string): Parameters<typeof callLater> {
  return [1, { token: name, meta: { progressToken: 't', logLevel: 'debug' } }, 'later'];
}

function sendSecret({ server }: ModernServer, name: string): WireReply {
  const request = callLater(...secretCall(name));
  const body = String(request.body).replace(
    '"arguments":{}',
    `"arguments":{"secret":"SECRET-${name}"}`,
  );
  return server.send({ ...request, body });
}

describe.each(['stdio', 'in-process'] as const)('one server for all, %s', (kind) => {
  it('W77 W76 V25 V26 equal ids, tokens and tools at once: each sees only its own', async () => {
    const gate = await sharedServer(kind);
    const replies = EVERYBODY.map((name) => sendSecret(gate, name));
    const calls = await Promise.all(EVERYBODY.map((_, index) => gate.upstream.call(index)));
    expect(new Set(calls.map(({ id }) => id)).size).toBe(EVERYBODY.length);
    expect(new Set(calls.map(({ connection }) => connection)).size).toBe(1);
    for (const step of [1, 2]) {
      for (const call of calls) {
        call.progress(step);
        call.log(secretOf(call), 'error');
      }
    }
    for (const call of calls.toReversed()) call.say(secretOf(call));
    for (const [index, reply] of replies.entries()) {
      const name = EVERYBODY[index] ?? '';
      expect(await textOf(reply)).toBe(`SECRET-${name}`);
      expect(ownersIn(reply.text)).toEqual([name]);
      const progress = reply.messages.filter(({ method }) => method === 'notifications/progress');
      expect(progress).toHaveLength(2);
    }
  });

  it('V26 what may be of an answered call is not taken for the one that is left', async () => {
    const gate = await sharedServer(kind);
    const alice = sendSecret(gate, 'alice');
    const alices = await gate.upstream.call(0);
    alices.say(secretOf(alices));
    expect(await textOf(alice)).toBe('SECRET-alice');
    const bob = sendSecret(gate, 'bob');
    const bobs = await gate.upstream.call(1);
    const late = { level: 'error', data: secretOf(alices) };
    for (const relatedTo of [undefined, alices.id]) {
      bobs.connection.raw(
        { jsonrpc: '2.0', method: 'notifications/message', params: late },
        relatedTo,
      );
    }
    bobs.say(secretOf(bobs));
    expect(await textOf(bob)).toBe('SECRET-bob');
    expect(ownersIn(bob.text)).toEqual(['bob']);
  });

  it('W53 a hundred clients that all use the ids from 0 on: no answer is misrouted', async () => {
    const gate = await sharedServer(kind);
    const perClient = 4;
    const clients = 100;
    const replies: WireReply[][] = [];
    for (let client = 0; client < clients; client += 1) {
      const token = EVERYBODY[client % EVERYBODY.length] ?? '';
      const own = Array.from({ length: perClient }, (_, id) =>
        gate.server.send(callLater(id, { token, meta: { 'x/who': `${client}/${id}` } })),
      );
      replies.push(own);
    }
    const all = clients * perClient;
    await gate.upstream.until(() => gate.upstream.calls.length === all, 'all calls');
    for (const call of gate.upstream.calls.toReversed()) call.say(String(call.meta['x/who']));
    for (const [client, own] of replies.entries()) {
      for (const [id, reply] of own.entries()) {
        expect(await textOf(reply)).toBe(`${client}/${id}`);
        expect(reply.text).toContain(`"id":${id},`);
      }
    }
  });

  it('W66 V26 what a cancelled call still says, logs and answers reaches nobody', async () => {
    const gate = await sharedServer(kind);
    const alice = sendSecret(gate, 'alice');
    const call = await gate.upstream.call(0);
    const bob = sendSecret(gate, 'bob');
    const bobsCall = await gate.upstream.call(1);
    const listen = await listening(gate.server, 1, { toolsListChanged: true }, { token: 'bob' });
    alice.leave();
    await gate.upstream.until(() => call.isCancelled, 'the cancellation');
    call.log(secretOf(call), 'emergency');
    call.progress(1);
    const { connection, id } = call;
    connection.raw({
      jsonrpc: '2.0',
      method: 'notifications/message',
      params: { data: secretOf(call) },
    });
    connection.raw(
      { jsonrpc: '2.0', id: 1, method: 'elicitation/create', params: { message: secretOf(call) } },
      id,
    );
    call.say(secretOf(call));
    call.say(secretOf(call));
    bobsCall.say(secretOf(bobsCall));
    expect(await textOf(bob)).toBe('SECRET-bob');
    expect(ownersIn(bob.text)).toEqual(['bob']);
    expect(ownersIn(listen.text)).toEqual([]);
  });

  it('W51 W63 people of three eras on one server with equal ids see only their own', async () => {
    const gate = await sharedServer(kind);
    const { server, upstream } = gate;
    const old = await Session2024.initialized(server, { token: 'alice' });
    const mid = await Session2025.open(server, { token: 'bob' });
    const standalone = await mid.listen().head();
    const listen = await listening(server, 1, { toolsListChanged: true }, { token: 'alice' });
    await old.post(secretBody('alice')).whole();
    const midReply = mid.post(secretBody('bob'));
    const newReply = sendSecret(gate, 'alice-of-another-tenant');
    const legacyCalls = await Promise.all([upstream.legacy.call(0), upstream.legacy.call(1)]);
    const modernCall = await upstream.call(0);
    for (const call of [...legacyCalls, modernCall]) {
      call.progress(1);
      call.log(secretOf(call));
      call.say(secretOf(call));
    }
    expect(await textOf(newReply)).toBe('SECRET-alice-of-another-tenant');
    await midReply.whole();
    await old.stream.until(() => old.stream.text.includes('"result":{"content"'), 'the answer');
    expect(ownersIn(old.stream.text)).toEqual(['alice']);
    expect(ownersIn(midReply.text)).toEqual(['bob']);
    expect(ownersIn(newReply.text)).toEqual(['alice-of-another-tenant']);
    expect(ownersIn(standalone.text + listen.text)).toEqual([]);
  });

  it('W78 a death of the server tells each of its own calls, and nothing of others', async () => {
    const gate = await sharedServer(kind);
    const replies = EVERYBODY.map((name) => sendSecret(gate, name));
    const last = await gate.upstream.call(EVERYBODY.length - 1);
    last.connection.die();
    for (const reply of replies) {
      expect(await errorOf(reply)).toEqual({
        id: 1,
        code: -32010,
        message: 'upstream unavailable',
      });
      expect(ownersIn(reply.text)).toEqual([]);
    }
  });
});

describe('a server for each', () => {
  it.each([
    ['session', 5],
    ['principal', 5],
    ['tenant', 2],
    ['shared', 1],
  ] as const)(
    'W50 isolation %s starts %i for five people of two tenants',
    async (isolation, count) => {
      const gate = await modernServer({ identity: people(), isolation });
      const replies = EVERYBODY.map((name) => sendSecret(gate, name));
      const calls = await Promise.all(EVERYBODY.map((_, index) => gate.upstream.call(index)));
      expect(new Set(calls.map(({ connection }) => connection)).size).toBe(count);
      for (const call of calls) call.say(secretOf(call));
      for (const [index, reply] of replies.entries()) {
        expect(await textOf(reply)).toBe(`SECRET-${EVERYBODY[index]}`);
      }
    },
  );

  it('W70 V26 a change on one person’s server is not told to another', async () => {
    const gate = await modernServer({ identity: people(), isolation: 'principal' });
    const filter = { toolsListChanged: true };
    const alice = await listening(gate.server, 1, filter, { token: 'alice' });
    const bob = await listening(gate.server, 1, filter, { token: 'bob' });
    const [alices, bobs] = [await gate.upstream.listen(0), await gate.upstream.listen(1)];
    expect(alices.connection).not.toBe(bobs.connection);
    alices.say('notifications/tools/list_changed', { secret: 'SECRET-alice' });
    bobs.say('notifications/tools/list_changed', { secret: 'SECRET-bob' });
    await Promise.all([alice.message(1), bob.message(1)]);
    expect(ownersIn(alice.text)).toEqual(['alice']);
    expect(ownersIn(bob.text)).toEqual(['bob']);
  });
});

function secretBody(name: string): object {
  const body = callLater2025(1, 't');
  const params = body['params'] as object;
  return { ...body, params: { ...params, arguments: { secret: `SECRET-${name}` } } };
}

describe.each(['stdio', 'in-process'] as const)('a server of one person, %s', (kind) => {
  it('V26 what may be of a call that was given up is not put on the next', async () => {
    const gate = await modernServer({ server: { kind }, identity: people() });
    const given = sendSecret(gate, 'alice');
    const first = await gate.upstream.call(0);
    given.leave();
    await gate.upstream.until(() => first.isCancelled, 'the cancellation');
    const next = sendSecret(gate, 'alice');
    const second = await gate.upstream.call(1);
    for (const relatedTo of [undefined, first.id]) {
      second.connection.raw(
        {
          jsonrpc: '2.0',
          method: 'notifications/message',
          params: { level: 'error', data: 'late' },
        },
        relatedTo,
      );
    }
    second.say('done');
    expect(await textOf(next)).toBe('done');
    expect(next.text).not.toContain('late');
  });

  it('V26 what is said of an answered call is not put on the next', async () => {
    const gate = await modernServer({ server: { kind }, identity: people() });
    const answered = sendSecret(gate, 'alice');
    const first = await gate.upstream.call(0);
    first.say('done');
    expect(await textOf(answered)).toBe('done');
    const next = sendSecret(gate, 'alice');
    const second = await gate.upstream.call(1);
    first.log('late', 'error');
    second.say('done');
    expect(await textOf(next)).toBe('done');
    // Without a mark it can only be of the one call there is.
    expect(next.text.includes('late')).toBe(kind === 'stdio');
  });
});
