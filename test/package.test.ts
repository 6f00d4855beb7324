/** Holds what the package promises: entries, names, weight and contents. It needs a build. */
import { execFile } from 'node:child_process';
import { existsSync, readFileSync } from 'node:fs';
import { builtinModules } from 'node:module';
import { dirname, join, resolve } from 'node:path';
import { promisify } from 'node:util';

import { parseSync } from 'oxc-parser';
import { publint } from 'publint';
import { formatMessage } from 'publint/utils';
import { expect, test } from 'vitest';

import { parse, readText, ROOT } from './source-files.ts';

const run = promisify(execFile);

interface Manifest {
  readonly name: string;
  readonly version: string;
  /** Conditions of code, or the path of a file that is none. */
  readonly exports: Record<string, Record<string, string> | string>;
  readonly bin: Record<string, string>;
  readonly dependencies: Record<string, string>;
  readonly scripts: Record<string, string>;
  readonly engines: { readonly node: string };
}

const MANIFEST = JSON.parse(readText('package.json')) as Manifest;
const FILES = Object.values(MANIFEST.exports).filter((target) => typeof target === 'string');
const ENTRIES = Object.entries(MANIFEST.exports).filter(isCode);
const CODE = Object.fromEntries(ENTRIES);

test('every entry and command leads to a file that exists', () => {
  const targets = [
    ...ENTRIES.flatMap(([, conditions]) => Object.values(conditions)),
    ...Object.values(MANIFEST.bin),
    ...FILES,
  ];
  expect(targets.filter((target) => !existsSync(join(ROOT, target)))).toEqual([]);
});

test('every entry offers its source, then its types, then its code', () => {
  for (const [, conditions] of ENTRIES) {
    expect(Object.keys(conditions)).toEqual([`${MANIFEST.name}-source`, 'types', 'default']);
  }
});

test('the names that the package exports are the ones we decided on', async () => {
  const names = ENTRIES.map(([entry, conditions]) => {
    const source = conditions[`${MANIFEST.name}-source`] ?? '';
    return `${join(MANIFEST.name, entry)}\n${exportedNames(source)
      .map((name) => `  ${name}\n`)
      .join('')}`;
  });
  await expect(names.join('\n')).toMatchFileSnapshot('public-api.txt');
});

test('every entry can be imported by name, and exports values only by name', async () => {
  for (const [entry] of ENTRIES) {
    const name = join(MANIFEST.name, entry);
    const script = `import(${JSON.stringify(name)}).then((entry) => console.log(Object.keys(entry).join()))`;
    const { stdout } = await run(process.execPath, ['-e', script], { cwd: ROOT });
    const values = stdout.trim().split(',');
    expect(values).not.toContain('default');
    expect(values.join('')).not.toBe('');
  }
});

test('its version and its schema can be read, and what CommonJS requires is the same', async () => {
  const script =
    "const { version } = require('tidegate/package.json');" +
    "const { $schema } = require('tidegate/schema.json');" +
    "import('tidegate').then(({ createEndpoint }) => console.log(" +
    "version, typeof $schema, require('tidegate').createEndpoint === createEndpoint))";
  const options = ['--no-warnings', '--input-type=commonjs', '-e', script];
  const { stdout } = await run(process.execPath, options, { cwd: ROOT });
  expect(stdout.trim()).toBe(`${MANIFEST.version} string true`);
});

test.each(['.', './node', './fetch', './client', './testing'])(
  'importing %s loads no package and nothing of the command',
  (entry) => {
    const { files, packages } = loadedBy(join(ROOT, CODE[entry]?.['default'] ?? ''));
    expect([...packages]).toEqual([]);
    expect([...files].filter((file) => file.includes('/dist/cli/'))).toEqual([]);
  },
);

test('V53 the command loads nothing that a Node that is too old could not, before it says so', () => {
  const { files, packages, builtins } = loadedBy(join(ROOT, MANIFEST.bin['tidegate'] ?? ''));
  const names = [...files].map((file) => file.slice(join(ROOT, 'dist/cli/').length));
  expect(names).toEqual(['main.js', 'node-version.js']);
  expect([...packages, ...builtins]).toEqual([]);
});

test('./fetch runs where there is no Node', () => {
  const { builtins } = loadedBy(join(ROOT, CODE['./fetch']?.['default'] ?? ''));
  expect([...builtins]).toEqual([]);
});

test('what is published is what users need', async () => {
  const pack = ['pack', '--dry-run', '--json', '--ignore-scripts', '--loglevel=error'];
  const { stdout } = await run('npm', pack, { cwd: ROOT, shell: process.platform === 'win32' });
  const [{ files }] = JSON.parse(stdout) as [{ files: { path: string }[] }];
  const paths = files.map(({ path }) => path);
  const allowed =
    /^(dist\/.+\.(js|d\.ts|js\.map)|schema\/.+\.json|(docs\/.+|[A-Z]+)\.md|LICENSE|package\.json)$/;
  expect(paths.filter((path) => !allowed.test(path) || path.includes('.test.'))).toEqual([]);
  expect(paths).toEqual(expect.arrayContaining(['LICENSE', 'README.md', 'dist/index.js']));
  // A clone has no dist: it is built before it is packed.
  expect(MANIFEST.scripts['prepack']).toBe(MANIFEST.scripts['build']);
});

test('publint finds nothing to correct', async () => {
  const { messages, pkg } = await publint({ pkgDir: ROOT, pack: false, strict: true });
  expect(messages.map((message) => formatMessage(message, pkg, { color: false }))).toEqual([]);
});

test('every dependency has its line in docs/decisions/dependencies.md', () => {
  const page = readText('docs/decisions/dependencies.md');
  const manifest = JSON.parse(readText('package.json')) as Record<string, Record<string, string>>;
  const names = ['dependencies', 'devDependencies', 'peerDependencies'].flatMap((kind) =>
    Object.keys(manifest[kind] ?? {}),
  );
  expect(names.filter((name) => !page.includes(`| \`${name}\``))).toEqual([]);
});

type Conditions = Record<string, string>;

function isCode(entry: [string, Conditions | string]): entry is [string, Conditions] {
  return typeof entry[1] !== 'string';
}

function exportedNames(source: string): string[] {
  return parse(source.replace('./', ''))
    .program.body.flatMap((statement) => {
      if (statement.type !== 'ExportNamedDeclaration') return [];
      const kind = statement.exportKind === 'type' ? 'type ' : '';
      return declaredNames(statement).map((name) => `${kind}${name}`);
    })
    .sort();
}

type Export = Extract<
  ReturnType<typeof parse>['program']['body'][number],
  { type: 'ExportNamedDeclaration' }
>;

function declaredNames(statement: Export): string[] {
  const { declaration } = statement;
  if (declaration === null) {
    return statement.specifiers.map(({ exported, exportKind }) => {
      const name = exported.type === 'Literal' ? exported.value : exported.name;
      return exportKind === 'type' ? `type ${name}` : name;
    });
  }
  if (declaration.type === 'VariableDeclaration') {
    return declaration.declarations.flatMap(({ id }) => (id.type === 'Identifier' ? id.name : []));
  }
  return 'id' in declaration && declaration.id?.type === 'Identifier' ? [declaration.id.name] : [];
}

/** What a static import of a built file loads: our files, packages and Node modules. */
function loadedBy(entry: string): {
  files: Set<string>;
  packages: Set<string>;
  builtins: Set<string>;
} {
  const files = new Set<string>();
  const packages = new Set<string>();
  const builtins = new Set<string>();
  const visit = (file: string): void => {
    if (files.has(file)) return;
    files.add(file);
    for (const specifier of staticImports(file)) {
      if (specifier.startsWith('.')) visit(resolve(dirname(file), specifier));
      else if (isBuiltin(specifier)) builtins.add(specifier);
      else packages.add(specifier);
    }
  };
  visit(entry);
  return { files, packages, builtins };
}

function staticImports(file: string): string[] {
  const { module } = parseSync(file, readFileSync(file, 'utf8'), { sourceType: 'module' });
  return [
    ...module.staticImports.map((entry) => entry.moduleRequest.value),
    ...module.staticExports.flatMap((statement) =>
      statement.entries.flatMap((entry) => entry.moduleRequest?.value ?? []),
    ),
  ];
}

function isBuiltin(specifier: string): boolean {
  return specifier.startsWith('node:') || builtinModules.includes(specifier);
}
