/** Which duties and threats the names of tests cite. */
import type { Node } from 'oxc-parser';
import { walk, type SourceFile } from './source-files.ts';

/**
 * Ids in the names of tests and suites that run; of `it.each(table)(name)` the name, not the table.
 * @param id - global: what an id looks like.
 */
export function citations(file: SourceFile, id: RegExp): string[] {
  const found: string[] = [];
  walk(file.program, (node) => {
    if (node.type !== 'CallExpression' || !isRunningTest(node.callee)) return;
    if (isTableOf(node.callee)) return;
    const [name] = node.arguments;
    if (name === undefined) return;
    const text = file.text.slice(name.start, name.end);
    found.push(...[...text.matchAll(id)].map(([each]) => each));
  });
  return found;
}

function isTableOf(callee: Node): boolean {
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
  return ['each', 'for', 'runIf', 'skipIf'].includes(callee.property.name);
}

/** Suites of a folder may have a name of their own, as `describeLinux`. */
function isRunningTest(callee: Node): boolean {
  if (callee.type === 'Identifier') return /^(?:it|test|describe(?:[A-Z]\w*)?)$/.test(callee.name);
  if (callee.type === 'CallExpression') return isRunningTest(callee.callee);
  if (callee.type !== 'MemberExpression' || callee.property.type !== 'Identifier') return false;
  return !['skip', 'todo', 'fails'].includes(callee.property.name) && isRunningTest(callee.object);
}
