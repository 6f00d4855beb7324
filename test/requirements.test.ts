/** The gate: every duty on the wire is cited by a test, and every citation names a duty. */
import type { Node } from 'oxc-parser';
import { expect, test } from 'vitest';

import { WIRE_ROWS } from './requirements.ts';
import { parse, testFiles, walk, type SourceFile } from './source-files.ts';

const IDS = new Set<string>(WIRE_ROWS.map(({ id }) => id));

test('every duty on the wire is cited by the name of a test', () => {
  const cited = new Set(testFiles().flatMap((file) => citations(file)));
  const uncited = WIRE_ROWS.filter(({ id }) => !cited.has(id));
  expect(uncited.map(({ id, duty }) => `${id} ${duty}`)).toEqual([]);
});

test('every citation names a duty that exists', () => {
  const unknown = testFiles()
    .filter((file) => file.path !== 'test/requirements.test.ts')
    .flatMap((file) =>
      citations(file)
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
  expect(citations(file)).toEqual(['W2', 'W4', 'W5', 'W8', 'W9']);
});

/** Ids in the names of tests and suites; of `it.each(table)(name)` the name, not the table. */
function citations(file: SourceFile): string[] {
  const found: string[] = [];
  walk(file.program, (node) => {
    if (node.type !== 'CallExpression' || !isRunningTest(node.callee)) return;
    if (isTableOf(node.callee)) return;
    const [name] = node.arguments;
    if (name === undefined) return;
    const text = file.text.slice(name.start, name.end);
    found.push(...[...text.matchAll(/\bW\d+\b/g)].map(([id]) => id));
  });
  return found;
}

function isTableOf(callee: Node): boolean {
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
  return ['each', 'for', 'runIf', 'skipIf'].includes(callee.property.name);
}

function isRunningTest(callee: Node): boolean {
  if (callee.type === 'Identifier') return ['it', 'test', 'describe'].includes(callee.name);
  if (callee.type === 'CallExpression') return isRunningTest(callee.callee);
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
  return !['skip', 'todo', 'fails'].includes(callee.property.name) && isRunningTest(callee.object);
}
