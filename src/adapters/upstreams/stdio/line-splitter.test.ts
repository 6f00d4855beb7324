import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { LineSplitter } from './line-splitter.ts';

type Seen = readonly ['line', string] | readonly ['oversized', string, string];

function split(chunks: readonly Buffer[], bytesMax: number): Seen[] {
  const seen: Seen[] = [];
  const splitter = new LineSplitter(bytesMax, {
    onLine: (source, start, end) => seen.push(['line', source.toString('utf8', start, end)]),
    onOversized: (head, tail) =>
      seen.push(['oversized', head.toString('hex'), tail.toString('hex')]),
  });
  for (const chunk of chunks) {
    splitter.push(chunk);
    expect(splitter.capacity()).toBeLessThanOrEqual(bytesMax);
  }
  splitter.end();
  return seen;
}

function cut(bytes: Buffer, places: readonly number[]): Buffer[] {
  const borders = [0, ...places.map((place) => place % (bytes.length + 1)), bytes.length];
  borders.sort((a, b) => a - b);
  return borders.slice(1).map((border, index) => bytes.subarray(borders[index], border));
}

/** What must come out, found without any care for memory. */
function model(bytes: Buffer, bytesMax: number): Seen[] {
  const raw = bytes.toString('latin1').split('\n');
  return raw.flatMap((text): Seen[] => {
    const line = Buffer.from(text, 'latin1');
    if (line.length > bytesMax) {
      const head = line.subarray(0, Math.min(4096, bytesMax)).toString('hex');
      return [['oversized', head, line.subarray(-512).toString('hex')]];
    }
    const content = text.endsWith('\r') ? line.subarray(0, -1) : line;
    return content.length === 0 ? [] : [['line', content.toString('utf8')]];
  });
}

const pieces = fc.oneof(
  fc.constantFrom('\n', '\r\n', '\r', '\n\n', '🌊', 'é'),
  fc.string({ maxLength: 30 }),
  fc.integer({ min: 0, max: 3000 }).map((length) => 'x'.repeat(length)),
);
const texts = fc.array(pieces, { maxLength: 40 }).map((parts) => Buffer.from(parts.join('')));
const places = fc.array(fc.nat(), { maxLength: 60 });
const bounds = fc.constantFrom(1, 7, 100, 600, 5000, 1_000_000);

describe('a line splitter', () => {
  it('finds the same lines however the bytes are cut, and holds no more than the bound', () => {
    fc.assert(
      fc.property(texts, places, bounds, (bytes, borders, bytesMax) => {
        expect(split(cut(bytes, borders), bytesMax)).toEqual(model(bytes, bytesMax));
      }),
      { numRuns: 1000 },
    );
  });

  it('finds the same lines byte by byte', () => {
    fc.assert(
      fc.property(texts, bounds, (bytes, bytesMax) => {
        const chunks = Array.from(bytes, (_, index) => bytes.subarray(index, index + 1));
        expect(split(chunks, bytesMax)).toEqual(model(bytes, bytesMax));
      }),
      { numRuns: 50 },
    );
  });

  it('passes a line of exactly the bound and skips one that is a byte longer', () => {
    const exact = Buffer.from(`${'a'.repeat(100)}\n`);
    const longer = Buffer.from(`${'a'.repeat(101)}\n`);
    expect(split([exact], 100).map(([kind]) => kind)).toEqual(['line']);
    expect(split([longer], 100).map(([kind]) => kind)).toEqual(['oversized']);
  });

  it('gives the memory of a long line back after it', () => {
    const splitter = new LineSplitter(10_000_000, { onLine() {}, onOversized() {} });
    splitter.push(Buffer.alloc(5_000_000, 'a'));
    expect(splitter.capacity()).toBeGreaterThanOrEqual(5_000_000);
    splitter.push(Buffer.from('\n'));
    expect(splitter.capacity()).toBe(0);
  });

  it('holds only the beginning and the end of a line beyond the bound', () => {
    const splitter = new LineSplitter(100_000, { onLine() {}, onOversized() {} });
    for (let count = 0; count < 100; count += 1) splitter.push(Buffer.alloc(60_000, 'a'));
    expect(splitter.capacity()).toBe(0);
  });
});
