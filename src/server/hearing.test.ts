import { describe, expect, it } from 'vitest';
import type { Access, AccessRequest } from '../core/access.ts';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { Hearing } from './hearing.ts';

const CLIENT: Omit<AccessRequest, 'message'> = {
  principal: principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: '' }),
  grant: BARE_GRANT,
  server: 'files',
  era: '2026',
  method: 'subscriptions/listen',
  address: '192.0.2.1',
};
const TASK = Message.notification('notifications/tasks', '{"taskId":"t1","status":"working"}');
const UPDATED = Message.notification('notifications/resources/updated', '{"uri":"file:///a"}');
const CHANGED = Message.notification('notifications/tools/list_changed');

/** Policies that may become others. */
class Policies implements Access {
  isIdle = false;
  isAllowed = true;
  readonly asked: unknown[] = [];

  decide({ message, ...client }: AccessRequest) {
    expect(client).toEqual(CLIENT);
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
  ])('of %s is heard as long as policies allow it', (_, told, method, params) => {
    const policies = new Policies();
    const hearing = new Hearing(policies, CLIENT);
    expect(hearing.hears(told)).toBe(true);
    policies.isAllowed = false;
    expect(hearing.hears(told)).toBe(false);
    expect(policies.asked).toEqual([
      [method, params],
      [method, params],
    ]);
    policies.isIdle = true;
    expect(hearing.hears(told)).toBe(true);
    expect(new Hearing(undefined, CLIENT).hears(told)).toBe(true);
    expect(policies.asked).toHaveLength(2);
  });

  it('of lists is heard by everybody: it says nothing of what is in them', () => {
    const policies = new Policies();
    policies.isAllowed = false;
    expect(new Hearing(policies, CLIENT).hears(CHANGED)).toBe(true);
    expect(policies.asked).toEqual([]);
  });
});
