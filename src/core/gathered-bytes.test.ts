import { expect, it } from 'vitest';
import { GatheredBytes } from './gathered-bytes.ts';

it('is nothing before the first piece', () => {
  expect(new GatheredBytes().whole()).toEqual(new Uint8Array(0));
});

it('does not copy what comes as one piece', () => {
  const gathered = new GatheredBytes();
  const piece = Uint8Array.of(1, 2, 3);
  gathered.add(new Uint8Array(0));
  gathered.add(piece);
  gathered.add(new Uint8Array(0));
  expect(gathered.whole().buffer).toBe(piece.buffer);
  expect([...gathered.whole()]).toEqual([1, 2, 3]);
});

it('writes to no piece, whatever lies behind it', () => {
  const shared = Uint8Array.of(1, 2, 9, 9);
  const gathered = new GatheredBytes();
  gathered.add(shared.subarray(0, 2));
  gathered.add(Uint8Array.of(3));
  expect([...gathered.whole()]).toEqual([1, 2, 3]);
  expect([...shared]).toEqual([1, 2, 9, 9]);
});

it('holds no more than twice its bytes, however small the pieces are', () => {
  const gathered = new GatheredBytes();
  let most = 0;
  for (let i = 0; i < 100_000; i += 1) {
    gathered.add(Uint8Array.of(i % 256));
    most = Math.max(most, gathered.capacity / gathered.length);
  }
  expect(most).toBeLessThanOrEqual(2);
  expect(gathered.length).toBe(100_000);
  expect(gathered.whole()).toEqual(Uint8Array.from({ length: 100_000 }, (_, i) => i % 256));
});

it('takes a piece that is larger than twice what there is', () => {
  const gathered = new GatheredBytes();
  gathered.add(Uint8Array.of(1));
  gathered.add(Uint8Array.of(2, 3, 4, 5, 6));
  expect([...gathered.whole()]).toEqual([1, 2, 3, 4, 5, 6]);
});
