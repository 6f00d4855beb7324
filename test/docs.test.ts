/** Holds the documents to what exists: links, commands, and the tables they repeat. */
import { existsSync } from 'node:fs';
import { join, posix } from 'node:path';

import { expect, test } from 'vitest';

import { readCommandLine } from '../src/cli/command-line.ts';
import { configJsonSchemaText, configPage } from './config-reference.ts';
import {
  closeReasonsPage,
  errorsPage,
  limitsPage,
  limitsWithoutReason,
} from './reference-pages.ts';
import { stateMachinesPage } from './state-machines-page.ts';
import { listFiles, productFiles, readText, ROOT, walk } from './source-files.ts';

const PAGES = ['.', 'docs', 'bench', 'examples']
  .flatMap((folder) => (folder === '.' ? pagesOfRoot() : listFiles(folder)))
  .filter((path) => path.endsWith('.md'));

test('every relative link leads to a file and a heading that exist', () => {
  expect(PAGES.flatMap((path) => brokenLinks(path, readText(path)))).toEqual([]);
});

test('every page of docs/ can be reached from the README', () => {
  const reached = new Set<string>();
  const visit = (path: string): void => {
    if (reached.has(path)) return;
    reached.add(path);
    for (const { file } of linksOf(path, readText(path))) {
      if (file.endsWith('.md') && existsSync(join(ROOT, file))) visit(file);
    }
  };
  visit('README.md');
  const alone = PAGES.filter((path) => path.startsWith('docs/') && !reached.has(path));
  expect(alone).toEqual([]);
});

test('every npm command in a document is a script that exists', () => {
  const { scripts } = JSON.parse(readText('package.json')) as { scripts: Record<string, string> };
  const unknown = PAGES.flatMap((path) =>
    commandsOf(readText(path))
      .filter((name) => !Object.hasOwn(scripts, name))
      .map((name) => `${path}: ${name}`),
  );
  expect(unknown).toEqual([]);
});

test('docs/reference/errors.md is written from the code', async () => {
  await expect(errorsPage()).toMatchFileSnapshot('../docs/reference/errors.md');
});

test('docs/reference/limits.md is written from the code', async () => {
  await expect(limitsPage()).toMatchFileSnapshot('../docs/reference/limits.md');
});

test('docs/reference/close-reasons.md is written from the code', async () => {
  await expect(closeReasonsPage()).toMatchFileSnapshot('../docs/reference/close-reasons.md');
});

test('docs/reference/config.md is written from the code', async () => {
  await expect(configPage()).toMatchFileSnapshot('../docs/reference/config.md');
});

test('schema/tidegate.schema.json is written from the code', async () => {
  await expect(configJsonSchemaText()).toMatchFileSnapshot('../schema/tidegate.schema.json');
});

test('docs/architecture/state-machines.md is written from the code', async () => {
  const path = '../docs/architecture/state-machines.md';
  await expect(stateMachinesPage()).toMatchFileSnapshot(path);
});

test('every limit says what it bounds', () => {
  expect(limitsWithoutReason()).toEqual([]);
});

test('docs/reference/metrics.md names exactly the counters of the product', () => {
  const documented = firstColumn(readText('docs/reference/metrics.md'));
  expect(documented).toEqual([...countersOfProduct()].sort());
});

test('docs/reference/cli.md names exactly the options of --help', () => {
  const help = readCommandLine(['--help'], {}, '0.0.0');
  const offered = help.kind === 'shown' ? optionsOf(help.text, /^ {2}(-.*?)(?: {2}|$)/gm) : [];
  const documented = optionsOf(readText('docs/reference/cli.md'), /^\| `(-[^`]+)`/gm);
  expect(documented).toEqual(offered);
  expect(offered).toContain('--port');
});

test('every command line of ours in a document is one that the command takes', () => {
  const lines = PAGES.flatMap((path) =>
    productLinesOf(readText(path)).map((line) => ({ path, line })),
  );
  const wrong = lines.flatMap(({ path, line }) => {
    const read = readCommandLine(wordsOf(line), { GITHUB_TOKEN: 'x' }, '0.0.0');
    return read.kind === 'wrong' ? [`${path}: tidegate ${line}: ${read.reason}`] : [];
  });
  expect(wrong).toEqual([]);
  expect(lines.length).toBeGreaterThan(30);
});

test('the rules see what they forbid', () => {
  const page =
    '[a](none.md) [b](#nothing) [c](https://example.org)\n# A heading `x`\n[d](#a-heading-x)';
  expect(brokenLinks('README.md', page)).toEqual(['README.md -> none.md', 'README.md -> #nothing']);
  expect(commandsOf('```sh\nnpm test\nnpm run nothing -- x\n```\nand `npm start`')).toEqual([
    'test',
    'nothing',
    'start',
  ]);
  const lines =
    '```sh\nA=b npx tidegate --port \\\n  80 -- x  # said\n```\n| a | `tidegate "b c"` |';
  expect(productLinesOf(lines).map(wordsOf)).toEqual([['--port', '80', '--', 'x'], ['b c']]);
});

function pagesOfRoot(): string[] {
  return ['README', 'ARCHITECTURE', 'CONTRIBUTING', 'SECURITY', 'CHANGELOG'].map(
    (name) => `${name}.md`,
  );
}

interface Link {
  readonly target: string;
  /** From the folder of package.json. */
  readonly file: string;
  readonly anchor: string;
}

function linksOf(path: string, text: string): Link[] {
  const prose = text.replaceAll(/```[^]*?```/g, '');
  return [...prose.matchAll(/\]\(([^)\s]+)\)/g)]
    .map((match) => match[1] ?? '')
    .filter((target) => !/^[a-z]+:/.test(target))
    .map((target) => {
      const [name = '', anchor = ''] = target.split('#');
      const file = name === '' ? path : posix.normalize(posix.join(posix.dirname(path), name));
      return { target, file, anchor };
    });
}

function brokenLinks(path: string, text: string): string[] {
  return linksOf(path, text)
    .filter(({ file, anchor }) => {
      if (file !== path && !existsSync(join(ROOT, file))) return true;
      if (anchor === '') return false;
      return !anchorsOf(file === path ? text : readText(file)).has(anchor);
    })
    .map(({ target }) => `${path} -> ${target}`);
}

/** Anchors as GitHub makes them from headings. */
function anchorsOf(text: string): Set<string> {
  const headings = text.replaceAll(/```[^]*?```/g, '').matchAll(/^#+ (.+)$/gm);
  return new Set(
    [...headings].map(([, heading = '']) =>
      heading
        .toLowerCase()
        .replaceAll(/[^\p{L}\p{N}\s_-]/gu, '')
        .trim()
        .replaceAll(/\s/g, '-'),
    ),
  );
}

function commandsOf(text: string): string[] {
  return [...text.matchAll(/\bnpm (?:run (?:--silent )?([a-z][\w:-]*)|(start|test)\b)/g)].map(
    ([, script, short]) => script ?? short ?? '',
  );
}

/** What follows `tidegate` in lines for a shell and in tables; names and `<usages>` are none. */
function productLinesOf(text: string): string[] {
  const blocks = [...text.matchAll(/```sh\n([^]*?)```/g)].map(([, block = '']) => block);
  const cells = [...text.matchAll(/^\|.*$/gm)].flatMap(([row]) =>
    [...row.matchAll(/`([^`]+)`/g)].map(([, code = '']) => code),
  );
  const lines = blocks.join('\n').replaceAll('\\\n', ' ').split('\n');
  return [...lines, ...cells].flatMap((line) => {
    const said = line.replace(/\s+# .*$/, '');
    const [, rest = ''] = /(?:^|[\s(])tidegate (.+)$/.exec(said) ?? [];
    return /<|…|^[a-z ]*$/.test(rest) ? [] : [rest];
  });
}

/** As a shell would, where nothing is substituted: `"$(…)"` is a word. */
function wordsOf(line: string): string[] {
  const [, ours = line] = /^(.*?)\)?$/.exec(line.replaceAll(/\$\([^)]*\)/g, 'x')) ?? [];
  return [...ours.matchAll(/'([^']*)'|"([^"]*)"|(\S+)/g)].map(
    ([, single, double, bare]) => single ?? double ?? bare ?? '',
  );
}

function firstColumn(text: string): string[] {
  return [...text.matchAll(/^\| `(\w+)`/gm)].map((match) => match[1] ?? '').sort();
}

/** The long names of options; `pattern` captures an option's flags. */
function optionsOf(text: string, pattern: RegExp): string[] {
  return [...text.matchAll(pattern)]
    .flatMap(([, flags = '']) => /--[\w-]+/.exec(flags)?.[0] ?? [])
    .sort();
}

/** Literal first arguments of `….count('name', …)` and `counters.add('name', …)`. */
function countersOfProduct(): Set<string> {
  const names = new Set<string>();
  const product = productFiles().filter(({ path }) => !path.startsWith('src/testing/'));
  for (const file of product) {
    walk(file.program, (node) => {
      if (node.type !== 'CallExpression' || node.callee.type !== 'MemberExpression') return;
      const callee = file.text.slice(node.callee.start, node.callee.end);
      if (!/(^|\.)(count|counters\.add)$/.test(callee)) return;
      const [name] = node.arguments;
      if (name?.type === 'Literal' && typeof name.value === 'string') names.add(name.value);
    });
  }
  return names;
}
