import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCursor, parseCursor, splitSessionCursor, type Cursor } from './cursor.ts';

const SALT = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const CURSOR = fc.record<Cursor>({
  stream: fc.nat(),
  generation: fc.nat(),
  sequence: fc.oneof(fc.nat(), fc.nat(1_000_000_000_000_000)),
});

const SPELT = ['0.0-0.0', '1.2-3.5ldp37', 'z.10-1z141z5.1xnbt6s', '7.1-1z141z3.1o8mql4'];

describe('a cursor', () => {
  it('is spelt the same in every version: clients come back to a newer one', () => {
    const spelt = [
      formatCursor({ stream: 0, generation: 0, sequence: 0 }, 0),
      formatCursor({ stream: 1, generation: 2, sequence: 3 }, 0x1234_5678),
      formatCursor({ stream: 35, generation: 36, sequence: 0x1_0000_0001 }, -1),
      formatCursor({ stream: 7, generation: 1, sequence: 0xffff_ffff }, 7),
    ];
    expect(spelt).toEqual(SPELT);
  });

  it('is read back as what was written, by the session that wrote it', () => {
    fc.assert(
      fc.property(CURSOR, SALT, (cursor, salt) => {
        const text = formatCursor(cursor, salt);
        expect(text).toMatch(/^[0-9a-z.-]{1,40}$/);
        expect(parseCursor(text, salt)).toEqual(cursor);
      }),
    );
  });

  it('means nothing to a session with another salt', () => {
    fc.assert(
      fc.property(CURSOR, SALT, SALT, (cursor, salt, other) => {
        fc.pre(salt !== other);
        expect(parseCursor(formatCursor(cursor, salt), other)).toBeUndefined();
      }),
    );
  });

  it('means nothing once a place in it was changed', () => {
    const changes = fc.record({ stream: fc.nat(), generation: fc.nat(), sequence: fc.nat() });
    fc.assert(
      fc.property(CURSOR, changes, SALT, (cursor, change, salt) => {
        const text = formatCursor(cursor, salt);
        const tag = text.slice(text.lastIndexOf('.'));
        for (const name of ['stream', 'generation', 'sequence'] as const) {
          if (cursor[name] === change[name] || cursor[name] > 0x7fff_ffff) continue;
          const moved = formatCursor({ ...cursor, [name]: change[name] }, salt);
          const forged = moved.slice(0, moved.lastIndexOf('.')) + tag;
          expect(parseCursor(forged, salt)).toBeUndefined();
        }
      }),
    );
  });

  it('has one spelling', () => {
    const spelling = fc.tuple(CURSOR, SALT, fc.nat(40), fc.constantFrom('0', 'A', ' ', '.', ''));
    fc.assert(
      fc.property(spelling, ([cursor, salt, at, insert]) => {
        const text = formatCursor(cursor, salt);
        const other = text.slice(0, at) + insert + text.slice(at);
        const read = parseCursor(other, salt);
        if (read !== undefined) expect(formatCursor(read, salt)).toBe(other);
        const upper = text.toUpperCase();
        if (upper !== text) expect(parseCursor(upper, salt)).toBeUndefined();
      }),
    );
  });

  it('is never found in any other text, whatever that is', () => {
    fc.assert(
      fc.property(fc.string(), SALT, (text, salt) => {
        const read = parseCursor(text, salt);
        if (read !== undefined) expect(formatCursor(read, salt)).toBe(text);
      }),
    );
    for (const text of ['', '0', '0.1', '0.1-0', '0.1-0.', '.1-0.a', `${'0'.repeat(9)}.1-0.a`]) {
      expect(parseCursor(text, 1)).toBeUndefined();
    }
  });
});

describe('an event id of 2024', () => {
  it('has a bound of 256 characters', () => {
    expect(splitSessionCursor(`a.${'b'.repeat(254)}`)).toBeDefined();
    expect(splitSessionCursor(`a.${'b'.repeat(255)}`)).toBeUndefined();
  });

  it('is its session and its cursor', () => {
    const session = fc.stringMatching(/^[A-Za-z0-9_-]{1,64}$/);
    fc.assert(
      fc.property(session, CURSOR, SALT, (id, cursor, salt) => {
        const text = formatCursor(cursor, salt);
        expect(splitSessionCursor(`${id}.${text}`)).toEqual({ session: id, cursor: text });
      }),
    );
  });

  it('is nothing without a session, without a cursor, or at any length', () => {
    for (const text of ['', '.', '.a', 'no-dot', `${'a'.repeat(300)}.b`]) {
      expect(splitSessionCursor(text)).toBeUndefined();
    }
  });
});
