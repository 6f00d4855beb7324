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
  for (const org of [undefined, '', 3, ['acme'], { acme: 1 }, 'x'.repeat(513)]) {
    expect(map({ org }, byOrg), JSON.stringify(org)).toBeUndefined();
  }
  expect(map({ sub: null })).toBeUndefined();
});

it('refuses groups and scopes that cannot be read, since a policy might forbid by them', () => {
  for (const groups of [{ a: 1 }, 3, [1], ['a', null], Array.from({ length: 1001 }, () => 'x')]) {
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
