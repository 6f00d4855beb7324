import { describe, expect, it } from 'vitest';
import { BARE_GRANT } from '../../core/grant.ts';
import { principalOf } from '../../core/principal.ts';
import { type Denied, Denials } from './denials.ts';

const ANN = principalOf({ tenant: 'acme', issuer: 'i', subject: 'ann', clientId: '' });
const GRANT = { ...BARE_GRANT, credentialId: 'jti:1' };
const WAYS: readonly [string, Denied][] = [
  ['a credential', { credentials: ['jti:1'] }],
  ['a subject', { subjects: ['ann'] }],
  ['a tenant', { tenants: ['acme'] }],
];

describe('whoever is denied', () => {
  it.each(WAYS)('by %s is out, by config and by a program', (_, denied) => {
    for (const way of ['configure', 'deny'] as const) {
      const denials = new Denials();
      expect(denials.isDenied(ANN, GRANT)).toBe(false);
      denials[way](denied);
      expect(denials.isDenied(ANN, GRANT)).toBe(true);
      // Nobody's single credential is meant, so that only people and tenants count.
      expect(denials.isDenied(ANN)).toBe(denied.credentials === undefined);
    }
  });

  it.each(WAYS)('by %s is nobody else', (_, denied) => {
    const denials = new Denials();
    denials.configure(denied);
    denials.deny(denied);
    const bob = principalOf({ tenant: 'globex', issuer: 'i', subject: 'bob', clientId: '' });
    expect(denials.isDenied(bob, { ...GRANT, credentialId: 'jti:2' })).toBe(false);
    expect(denials.isDenied(bob, BARE_GRANT)).toBe(false);
  });

  it.each(WAYS)('by a program, by %s, is let in again by it, and by no reload', (_, denied) => {
    const denials = new Denials();
    denials.deny(denied);
    denials.configure({});
    expect(denials.isDenied(ANN, GRANT)).toBe(true);
    denials.allow(denied);
    expect(denials.isDenied(ANN, GRANT)).toBe(false);
  });

  it('by the config is let in again by another config, and by no program', () => {
    const denials = new Denials();
    denials.configure({ subjects: ['ann'] });
    denials.allow({ subjects: ['ann'] });
    expect(denials.isDenied(ANN, GRANT)).toBe(true);
    denials.configure({ subjects: ['bob'] });
    expect(denials.isDenied(ANN, GRANT)).toBe(false);
  });

  it('is remembered unless a hundred thousand were denied since', () => {
    const denials = new Denials();
    denials.deny({ subjects: ['old', 'ann'] });
    denials.deny({ subjects: ['old'] });
    const others = Array.from({ length: 99_998 }, (_, i) => `${i}`);
    denials.deny({ subjects: others });
    expect(denials.isDenied(ANN)).toBe(true);
    denials.deny({ subjects: ['one more'] });
    expect(denials.isDenied(ANN)).toBe(false);
    // Who was denied again is as new as the second time.
    expect(denials.isDenied({ ...ANN, subject: 'old' })).toBe(true);
    expect(denials.isDenied({ ...ANN, subject: 'one more' })).toBe(true);
  });
});
