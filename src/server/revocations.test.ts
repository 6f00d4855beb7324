import { describe, expect, it } from 'vitest';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import { Revocations } from './revocations.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const GRANT = { ...BARE_GRANT, credentialId: 'key:1' };

describe('revocations', () => {
  it('hit whom they name, if they came later', () => {
    const revocations = new Revocations();
    const before = revocations.count;
    expect(revocations.hit(before, ADA, GRANT)).toBe(false);
    revocations.add((_, grant) => grant?.credentialId === 'key:2');
    expect(revocations.hit(before, ADA, GRANT)).toBe(false);
    revocations.add((_, grant) => grant?.credentialId === 'key:1');
    revocations.add(({ subject }) => subject === 'bob');
    expect(revocations.hit(before, ADA, GRANT)).toBe(true);
    expect(revocations.hit(before, ADA, BARE_GRANT)).toBe(false);
    expect(revocations.hit(2, ADA, GRANT)).toBe(false);
    expect(revocations.hit(revocations.count, ADA, GRANT)).toBe(false);
  });

  it('hit whoever waited through more of them than are kept', () => {
    const revocations = new Revocations();
    for (let count = 0; count < 64; count += 1) revocations.add(() => false);
    expect(revocations.hit(0, ADA, GRANT)).toBe(false);
    revocations.add(() => false);
    expect(revocations.hit(0, ADA, GRANT)).toBe(true);
    expect(revocations.hit(1, ADA, GRANT)).toBe(false);
  });
});
