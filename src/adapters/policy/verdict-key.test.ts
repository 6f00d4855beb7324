import { describe, expect, it } from 'vitest';
import type { AccessRequest, ToolFacts } from '../../core/access.ts';
import { BARE_GRANT, type Grant } from '../../core/grant.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import type { Thing } from './policy-question.ts';
import { UNKNOWN_TOOL } from './tool-book.ts';
import { VerdictKeys } from './verdict-key.ts';

const ANN = principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: 'c' });
const BOB = principalOf({ tenant: 't', issuer: 'i', subject: 'bob', clientId: 'c' });
const CALL = Message.request('1', 'tools/call', '{}');

interface Asking extends Partial<AccessRequest> {
  readonly action?: string;
  readonly thing?: Thing;
  readonly context?: Record<string, string>;
  readonly isOpen?: boolean;
}

function toolOf(server: string, name: string, facts: ToolFacts | undefined = UNKNOWN_TOOL): Thing {
  return { server, target: { kind: 'tool', name }, facts };
}

function keyOf(keys: VerdictKeys, asking: Asking = {}): string | undefined {
  const { action = 'call', thing = toolOf('files', 'read'), context, isOpen = false } = asking;
  const request = {
    principal: ANN,
    grant: BARE_GRANT,
    server: thing.server,
    era: '2025' as const,
    address: '192.0.2.1',
    message: CALL,
    ...asking,
  };
  return keys.keyOf(request, action, thing, context, isOpen);
}

function granted(more: Partial<Grant>): Asking {
  return { grant: { ...BARE_GRANT, ...more } };
}

const FACTS = Object.keys(UNKNOWN_TOOL) as (keyof ToolFacts)[];

const DIFFERENT: readonly (readonly [string, Asking])[] = [
  ['who asks', { principal: BOB }],
  ['the scopes', granted({ scopes: ['read'] })],
  ['the groups', granted({ groups: ['read'] })],
  ['the claims', granted({ claims: { role: 'read' } })],
  ['the era', { era: '2026' }],
  ['the method of the message', { message: Message.request('1', 'tools/list', '{}') }],
  ['the method its client called', { method: 'tasks/get' }],
  ['the action', { action: 'get' }],
  ['the server', { thing: toolOf('other', 'read') }],
  ['the name', { thing: toolOf('files', 'write') }],
  ['where server ends and name begins', { thing: toolOf('filesr', 'ead') }],
  [
    'the kind',
    { thing: { server: 'files', target: { kind: 'prompt', name: 'read' }, facts: undefined } },
  ],
  [
    'a server as a whole',
    { thing: { server: 'files', target: { kind: 'server' }, facts: undefined } },
  ],
  ['that nothing is said of the tool', { thing: { ...toolOf('files', 'read'), facts: undefined } }],
  ...FACTS.map(
    (fact) =>
      [
        `that a tool is ${fact}`,
        { thing: toolOf('files', 'read', { ...UNKNOWN_TOOL, [fact]: !UNKNOWN_TOOL[fact] }) },
      ] as const,
  ),
  ['how it asks', { context: { path: '/a' } }],
  ['what would do', { isOpen: true }],
];

describe('the key of a question', () => {
  it('is the same for the same question, whatever its objects are', () => {
    const keys = new VerdictKeys();
    const first = keyOf(keys);
    expect(keyOf(keys)).toBe(first);
    expect(keyOf(keys, { principal: { ...ANN }, ...granted({}) })).toBe(first);
    expect(keyOf(keys, granted({ expiresAt: 7, credentialId: 'key:1' }))).toBe(first);
    expect(keyOf(keys, { method: 'tools/call', address: '192.0.2.2' })).toBe(first);
  });

  it.each(DIFFERENT)('is another when another is %s', (_, asking) => {
    const keys = new VerdictKeys();
    const first = keyOf(keys);
    expect(keyOf(keys, asking)).not.toBe(first);
    expect(keyOf(keys)).toBe(first);
  });

  it('is spelled by no choice of names for another question', () => {
    const keys = new VerdictKeys();
    const all = DIFFERENT.map(([, asking]) => keyOf(keys, asking));
    expect(new Set(all).size).toBe(all.length);
    const names = ['a{"x":1}', 'a', 'a5:files1:b'];
    const spelled = names.map((name) => keyOf(keys, { thing: toolOf('files', name) }));
    for (const context of [{ x: '1' }, { x: '2' }, { y: '1' }, {}]) {
      spelled.push(keyOf(keys, { thing: toolOf('files', 'a'), context }));
    }
    expect(new Set(spelled).size).toBe(spelled.length);
    expect(keyOf(keys, { method: 'a1:b', thing: toolOf('c', 'd') })).not.toBe(
      keyOf(keys, { method: 'a', thing: toolOf('b1:c', 'd') }),
    );
  });

  it('of a grant that two share is each one’s own', () => {
    const keys = new VerdictKeys();
    const shared = granted({ scopes: ['read'] });
    const anns = keyOf(keys, shared);
    expect(keyOf(keys, { ...shared, principal: BOB })).not.toBe(anns);
    expect(keyOf(keys, shared)).toBe(anns);
  });

  it('of a credential that was forgotten is a new one, and nobody else’s', () => {
    const keys = new VerdictKeys();
    const numbered = (n: number): string | undefined =>
      keyOf(keys, granted({ scopes: [String(n)] }));
    const first = numbered(0);
    const held = granted({ scopes: ['0'] });
    expect(keyOf(keys, held)).toBe(first);
    const given = new Set([first]);
    for (let n = 1; n < 20_000; n += 1) given.add(numbered(n));
    expect(given.size).toBe(20_000);
    expect(numbered(0)).toBe(first);
    given.add(numbered(20_000));
    expect(given.size).toBe(20_001);
    const again = numbered(0);
    expect(given.has(again)).toBe(false);
    // Whoever still holds the very credential keeps its number.
    expect(keyOf(keys, held)).toBe(first);
    expect(given.has(numbered(2))).toBe(true);
    expect(given.has(numbered(1))).toBe(false);
  });

  it('stays what it is for one tenant, however many credentials another comes with', () => {
    const keys = new VerdictKeys();
    const principal = principalOf({ tenant: 'quiet', issuer: 'i', subject: 'eve', clientId: '' });
    const first = keyOf(keys, { principal, ...granted({}) });
    for (let n = 0; n < 20_001; n += 1) keyOf(keys, granted({ scopes: [String(n)] }));
    expect(keyOf(keys, { principal, ...granted({}) })).toBe(first);
  });
});

it('a question has no text where policies cannot be shown the claims, the same grant again too', () => {
  const keys = new VerdictKeys();
  const odd = granted({ claims: { role: '\ud83d' } });
  expect([keyOf(keys, odd), keyOf(keys, odd)]).toEqual([undefined, undefined]);
  expect(keyOf(keys, granted({ claims: { role: 'read' } }))).toBeDefined();
});
