/**
 * Holds the import table of ARCHITECTURE.md, and the purity of `src/core` that everything relies
 * on.
 */
import type { Node } from 'oxc-parser';
import { expect, test } from 'vitest';

import { lineAt, parse, productFiles, readText, walk, type SourceFile } from './source-files.ts';

interface Row {
  /** A folder that ends in a slash, or one file. */
  readonly files: string;
  readonly mayImport: readonly string[];
  readonly packages: readonly string[];
}

const TABLE = readTable(readText('ARCHITECTURE.md'));
const FILES = productFiles();

/** What a decision must not touch: the world, its clock, its chance, and anything that waits. */
const BANNED_IN_CORE = new Set([
  'process',
  'Promise',
  'setTimeout',
  'setInterval',
  'setImmediate',
  'queueMicrotask',
  'performance',
  'crypto',
  'console',
  'fetch',
  'Buffer',
  'globalThis',
]);
const BANNED_MEMBERS_IN_CORE = new Set(['Date.now', 'Math.random']);

test('the table of ARCHITECTURE.md has a row for every file of the product', () => {
  const homeless = FILES.filter((file) => rowOf(file.path) === undefined).map(({ path }) => path);
  expect(homeless).toEqual([]);
});

test('every row of the table stands for files that exist', () => {
  const empty = TABLE.filter((row) => !FILES.some((file) => rowOf(file.path) === row));
  expect(empty.map((row) => row.files)).toEqual([]);
});

test('every import in the product is one that the table allows', () => {
  expect(FILES.flatMap((file) => forbiddenImports(file))).toEqual([]);
});

test('every local import names a file that exists, with its extension', () => {
  const known = new Set(FILES.map(({ path }) => path));
  const missing = FILES.flatMap((file) =>
    file.imports
      .filter((target) => target.file !== undefined && !known.has(target.file))
      .map((target) => `${file.path} imports ${target.specifier}`),
  );
  expect(missing).toEqual([]);
});

test('no file imports itself by a way round', () => {
  expect(findCycles(FILES)).toEqual([]);
});

test('the core never waits and never touches the world', () => {
  const core = FILES.filter((file) => file.path.startsWith('src/core/'));
  expect(core.length).toBeGreaterThan(0);
  expect(core.flatMap((file) => impurities(file))).toEqual([]);
});

test('the rules see what they forbid', () => {
  const row = { files: 'src/core/', mayImport: [], packages: [] };
  expect(isAllowed(row, 'node:fs', undefined)).toBe(false);
  expect(isAllowed(row, '../cli/b.ts', 'src/cli/b.ts')).toBe(false);
  expect(isAllowed(row, './b.ts', 'src/core/b.ts')).toBe(true);
  const impure = 'export async function a() { await Date . now(); new Promise(setTimeout); }';
  expect(impurities(parse('src/core/a.ts', impure))).toHaveLength(5);
  const pure =
    'export interface A { process(): Promise<void> } export const b = (a: A) => a.process;';
  expect(impurities(parse('src/core/b.ts', pure))).toEqual([]);
  const ring = [
    { path: 'a', imports: [{ file: 'b' }] },
    { path: 'b', imports: [{ file: 'a' }] },
  ];
  expect(findCycles(ring)).toEqual(['a -> b -> a']);
});

function readTable(markdown: string): Row[] {
  return markdown
    .split('\n')
    .filter((line) => line.startsWith('| `src/'))
    .map((line) => {
      const [, files = '', mayImport = '', packages = ''] = line.split('|');
      return {
        files: quoted(files)[0] ?? '',
        mayImport: quoted(mayImport),
        packages: quoted(packages),
      };
    });
}

function quoted(cell: string): string[] {
  return [...cell.matchAll(/`([^`]+)`/g)].map((match) => match[1] ?? '');
}

/** The row with the longest name that covers the file. */
function rowOf(path: string): Row | undefined {
  return TABLE.filter((row) => covers(row.files, path)).sort(
    (a, b) => b.files.length - a.files.length,
  )[0];
}

function covers(files: string, path: string): boolean {
  return files.endsWith('/') ? path.startsWith(files) : path === files;
}

function forbiddenImports(file: SourceFile): string[] {
  const row = rowOf(file.path);
  if (row === undefined) return [];
  return file.imports
    .filter((target) => !isAllowed(row, target.specifier, target.file))
    .map((target) => `${file.path} imports ${target.specifier}`);
}

function isAllowed(row: Row, specifier: string, file: string | undefined): boolean {
  if (file !== undefined) {
    return [row.files, ...row.mayImport].some((allowed) => covers(allowed, file));
  }
  return row.packages.some(
    (name) => specifier === name || specifier.startsWith(name.endsWith(':') ? name : `${name}/`),
  );
}

interface Importer {
  readonly path: string;
  readonly imports: readonly { readonly file: string | undefined }[];
}

/** Every cycle once, as a path that ends where it began. */
function findCycles(files: readonly Importer[]): string[] {
  const byPath = new Map(files.map((file) => [file.path, file]));
  const finished = new Set<string>();
  const cycles: string[] = [];
  const visit = (path: string, trail: readonly string[]): void => {
    const start = trail.indexOf(path);
    if (start !== -1) cycles.push([...trail.slice(start), path].join(' -> '));
    if (start !== -1 || finished.has(path)) return;
    for (const target of byPath.get(path)?.imports ?? []) {
      if (target.file !== undefined) visit(target.file, [...trail, path]);
    }
    finished.add(path);
  };
  for (const file of files) visit(file.path, []);
  return cycles;
}

function impurities(file: SourceFile): string[] {
  const found: string[] = [];
  const names = new Set<number>();
  const say = (position: number, what: string): void => {
    found.push(`${file.path}:${lineAt(file, position)} uses ${what}`);
  };
  walk(file.program, (node) => {
    noteNames(node, names);
    if (node.type === 'AwaitExpression') say(node.start, 'await');
    if (node.type === 'ForOfStatement' && node.await) say(node.start, 'await');
    if ('async' in node && node.async) say(node.start, 'async');
    if (node.type === 'NewExpression' && textOf(file, node) === 'newDate()')
      say(node.start, 'Date');
    if (node.type === 'MemberExpression' && BANNED_MEMBERS_IN_CORE.has(textOf(file, node))) {
      say(node.start, textOf(file, node));
    }
    if (node.type === 'Identifier' && BANNED_IN_CORE.has(node.name) && !names.has(node.start)) {
      say(node.start, node.name);
    }
  });
  return found;
}

/** Notes where an identifier is only a member's name or a type: neither is a use of the value. */
function noteNames(node: Node, names: Set<number>): void {
  if ('key' in node && 'computed' in node && !node.computed) names.add(node.key.start);
  if (node.type === 'TSPropertySignature' || node.type === 'TSMethodSignature') {
    names.add(node.key.start);
  }
  if (node.type === 'MemberExpression' && !node.computed) names.add(node.property.start);
  if (node.type === 'TSTypeReference') names.add(node.typeName.start);
}

function textOf(file: SourceFile, node: Node): string {
  return file.text.slice(node.start, node.end).replaceAll(/\s/g, '');
}
