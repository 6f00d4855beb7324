/**
 * The files of the repository and of `src/`, read and parsed once for the tests that judge them.
 */
import { existsSync, readdirSync, readFileSync } from 'node:fs';
import { join, posix } from 'node:path';
import { fileURLToPath } from 'node:url';

import { parseSync, type Node, type Program } from 'oxc-parser';

/** The folder of package.json, with a separator at its end. */
export const ROOT = fileURLToPath(new URL('..', import.meta.url));

export interface SourceFile {
  /** From the folder of package.json, with forward slashes. */
  readonly path: string;
  readonly text: string;
  readonly lines: readonly string[];
  readonly program: Program;
  readonly comments: readonly string[];
  /**
   * What it imports or exports from, in order: the specifier, and the file if it is one of ours.
   */
  readonly imports: readonly { readonly specifier: string; readonly file: string | undefined }[];
}

/** Paths below `folder` with forward slashes, without installed and built files. */
export function listFiles(folder: string): string[] {
  if (!existsSync(join(ROOT, folder))) return [];
  const skipped = new Set(['node_modules', 'dist', '.git', 'results', 'coverage']);
  return readdirSync(join(ROOT, folder), { withFileTypes: true })
    .flatMap((entry) => {
      const path = posix.join(folder, entry.name);
      if (entry.isDirectory()) return skipped.has(entry.name) ? [] : listFiles(path);
      return [path];
    })
    .sort();
}

export function readText(path: string): string {
  return readFileSync(join(ROOT, path), 'utf8');
}

/** TypeScript files below `src/`: the product's, without its tests. */
export function productFiles(): SourceFile[] {
  return listFiles('src')
    .filter((path) => path.endsWith('.ts') && !path.endsWith('.test.ts'))
    .map((path) => parse(path));
}

/** Files of tests, whatever folder they are in. */
export function testFiles(): SourceFile[] {
  return [...listFiles('src'), ...listFiles('test')]
    .filter((path) => path.endsWith('.test.ts'))
    .map((path) => parse(path));
}

/** Calls `visit` on every node, parents first. */
export function walk(node: Node, visit: (node: Node) => void): void {
  visit(node);
  for (const value of Object.values(node) as unknown[]) {
    for (const child of Array.isArray(value) ? (value as unknown[]) : [value]) {
      if (isNode(child)) walk(child, visit);
    }
  }
}

/** The line, counted from 1, that holds a position of the text. */
export function lineAt(file: SourceFile, position: number): number {
  return file.text.slice(0, position).split('\n').length;
}

/** A file as the tests see it; `text` stands for what lies at `path` when it is given. */
export function parse(path: string, text: string = readText(path)): SourceFile {
  const { program, module, comments, errors } = parseSync(path, text, { sourceType: 'module' });
  if (errors.length > 0) throw new Error(`${path}: ${errors[0]?.message ?? 'does not parse'}`);
  const specifiers = [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
    // One that is computed names a module of the operator's, and nothing of ours.
    ...module.dynamicImports
      .map(({ moduleRequest }) => text.slice(moduleRequest.start, moduleRequest.end))
      .filter((source) => /^['"`]/.test(source))
      .map((source) => source.slice(1, -1)),
  ];
  return {
    path,
    text,
    lines: text.split('\n'),
    program,
    comments: comments.map((comment) => comment.value),
    imports: specifiers.map((specifier) => ({ specifier, file: resolveLocal(path, specifier) })),
  };
}

function isNode(value: unknown): value is Node {
  return typeof value === 'object' && value !== null && 'type' in value && 'start' in value;
}

function resolveLocal(path: string, specifier: string): string | undefined {
  if (!specifier.startsWith('.')) return undefined;
  return posix.normalize(posix.join(posix.dirname(path), specifier));
}
