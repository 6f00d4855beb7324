import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { formatCursor, parseCursor, splitSessionCursor, type Cursor } from './cursor.ts';

const SALT = fc.integer({ min: -0x8000_0000, max: 0x7fff_ffff });
const CURSOR = fc.record<Cursor>({
  stream: fc.nat(),
  generation: fc.nat(),
  sequence: fc.oneof(fc.nat(), fc.nat(1_000_000_000_000_000)),
});

describe('a cursor', () => {
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
