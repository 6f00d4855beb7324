import { describe, expect, it } from 'vitest';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import { contextOf, policyQuestion, type Thing, userEntity } from './policy-question.ts';
import { UNKNOWN_TOOL } from './tool-book.ts';

const ANN = principalOf({ tenant: 'acme', issuer: 'idp', subject: 'ann', clientId: 'app' });
const GRANT = { scopes: ['read'], groups: ['dev', 'ops'], claims: { role: 'lead', level: 3 } };

describe('whoever asks', () => {
  it('is what the credential says, and belongs to tenant and groups', () => {
    expect(userEntity(ANN, GRANT)).toEqual({
      uid: { type: 'User', id: ANN.key },
      attrs: {
        tenant: 'acme',
        issuer: 'idp',
        subject: 'ann',
        clientId: 'app',
        groups: ['dev', 'ops'],
        scopes: ['read'],
        claims: { role: 'lead', level: 3 },
      },
      parents: [
        { type: 'Tenant', id: 'acme' },
        { type: 'Group', id: 'dev' },
        { type: 'Group', id: 'ops' },
      ],
    });
  });

  it('has no claim that is null or absent, and all others', () => {
    const claims = { a: null, b: undefined, c: false, d: '', e: 0 };
    expect(userEntity(ANN, { ...GRANT, claims })?.attrs['claims']).toEqual({
      c: false,
      d: '',
      e: 0,
    });
  });

  it('is nobody when a claim cannot be shown', () => {
    expect(userEntity(ANN, { ...GRANT, claims: { a: 'b', half: '\ud83d' } })).toBeUndefined();
  });
});

describe('what is asked about', () => {
  const context = { era: '2025' };

  it.each<readonly [Thing, { readonly uid: object; readonly attrs: object }]>([
    [
      { server: 'files', target: { kind: 'tool', name: 'a' }, facts: UNKNOWN_TOOL },
      {
        uid: { type: 'Tool', id: 'files/a' },
        attrs: { server: 'files', name: 'a', ...UNKNOWN_TOOL },
      },
    ],
    [
      { server: 'files', target: { kind: 'prompt', name: 'a' }, facts: undefined },
      { uid: { type: 'Prompt', id: 'files/a' }, attrs: { server: 'files', name: 'a' } },
    ],
    [
      { server: 'files', target: { kind: 'resource', name: 'x:a' }, facts: undefined },
      { uid: { type: 'Resource', id: 'files/x:a' }, attrs: { server: 'files', uri: 'x:a' } },
    ],
  ])('is a thing of its server: %j', (thing, entity) => {
    const user = { uid: { type: 'User', id: 'ann' }, attrs: {}, parents: [] };
    const resource = { ...entity, parents: [{ type: 'Server', id: 'files' }] };
    expect(policyQuestion(user, 'call', thing, context)).toEqual({
      principal: user.uid,
      action: { type: 'Action', id: 'call' },
      resource: entity.uid,
      context,
      entities: [user, resource],
    });
  });

  it('is a server that belongs to nothing', () => {
    const user = { uid: { type: 'User', id: 'ann' }, attrs: {}, parents: [] };
    const thing: Thing = { server: 'files', target: { kind: 'server' }, facts: undefined };
    const { resource, entities } = policyQuestion(user, 'list', thing, context);
    const uid = { type: 'Server', id: 'files' };
    expect(resource).toEqual(uid);
    expect(entities[1]).toEqual({ uid, attrs: { server: 'files' }, parents: [] });
  });
});

describe('how and from where it was asked', () => {
  const message = Message.request('1', 'tools/call', '{}');
  const asked = { era: '2025', address: '192.0.2.1', message } as const;
  const nothing = { address: false, nowMs: undefined };

  it('is era, method and arguments, and no more where no more is named', () => {
    expect(contextOf(asked, { path: 'p' }, nothing)).toEqual({
      era: '2025',
      method: 'tools/call',
      arguments: { path: 'p' },
    });
    expect(contextOf({ ...asked, method: 'tasks/get' }, {}, nothing)['method']).toBe('tasks/get');
  });

  it.each([
    ['192.0.2.1', '192.0.2.1'],
    ['::ffff:192.0.2.1', '192.0.2.1'],
    ['::ffff:c000:201', '192.0.2.1'],
    ['::FFFF:192.0.2.1', '192.0.2.1'],
    ['2001:db8::1', '2001:db8::1'],
    ['fe80::1%eth0', 'fe80::1'],
  ])('holds the address %s as %s', (address, arg) => {
    const context = contextOf({ ...asked, address }, {}, { address: true, nowMs: undefined });
    expect(context['address']).toEqual({ __extn: { fn: 'ip', arg } });
  });

  it.each(['', 'localhost', '/run/tidegate.sock'])(
    'holds no address that is none: %j',
    (address) => {
      const context = contextOf({ ...asked, address }, {}, { address: true, nowMs: undefined });
      expect(Object.keys(context)).toEqual(['era', 'method', 'arguments']);
    },
  );

  it('holds the time', () => {
    const context = contextOf(asked, {}, { address: false, nowMs: 0 });
    expect(context['time']).toEqual({
      __extn: { fn: 'datetime', arg: '1970-01-01T00:00:00.000Z' },
    });
    expect(context['address']).toBeUndefined();
  });
});
