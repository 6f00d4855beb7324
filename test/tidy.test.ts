/** Holds what CONTRIBUTING.md says about style, as far as it can be counted. */
import { basename } from 'node:path';

import type { Node } from 'oxc-parser';
import { expect, test } from 'vitest';

import { lineAt, listFiles, parse, productFiles, readText, walk } from './source-files.ts';
import type { SourceFile } from './source-files.ts';

const FILE_LINES_MAX = 400;
const FUNCTION_LINES_MAX = 60;
const COLUMNS_MAX = 100;

/** Files that hold a registry, an entry or a program, named for that and not for one export. */
const NAMED_FOR_A_ROLE = new Set(['index.ts', 'main.ts', 'ports.ts', 'admission.ts']);
const NAMES_THAT_SAY_NOTHING = /(^|[-/])(utils?|helpers?|common|misc)([-./]|$)/;

const PRODUCT = productFiles();
const WRITTEN = ['src', 'test', 'scripts', 'bench', 'examples'].flatMap((folder) =>
  listFiles(folder).filter((path) => /\.(ts|mts|mjs|js)$/.test(path)),
);

test('no file of the product is longer than a reader can hold', () => {
  const long = PRODUCT.filter((file) => file.lines.length - 1 > FILE_LINES_MAX);
  expect(long.map((file) => `${file.path}: ${file.lines.length - 1} lines`)).toEqual([]);
});

test('every function of the product fits a screen', () => {
  expect(PRODUCT.flatMap((file) => longFunctions(file))).toEqual([]);
});

test('every line of the product fits its columns, save for a link', () => {
  const wide = PRODUCT.flatMap((file) =>
    file.lines
      .map((line, index) => ({ line, at: `${file.path}:${index + 1}` }))
      .filter(({ line }) => line.length > COLUMNS_MAX && !isLinkInComment(line)),
  );
  expect(wide.map(({ at }) => at)).toEqual([]);
});

test('files and folders are named in kebab case', () => {
  const odd = WRITTEN.filter((path) => !/^([a-z0-9-]+\/)*[a-z0-9.-]+$/.test(path));
  expect(odd).toEqual([]);
});

test('no file or folder has a name that says nothing', () => {
  expect(WRITTEN.filter((path) => NAMES_THAT_SAY_NOTHING.test(path))).toEqual([]);
});

test('a file of the product shares a word with something it exports', () => {
  const astray = PRODUCT.filter((file) => !isNamedLikeAnExport(file));
  expect(astray.map((file) => `${file.path}: ${exportedNames(file).join(', ')}`)).toEqual([]);
});

test('the product exports by name only, and nothing wholesale', () => {
  expect(PRODUCT.flatMap((file) => wholesaleExports(file))).toEqual([]);
});

test('nothing is typed any', () => {
  expect(PRODUCT.flatMap((file) => anyTypes(file))).toEqual([]);
});

test('no rule of the compiler or the linter is switched off in place', () => {
  const directives = /@ts-(ignore|nocheck|expect-error)|(oxlint|eslint)-disable|biome-ignore/;
  expect(matchingLines(WRITTEN.filter(isNotThisFile), directives)).toEqual([]);
});

test('nothing is put off in a comment', () => {
  const promises = new RegExp(['TO' + 'DO', 'FIX' + 'ME', 'XXX', 'for ' + 'now\\b'].join('|'));
  expect(matchingLines(WRITTEN.filter(isNotThisFile), promises)).toEqual([]);
});

test('no test is skipped, singled out or put off', () => {
  const tests = WRITTEN.filter((path) => path.endsWith('.test.ts')).filter(isNotThisFile);
  expect(matchingLines(tests, /\b(it|test|describe)\.(only|skip|todo|fails)\(/)).toEqual([]);
});

test('the rules see what they forbid', () => {
  const long = `export function a() {\n${'  work();\n'.repeat(60)}}`;
  expect(longFunctions(parse('src/a.ts', long))).toEqual(['src/a.ts:1 has 62 lines']);
  expect(anyTypes(parse('src/a.ts', 'export const a: any = 1;'))).toHaveLength(1);
  expect(wholesaleExports(parse('src/a.ts', "export * from './b.ts';"))).toHaveLength(1);
  expect(wholesaleExports(parse('src/a.ts', 'export default 1;'))).toHaveLength(1);
  expect(isNamedLikeAnExport(parse('src/json-scan.ts', 'export function scanJson() {}'))).toBe(
    true,
  );
  expect(isNamedLikeAnExport(parse('src/json-scan.ts', 'export class Cursor {}'))).toBe(false);
  expect(NAMES_THAT_SAY_NOTHING.test('src/core/string-utils.ts')).toBe(true);
});

function longFunctions(file: SourceFile): string[] {
  const found: string[] = [];
  walk(file.program, (node) => {
    if (!isFunction(node)) return;
    const first = lineAt(file, node.start);
    const lines = lineAt(file, node.end) - first + 1;
    if (lines > FUNCTION_LINES_MAX) found.push(`${file.path}:${first} has ${lines} lines`);
  });
  return found;
}

function isFunction(node: Node): boolean {
  return (
    node.type === 'FunctionDeclaration' ||
    node.type === 'FunctionExpression' ||
    node.type === 'ArrowFunctionExpression'
  );
}

function isLinkInComment(line: string): boolean {
  return /^\s*(\*|\/\/|\/\*\*).*https:\/\/\S+/.test(line);
}

function wholesaleExports(file: SourceFile): string[] {
  return file.program.body
    .filter(({ type }) => type === 'ExportAllDeclaration' || type === 'ExportDefaultDeclaration')
    .map((statement) => `${file.path}:${lineAt(file, statement.start)}`);
}

function anyTypes(file: SourceFile): string[] {
  const found: string[] = [];
  walk(file.program, (node) => {
    if (node.type === 'TSAnyKeyword') found.push(`${file.path}:${lineAt(file, node.start)}`);
  });
  return found;
}

function exportedNames(file: SourceFile): string[] {
  return file.program.body.flatMap((statement) => {
    if (statement.type !== 'ExportNamedDeclaration') return [];
    const { declaration } = statement;
    if (declaration === null) return statement.specifiers.map(({ exported }) => nameOf(exported));
    if (declaration.type === 'VariableDeclaration') {
      return declaration.declarations.map(({ id }) => nameOf(id));
    }
    return 'id' in declaration && declaration.id !== null ? [nameOf(declaration.id)] : [];
  });
}

function nameOf(node: Node): string {
  return 'name' in node && typeof node.name === 'string' ? node.name : '';
}

/** A word of the file's name is in an exported name; eras and routes are named for the wire. */
function isNamedLikeAnExport(file: SourceFile): boolean {
  const name = basename(file.path);
  if (NAMED_FOR_A_ROLE.has(name) || /\/(eras|routes)\//.test(file.path)) return true;
  const words = name.replace(/\.ts$/, '').split('-').map(stem);
  return exportedNames(file).some((exported) => {
    const letters = exported.toLowerCase().replaceAll('_', '');
    return words.some((word) => letters.includes(word));
  });
}

function stem(word: string): string {
  return word.replace(/(ies|s|ing|ed|er)$/, '') || word;
}

function matchingLines(paths: readonly string[], pattern: RegExp): string[] {
  return paths.flatMap((path) =>
    readText(path)
      .split('\n')
      .flatMap((line, index) =>
        pattern.test(line) ? [`${path}:${index + 1} ${line.trim()}`] : [],
      ),
  );
}

function isNotThisFile(path: string): boolean {
  return path !== 'test/tidy.test.ts';
}
