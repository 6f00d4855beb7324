/** The gate: every duty on the wire is cited by a test, and every citation names a duty. */
import { expect, test } from 'vitest';
import { citations } from './citations.ts';

import { WIRE_ROWS } from './requirements.ts';
import { parse, testFiles } from './source-files.ts';

const DUTY = /\bW\d+\b/g;
const IDS = new Set<string>(WIRE_ROWS.map(({ id }) => id));

test('every duty on the wire is cited by the name of a test', () => {
  const cited = new Set(testFiles().flatMap((file) => citations(file, DUTY)));
  const uncited = WIRE_ROWS.filter(({ id }) => !cited.has(id));
  expect(uncited.map(({ id, duty }) => `${id} ${duty}`)).toEqual([]);
});

test('every citation names a duty that exists', () => {
  const unknown = testFiles()
    .filter((file) => file.path !== 'test/requirements.test.ts')
    .flatMap((file) =>
      citations(file, DUTY)
        .filter((id) => !IDS.has(id))
        .map((id) => `${file.path}: ${id}`),
    );
  expect(unknown).toEqual([]);
});

test('ids are unique and links lead to the specification', () => {
  expect(IDS.size).toBe(WIRE_ROWS.length);
  const astray = WIRE_ROWS.filter(
    ({ section }) => !section.startsWith('https://modelcontextprotocol.io/specification/20'),
  );
  expect(astray).toEqual([]);
});

test('a citation counts in the name of a test that runs, and nowhere else', () => {
  const file = parse(
    'test/a.test.ts',
    `// W1
    it('W2 holds', () => { const text = 'W3'; });
    test(\`\${verifies('W4', 'W5')} hold\`, () => {});
    it.${'skip'}('W6', () => {});
    it.each([['W7']])('W8 for %s', () => {});
    describe('W9', () => {});`,
  );
  expect(citations(file, DUTY)).toEqual(['W2', 'W4', 'W5', 'W8', 'W9']);
});
