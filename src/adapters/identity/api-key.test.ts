import { createHash } from 'node:crypto';
import { expect, it } from 'vitest';
import { apiKeyId, isApiKey, makeApiKey } from './api-key.ts';

it('is made anew each time, and only its hash is kept', () => {
  const made = Array.from({ length: 300 }, makeApiKey);
  expect(new Set(made.map(({ key }) => key)).size).toBe(300);
  for (const { key, id, digest } of made) {
    expect(key).toMatch(/^tgk_[A-Za-z0-9_-]{8}_[A-Za-z0-9_-]{43}$/);
    expect(apiKeyId(key)).toBe(id);
    expect(id.startsWith('-')).toBe(false);
    expect(digest).toBe(createHash('sha256').update(key).digest('base64url'));
    expect(isApiKey(key, { digest })).toBe(true);
  }
});

it('is the one whose hash it is, and no other', () => {
  const { key, digest } = makeApiKey();
  expect(isApiKey(makeApiKey().key, { digest })).toBe(false);
  expect(isApiKey(`${key.slice(0, -1)}${key.endsWith('A') ? 'B' : 'A'}`, { digest })).toBe(false);
  for (const other of ['', digest.slice(1), `${digest}x`, 'é'.repeat(43)]) {
    expect(isApiKey(key, { digest: other })).toBe(false);
  }
});

it.each([
  'tgk_short_x',
  `xtgk_abcdefgh_${'x'.repeat(43)}`,
  `tgk_abcdefgh_${'x'.repeat(44)}`,
  `tgk_abcdefgh-${'x'.repeat(43)}`,
  `TGK_abcdefgh_${'x'.repeat(43)}`,
  '',
])('has an id only in its own form: %j', (text) => {
  expect(apiKeyId(text)).toBeUndefined();
});
