import fc from 'fast-check';
import { expect, it } from 'vitest';
import { aesSeal } from './aes-seal.ts';

const seal = aesSeal();

it('opens what it sealed, with the same binding, as often as it is asked', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'grapheme' }), fc.string({ unit: 'grapheme' }), (text, to) => {
      const sealed = seal.seal(text, to);
      expect(sealed).toMatch(/^[A-Za-z0-9_-]+$/);
      expect(seal.open(sealed, to)).toBe(text);
      expect(seal.open(sealed, to)).toBe(text);
      expect(seal.open(sealed, `${to}.`)).toBeUndefined();
    }),
  );
});

it('opens nothing that was changed in any place, shortened, lengthened or made up', () => {
  const sealed = seal.seal('a text', 'to');
  for (let at = 0; at < sealed.length; at += 1) {
    for (const other of ['A', 'B', '!', '=', ' ']) {
      if (sealed[at] === other) continue;
      const changed = sealed.slice(0, at) + other + sealed.slice(at + 1);
      expect(seal.open(changed, 'to')).toBeUndefined();
    }
    expect(seal.open(sealed.slice(0, at), 'to')).toBeUndefined();
  }
  expect(seal.open(`${sealed}A`, 'to')).toBeUndefined();
  expect(seal.open(`${sealed}=`, 'to')).toBeUndefined();
  fc.assert(fc.property(fc.string(), (text) => seal.open(text, 'to') === undefined));
});

it('shows nothing of the text, never the same twice, and nothing to another seal', () => {
  const sealed = seal.seal('a text that would be seen', 'to');
  expect(Buffer.from(sealed, 'base64url').toString('latin1')).not.toContain('text');
  expect(seal.seal('a text that would be seen', 'to')).not.toBe(sealed);
  expect(aesSeal().open(sealed, 'to')).toBeUndefined();
});

it('opens nothing that spells the same bytes in another way', () => {
  const letters = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789-_';
  // One byte more than a multiple of three: four bits of the last letter stand for nothing.
  const sealed = seal.seal('a text', 'to');
  const last = letters.indexOf(sealed.at(-1) ?? '');
  for (let bits = 1; bits < 16; bits += 1) {
    const spelled = sealed.slice(0, -1) + letters.charAt(last + bits);
    expect(Buffer.from(spelled, 'base64url')).toEqual(Buffer.from(sealed, 'base64url'));
    expect(seal.open(spelled, 'to')).toBeUndefined();
  }
});

it('opens nothing that is longer than any of ours', () => {
  const longest = 'x'.repeat(3044);
  const sealed = seal.seal(longest, 'to');
  expect([sealed.length, seal.open(sealed, 'to')]).toEqual([4096, longest]);
  expect(seal.open(seal.seal(`${longest}x`, 'to'), 'to')).toBeUndefined();
});
