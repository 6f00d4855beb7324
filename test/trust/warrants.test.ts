/**
 * What one principal may do is decided before anything is sent on, by the object that is sent;
 * lists show what may be used; and every end is on the record once.
 */
import { describe, expect, it } from 'vitest';
import type { Access, AccessRequest, AuditEntry, AuditTrail } from '../../src/core/access.ts';
import type { Refusal } from '../../src/core/errors.ts';
import { Message } from '../../src/core/protocol/message.ts';
import { answerOf, callNow as callNow2026, errorOf, modern, textOf } from '../wire/client-2026.ts';
import { callNow, rpc, Session2024, Session2025 } from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import { wireServer } from '../wire/wire-server.ts';
import { credentials } from './credentials.ts';

/** Bob may do nothing but open a session; nobody sees a tool called `later`. */
class Rule implements Access {
  readonly asked: AccessRequest[] = [];

  decide(request: AccessRequest): { refusal: Refusal | undefined; policies: readonly string[] } {
    this.asked.push(request);
    const isOpening = request.message.method === 'initialize';
    const isDenied = request.principal.subject === 'bob' && !isOpening;
    return { refusal: isDenied ? { error: 'FORBIDDEN' } : undefined, policies: ['rule'] };
  }

  filter({ message }: AccessRequest, answer: Message): Message {
    if (message.method !== 'tools/list' || answer.isError) return answer;
    const { tools, ...rest } = answer.value as { tools: readonly { name: string }[] };
    const shown = tools.filter(({ name }) => name !== 'later');
    return Message.result(answer.id ?? 'null', JSON.stringify({ ...rest, tools: shown }));
  }
}

class Trail implements AuditTrail {
  readonly entries: AuditEntry[] = [];
  broken: Refusal | undefined;

  fault(): Refusal | undefined {
    return this.broken;
  }

  record(entry: AuditEntry): void {
    this.entries.push(entry);
  }

  of(event: AuditEntry['event']): readonly AuditEntry[] {
    return this.entries.filter((entry) => entry.event === event);
  }
}

describe('a verdict', () => {
  it.each(['2025', '2024'] as const)(
    'refuses a call of %s, which is never sent on',
    async (era) => {
      const audit = new Trail();
      const server = await wireServer({ identity: credentials(), access: new Rule(), audit });
      const session =
        era === '2025'
          ? await Session2025.open(server, { token: 'bob' })
          : await Session2024.initialized(server, { token: 'bob' });
      const reply = await session.post(callNow(9)).whole();
      expect(reply.status).toBe(403);
      expect(JSON.parse(reply.text)).toMatchObject({ id: 9, error: { code: -32600 } });
      expect(server.upstream.newest.sent.filter(({ method }) => method === 'tools/call')).toEqual(
        [],
      );
      expect(audit.of('denied')).toMatchObject([
        { method: 'tools/call', target: 'now', policies: ['rule'], refusal: 'FORBIDDEN', era },
      ]);
    },
  );

  it('is not asked for about more resources than one listen may name', async () => {
    const access = new Rule();
    const limits = { subscriptionsPerOwnerMax: 2 };
    const { server } = await modernServer({ identity: credentials(), access, limits });
    const listenTo = (uris: readonly string[], token: string): Promise<number> => {
      const notifications = { resourceSubscriptions: uris };
      const listen = modern(9, 'subscriptions/listen', { notifications }, { token });
      return server
        .send(listen)
        .whole()
        .then(({ status }) => status);
    };
    expect(await listenTo(['test://a', 'test://b', 'test://c'], 'bob')).toBe(429);
    expect(access.asked).toEqual([]);
    expect(await listenTo(['test://a', 'test://b'], 'bob')).toBe(403);
    expect(access.asked).toHaveLength(1);
  });

  it('refuses a call and a listen of 2026', async () => {
    const { server, upstream } = await modernServer({
      identity: credentials(),
      access: new Rule(),
    });
    const refused = await errorOf(server.send(callNow2026(9, { token: 'bob' })));
    expect(refused).toMatchObject({ id: 9, code: -32600 });
    const listen = modern(10, 'subscriptions/listen', { notifications: {} }, { token: 'bob' });
    expect((await server.fetch(listen)).status).toBe(403);
    expect(await textOf(server.send(callNow2026(11, { token: 'alice' })))).toBe('now');
    expect(upstream.newest.sent.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('takes what may not be used out of lists, whoever serves them', async () => {
    const server = await wireServer({ identity: credentials(), access: new Rule() });
    const session = await Session2025.open(server, { token: 'alice' });
    const reply = session.post(rpc(3, 'tools/list'));
    const list = await server.upstream.call(0, 'tools/list');
    list.answer({ tools: [{ name: 'now' }, { name: 'later' }] });
    const { result } = await answerOf(reply);
    expect(result).toEqual({ tools: [{ name: 'now' }] });
  });

  it('is not asked for while everything is allowed', async () => {
    const rule = Object.assign(new Rule(), { isIdle: true });
    const server = await wireServer({ identity: credentials(), access: rule });
    const session = await Session2025.open(server, { token: 'bob' });
    expect((await session.post(callNow(9)).whole()).status).toBe(200);
    expect(rule.asked).toEqual([]);
  });

  it('is asked with the very object that is sent on', async () => {
    const rule = new Rule();
    const server = await wireServer({ identity: credentials(), access: rule });
    const session = await Session2025.open(server, { token: 'alice' });
    await session.post(callNow(9)).whole();
    const asked = rule.asked.find(({ message }) => message.method === 'tools/call');
    expect(asked).toMatchObject({ era: '2025', server: server.upstream.name });
    expect(asked?.principal.subject).toBe('alice');
  });
});

/** Nobody may follow tasks once they are closed. */
class TaskRule extends Rule {
  isClosed = false;

  override decide(request: AccessRequest): ReturnType<Rule['decide']> {
    const isDenied = this.isClosed && request.message.method === 'tasks/get';
    return { refusal: isDenied ? { error: 'FORBIDDEN' } : undefined, policies: ['rule'] };
  }
}

describe('the state of a task of 2025-11-25', () => {
  const status = 'notifications/tasks/status';

  it('is told on the stream of a session while its task may be asked for', async () => {
    const rule = new TaskRule();
    const server = await wireServer({ identity: credentials(), access: rule });
    const session = await Session2025.open(server, { token: 'alice' });
    const stream = await session.listen().head();
    const { newest } = server.upstream;
    newest.say(status, { taskId: 't1', status: 'working' });
    rule.isClosed = true;
    newest.say(status, { taskId: 't1', status: 'completed' });
    newest.say('notifications/tools/list_changed');
    await stream.message(1);
    expect(stream.messages.map(({ method }) => method)).toEqual([
      status,
      'notifications/tools/list_changed',
    ]);
  });

  it('is told on the stream of a call no longer, either', async () => {
    const rule = new TaskRule();
    const server = await wireServer({ identity: credentials(), access: rule });
    const session = await Session2025.open(server, { token: 'alice' });
    const reply = session.post(rpc(3, 'tools/call', { name: 'later' }));
    const call = await server.upstream.call(0, 'tools/call');
    call.notify(status, { taskId: 't1', status: 'working' });
    await reply.message(0);
    rule.isClosed = true;
    call.notify(status, { taskId: 't1', status: 'completed' });
    call.answer({ content: [] });
    await reply.whole();
    expect(reply.messages.map(({ method, id }) => method ?? id)).toEqual([status, 3]);
  });
});

describe('the record', () => {
  it('holds each call once, with how it ended', async () => {
    const audit = new Trail();
    const server = await wireServer({ identity: credentials(), audit });
    const session = await Session2025.open(server, { token: 'alice' });
    await session.post(callNow(9)).whole();
    const calls = audit.of('call').filter(({ method }) => method === 'tools/call');
    expect(calls).toMatchObject([{ outcome: 'ok', target: 'now', credentialId: 'alice' }]);
    expect(calls[0]?.answerChars).toBeGreaterThan(0);
  });

  it('names a request without a credential, and the address it came from', async () => {
    const audit = new Trail();
    const server = await wireServer({ identity: credentials(), audit });
    await server.fetch({ path: '/mcp' });
    expect(audit.of('unauthenticated')).toMatchObject([
      { address: '127.0.0.1', refusal: 'UNAUTHORIZED' },
    ]);
  });

  it('refuses every call while it is required and cannot be kept', async () => {
    const audit = new Trail();
    const server = await wireServer({ identity: credentials(), audit });
    const session = await Session2025.open(server, { token: 'alice' });
    audit.broken = { error: 'AUDIT_UNAVAILABLE' };
    const reply = await session.post(callNow(9)).whole();
    expect(reply.status).toBe(503);
    audit.broken = undefined;
    expect((await session.post(callNow(10)).whole()).status).toBe(200);
  });

  it('holds when a stream was opened and why it ended', async () => {
    const audit = new Trail();
    const server = await wireServer({ identity: credentials(), audit });
    const session = await Session2025.open(server, { token: 'alice' });
    const stream = await session.listen().head();
    expect(audit.of('connected')).toMatchObject([{ era: '2025', credentialId: 'alice' }]);
    await session.end().whole();
    await stream.whole();
    expect(audit.of('disconnected')).toMatchObject([{ outcome: 'client-ended' }]);
  });
});
