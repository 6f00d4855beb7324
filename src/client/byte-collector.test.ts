import { expect, it } from 'vitest';
import { ByteCollector } from './byte-collector.ts';

it('keeps the bytes of small pieces, not the pieces: a server sends as many as it likes', () => {
  const collector = new ByteCollector(1000);
  for (const byte of Buffer.from('{"text":"žluťoučký 🐎"}')) {
    const piece = Uint8Array.of(byte);
    expect(collector.add(piece)).toBe(true);
    // The first one is not copied as long as it is the only one.
    if (byte !== 0x7b) piece.fill(0);
  }
  expect(collector.text()).toBe('{"text":"žluťoučký 🐎"}');
});

it('keeps nothing beyond its bound, whatever comes then', () => {
  const collector = new ByteCollector(4);
  expect(collector.add(Buffer.from('1234'))).toBe(true);
  expect(collector.add(Buffer.from('5'))).toBe(false);
  expect(collector.add(Buffer.from('6'))).toBe(false);
  expect(collector.text()).toBe('');
});

it('has no text where the bytes are no UTF-8', () => {
  const collector = new ByteCollector(4);
  collector.add(Uint8Array.of(0xff));
  expect(collector.text()).toBeUndefined();
});
