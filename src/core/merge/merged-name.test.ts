import fc from 'fast-check';
import { expect, test } from 'vitest';
import { isServerName, joinName, splitName } from './merged-name.ts';

const CHARS = 'abcdefghijklmnopqrstuvwxyz0123456789'.split('');
const serverName = fc
  .tuple(
    fc.constantFrom(...CHARS),
    fc.string({ unit: fc.constantFrom(...CHARS, '-'), maxLength: 63 }),
  )
  .map(([first, rest]) => first + rest);
/** Anything, and often what could be taken for a boundary. */
const anyName = fc.oneof(
  fc.string(),
  fc.string({ unit: fc.constantFrom('_', '-', 'a', '~', ':') }),
);

test('a name is split into the server and the name it was joined of, whatever they are', () => {
  fc.assert(
    fc.property(serverName, anyName, (server, name) => {
      expect(isServerName(server)).toBe(true);
      expect(splitName(joinName(server, name))).toEqual({ server, name });
    }),
  );
});

test('two servers never spell the same name', () => {
  fc.assert(
    fc.property(serverName, serverName, anyName, anyName, (one, other, name, otherName) => {
      fc.pre(one !== other);
      expect(joinName(one, name)).not.toBe(joinName(other, otherName));
    }),
  );
});

test.each(['', 'tool', '__tool', 'a_tool', '_a__tool', 'A__tool', '-a__tool', 'a b__tool', 'é__x'])(
  '%j is no merged name',
  (text) => {
    expect(splitName(text)).toBeUndefined();
  },
);

test.each(['', 'A', 'a_b', '-a', 'a.b', 'a'.repeat(65), 'a\n'])(
  '%j cannot stand before a name',
  (text) => {
    expect(isServerName(text)).toBe(false);
  },
);
