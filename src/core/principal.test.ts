import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { principalKey, principalOf, type PrincipalParts } from './principal.ts';

const text = fc.oneof(fc.string(), fc.constantFrom('', ':', '0:', '1:a', '1', 'a', ':a'));
const parts: fc.Arbitrary<PrincipalParts> = fc.record({
  tenant: text,
  issuer: text,
  subject: text,
  clientId: text,
});

describe('principalKey', () => {
  it('is equal for two principals exactly when all four parts are', () => {
    fc.assert(
      fc.property(parts, parts, (a, b) => {
        const isSame =
          a.tenant === b.tenant &&
          a.issuer === b.issuer &&
          a.subject === b.subject &&
          a.clientId === b.clientId;
        expect(principalKey(a) === principalKey(b)).toBe(isSame);
        expect(principalKey({ ...a })).toBe(principalKey(a));
      }),
    );
  });

  it('tells parts apart that read the same when joined', () => {
    const a = { tenant: 'a', issuer: 'bc', subject: '', clientId: '' };
    const b = { tenant: 'ab', issuer: 'c', subject: '', clientId: '' };
    expect(principalKey(a)).not.toBe(principalKey(b));
  });

  it('is what a principal carries', () => {
    const a = { tenant: 't', issuer: 'i', subject: 's', clientId: '' };
    expect(principalOf(a)).toEqual({ ...a, key: '1:t1:i1:s0:' });
  });
});
