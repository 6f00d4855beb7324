import { Readable } from 'node:stream';
import { expect, it } from 'vitest';
import type { BodyOutcome } from '../../core/ports.ts';
import { collectBody } from './collect-body.ts';
import { DEFAULT_CONNECTION_LIMITS } from './connection-limits.ts';

/** Emits each piece, and overwrites all but the first once it was taken. */
function collected(pieces: readonly Buffer[], bytesMax: number): BodyOutcome | undefined {
  const source = new Readable({ read() {} });
  const bounds = { bytesMax, limits: DEFAULT_CONNECTION_LIMITS, msMax: 60_000 };
  let outcome: BodyOutcome | undefined;
  collectBody(source, bounds, (settled) => {
    outcome = settled;
  });
  pieces.forEach((piece, i) => {
    source.emit('data', piece);
    if (i > 0) piece.fill(0);
  });
  source.emit('end');
  return outcome;
}

const TEXT = '{"text":"žluťoučký 🐎"}';

it('keeps the bytes of small chunks, not the chunks: a client sends as many as it likes', () => {
  const pieces = [...Buffer.from(TEXT)].map((byte) => Buffer.of(byte));
  expect(collected(pieces, 1000)).toEqual({ kind: 'body', text: TEXT });
});

it('takes a body as long as the bound, and none that is longer', () => {
  const halves = (): Buffer[] => [Buffer.from('12'), Buffer.from('34')];
  expect(collected(halves(), 4)).toEqual({ kind: 'body', text: '1234' });
  const refusal = { error: 'BODY_TOO_LARGE' };
  expect(collected(halves(), 3)).toEqual({ kind: 'refused', refusal });
});

it('takes a body of nothing', () => {
  expect(collected([], 4)).toEqual({ kind: 'body', text: '' });
});
