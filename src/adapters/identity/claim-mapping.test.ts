import { expect, it } from 'vitest';
import { type ClaimMapping, mapClaims } from './claim-mapping.ts';

const map = (claims: Record<string, unknown>, mapping: ClaimMapping = {}) =>
  mapClaims({ sub: 'ada', ...claims }, 'https://idp.example', mapping);

it('takes the usual claims when nothing is said', () => {
  expect(map({ azp: 'cli', scope: ' a  b ' })).toMatchObject({
    principal: {
      tenant: 'default',
      issuer: 'https://idp.example',
      subject: 'ada',
      clientId: 'cli',
    },
    scopes: ['a', 'b'],
    groups: [],
    claims: {},
  });
  expect(map({ scp: ['x'] })?.scopes).toEqual(['x']);
});

it('looks inside of claims, and first for a name that holds dots itself', () => {
  const claims = { a: { b: ['inside'] }, 'a.b': ['whole'], realm: { roles: ['r'] } };
  expect(map(claims, { groups: 'a.b' })?.groups).toEqual(['whole']);
  expect(map(claims, { groups: 'realm.roles' })?.groups).toEqual(['r']);
  expect(map(claims, { groups: 'realm.none' })?.groups).toEqual([]);
  expect(map({}, { groups: 'constructor.name' })?.groups).toEqual([]);
});

it('places nobody whose tenant or name is missing or no name', () => {
  const byOrg = { tenant: { claim: 'org' } };
  expect(map({ org: 'acme' }, byOrg)?.principal.tenant).toBe('acme');
  expect(map({ org: 'a\u{1f600}' }, byOrg)?.principal.tenant).toBe('a\u{1f600}');
  for (const org of [undefined, '', 3, ['acme'], { acme: 1 }, 'x'.repeat(513), 'a\ud800']) {
    expect(map({ org }, byOrg), JSON.stringify(org)).toBeUndefined();
  }
  for (const sub of [null, 'a\ud800', '\udc00a']) expect(map({ sub })).toBeUndefined();
});

it('refuses groups and scopes that cannot be read, since a policy might forbid by them', () => {
  const tooMany = Array.from({ length: 1001 }, () => 'x');
  for (const groups of [{ a: 1 }, 3, [1], ['a', null], tooMany, ['a', '\ud800'], 'a \udfff']) {
    expect(map({ groups }, { groups: 'groups' })).toBeUndefined();
  }
});

it('gives policies what was mapped and nothing else', () => {
  const mapped = map(
    { department: 'r&d', secret: 's' },
    { claims: { dept: 'department', x: 'no' } },
  );
  expect(mapped?.claims).toEqual({ dept: 'r&d' });
});

it('takes the claims that were chosen, and only them', () => {
  const claims = { login: 'a', client: 'c', client_id: 'd', azp: 'z', scope: 's', perms: ['p'] };
  const chosen = { subject: 'login', clientId: 'client', scopes: 'perms' };
  const mapped = map(claims, chosen);
  expect([mapped?.principal.subject, mapped?.principal.clientId]).toEqual(['a', 'c']);
  expect(mapped?.scopes).toEqual(['p']);
  expect(map(claims)?.principal.clientId).toBe('d');
  expect(map({ ...claims, client: 3 }, chosen)?.principal.clientId).toBe('z');
  expect(map({ '': ['no'], x: ['no'] })).toMatchObject({ scopes: [], groups: [] });
  expect(map({ '': ['no'] }, { groups: '' })?.groups).toEqual([]);
});

it('reads names and words up to their bounds', () => {
  expect(map({ sub: 'x'.repeat(512) })?.principal.subject).toHaveLength(512);
  const groups = Array.from({ length: 1000 }, () => 'x');
  expect(map({ groups }, { groups: 'groups' })?.groups).toHaveLength(1000);
  expect(map({ scope: 3 })).toBeUndefined();
});

it('looks inside of records alone', () => {
  for (const a of [null, 'text', { b: null }, ['b']]) {
    expect(map({ a }, { groups: 'a.b.c' })?.groups, JSON.stringify(a)).toEqual([]);
  }
  expect(map({ a: { b: 'x' } }, { claims: { f: 'a.toString' } })?.claims).toEqual({});
});
