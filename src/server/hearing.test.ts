import { describe, expect, it } from 'vitest';
import type { Access, AccessRequest } from '../core/access.ts';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { Hearing, hearingOf } from './hearing.ts';

const ANN = principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: '' });
const CLIENT = {
  principal: ANN,
  grant: BARE_GRANT,
  server: 'files',
  era: '2025',
  method: undefined,
  address: '192.0.2.1',
} as const;

function updated(params: string): Message {
  return Message.notification('notifications/resources/updated', params);
}

/** Allows what it is asked about `x:open`, and remembers what that was. */
class Guard implements Access {
  readonly asked: AccessRequest[] = [];
  isIdle: boolean | undefined;

  decide(request: AccessRequest) {
    this.asked.push(request);
    const { uri } = request.message.value as { readonly uri: string };
    return uri === 'x:open'
      ? { refusal: undefined, policies: [] }
      : { refusal: { error: 'FORBIDDEN' as const }, policies: [] };
  }

  filter(_request: AccessRequest, answer: Message): Message {
    return answer;
  }
}

describe('a client hears of a resource', () => {
  it('what it could subscribe to, and nothing else', () => {
    const guard = new Guard();
    const hearing = new Hearing(guard, CLIENT);
    expect(hearing.hears(updated('{"uri":"x:open"}'))).toBe(true);
    expect(hearing.hears(updated('{"uri":"x:secret"}'))).toBe(false);
    expect(hearing.hears(updated('{}'))).toBe(false);
    const [first] = guard.asked;
    expect(first).toMatchObject(CLIENT);
    expect([first?.message.method, first?.message.value]).toEqual([
      'resources/subscribe',
      { uri: 'x:open' },
    ]);
    expect(guard.asked[2]?.message.value).toEqual({ uri: '' });
  });

  it('everything where nobody decides, and other news unasked', () => {
    const guard = new Guard();
    const secret = updated('{"uri":"x:secret"}');
    expect(new Hearing(undefined, CLIENT).hears(secret)).toBe(true);
    const hearing = new Hearing(guard, CLIENT);
    const changed = Message.notification('notifications/resources/list_changed', '{"uri":"x:a"}');
    expect(hearing.hears(changed)).toBe(true);
    guard.isIdle = true;
    expect(hearing.hears(secret)).toBe(true);
    expect(guard.asked).toEqual([]);
    guard.isIdle = false;
    expect(hearing.hears(secret)).toBe(false);
  });

  it('by the credential it subscribed with last', () => {
    const guard = new Guard();
    const hearing = new Hearing(guard, CLIENT);
    const grant = { ...BARE_GRANT, scopes: ['more'] };
    const message = Message.request('7', 'resources/subscribe', '{"uri":"x:secret"}');
    hearing.asked({ ...CLIENT, grant, message });
    hearing.hears(updated('{"uri":"x:open"}'));
    expect(guard.asked[0]).toMatchObject({ ...CLIENT, grant });
    expect(guard.asked[0]?.message.value).toEqual({ uri: 'x:open' });
  });
});

describe('a client that follows a task', () => {
  const status = Message.notification('notifications/tasks/status', '{"taskId":"t1"}');
  const grant = { ...BARE_GRANT, scopes: ['more'] };

  function askedAfter(method: string, payload: string): AccessRequest | undefined {
    const asked: AccessRequest[] = [];
    const access: Access = {
      decide: (request) => {
        asked.push(request);
        return { refusal: undefined, policies: [] };
      },
      filter: (_request, answer) => answer,
    };
    const hearing = new Hearing(access, CLIENT);
    const message = Message.request('7', method, payload);
    hearing.asked({ ...CLIENT, grant, message });
    hearing.hears(status);
    return asked[0];
  }

  it.each([
    ['asks for it', 'tasks/get', '{"taskId":"t1"}'],
    ['makes it', 'tools/call', '{"name":"a","task":{}}'],
  ])('hears of it by the credential it %s with', (_, method, payload) => {
    const { message, ...client } = askedAfter(method, payload) as AccessRequest;
    expect(client).toEqual({ ...CLIENT, grant });
    expect([message.method, message.value]).toEqual(['tasks/get', { taskId: 't1' }]);
  });

  it.each([
    ['resources/subscribe', '{"uri":"x:task"}'],
    ['tools/call', '{"name":"a"}'],
    ['prompts/get', '{"name":"task","task":{}}'],
  ])('hears of it by no credential that %s came with', (method, payload) => {
    expect(askedAfter(method, payload)).toMatchObject({ ...CLIENT, grant: BARE_GRANT });
  });
});

describe('what a request opens', () => {
  function askedBy(spoken: AccessRequest['era'], asked?: object): unknown {
    const access = new Guard();
    const opening = {
      context: { name: 'files', access },
      principal: ANN,
      grant: BARE_GRANT,
      exchange: { head: { remoteAddress: '192.0.2.1' }, asked },
    } as unknown as Parameters<typeof hearingOf>[0];
    hearingOf(opening, spoken).hears(updated('{"uri":"x:open"}'));
    const { message: _, ...client } = access.asked[0] as AccessRequest;
    return client;
  }

  it('hears as its client asked', () => {
    expect(askedBy('2025')).toEqual(CLIENT);
    const method = 'subscriptions/listen';
    expect(askedBy('2026')).toEqual({ ...CLIENT, era: '2026', method });
  });

  it('hears as whoever asked elsewhere in this process', () => {
    const asked = { era: '2024', method: 'resources/subscribe' };
    expect(askedBy('2026', asked)).toEqual({ ...CLIENT, ...asked });
  });
});

const LISTENER: Omit<AccessRequest, 'message'> = {
  principal: principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: '' }),
  grant: BARE_GRANT,
  server: 'files',
  era: '2026',
  method: 'subscriptions/listen',
  address: '192.0.2.1',
};
const TASK = Message.notification('notifications/tasks', '{"taskId":"t1","status":"working"}');
const TASK_STATUS = Message.notification('notifications/tasks/status', '{"taskId":"t1"}');
const UPDATED = Message.notification('notifications/resources/updated', '{"uri":"file:///a"}');
const CHANGED = Message.notification('notifications/tools/list_changed');

/** Policies that may become others. */
class Policies implements Access {
  isIdle = false;
  isAllowed = true;
  readonly asked: unknown[] = [];

  decide({ message, ...client }: AccessRequest) {
    expect(client).toEqual(LISTENER);
    this.asked.push([message.method, message.value]);
    return {
      refusal: this.isAllowed ? undefined : ({ error: 'FORBIDDEN' } as const),
      policies: [],
    };
  }

  filter(_request: AccessRequest, answer: Message): Message {
    return answer;
  }
}

describe('what is told', () => {
  it.each([
    ['a resource, as it would be subscribed', UPDATED, 'resources/subscribe', { uri: 'file:///a' }],
    ['a task, as it would be asked for', TASK, 'tasks/get', { taskId: 't1' }],
    ['a task of 2025-11-25 likewise', TASK_STATUS, 'tasks/get', { taskId: 't1' }],
  ])('of %s is heard as long as policies allow it', (_, told, method, params) => {
    const policies = new Policies();
    const hearing = new Hearing(policies, LISTENER);
    expect(hearing.hears(told)).toBe(true);
    policies.isAllowed = false;
    expect(hearing.hears(told)).toBe(false);
    expect(policies.asked).toEqual([
      [method, params],
      [method, params],
    ]);
    policies.isIdle = true;
    expect(hearing.hears(told)).toBe(true);
    expect(new Hearing(undefined, LISTENER).hears(told)).toBe(true);
    expect(policies.asked).toHaveLength(2);
  });

  it('of lists is heard by everybody: it says nothing of what is in them', () => {
    const policies = new Policies();
    policies.isAllowed = false;
    expect(new Hearing(policies, LISTENER).hears(CHANGED)).toBe(true);
    expect(policies.asked).toEqual([]);
  });
});
