/**
 * The threat model of SECURITY.md: every row names tests that cite it, or says why it cannot arise.
 * Rows that belong to no other folder are held here.
 */
import { chmodSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { rootCertificates } from 'node:tls';
import { runInNewContext } from 'node:vm';
import fc from 'fast-check';
import type { Node } from 'oxc-parser';
import { describe, expect, it } from 'vitest';
import { loadConfig } from 'tidegate/gateway';
import { openBrowser } from '../../src/adapters/credentials/open-browser.ts';
import { matchesTemplate } from '../../src/core/merge/uri-template.ts';
import { decodeHeaderValue, encodeHeaderValue } from '../../src/core/protocol/header-value.ts';
import { citations } from '../citations.ts';
import { temporaryFolder } from '../gateway/gateway-host.ts';
import { productFiles, readText, type SourceFile, testFiles, walk } from '../source-files.ts';
import { people } from '../wire/people.ts';
import { wireServer } from '../wire/wire-server.ts';

const THREAT = /\bV\d{2}\b/g;
/** Ids of the rows there are, without a gap. */
const COUNT = 58;

interface Row {
  readonly id: string;
  readonly text: string;
  readonly tests: readonly string[];
}

function rows(): readonly Row[] {
  const [, table = ''] = readText('SECURITY.md').split('### Which test holds what');
  return table
    .split('\n')
    .filter((line) => /^\| V\d{2} \|/.test(line))
    .map((line) => {
      const [, id = '', text = '', by = ''] = line.split('|').map((cell) => cell.trim());
      return { id, text, tests: [...by.matchAll(/\]\(([^)]+)\)/g)].map(([, path = '']) => path) };
    });
}

describe('the threat model', () => {
  it('has a row for every threat', () => {
    const ids = Array.from({ length: COUNT }, (_, i) => `V${String(i + 1).padStart(2, '0')}`);
    expect(rows().map(({ id }) => id)).toEqual(ids);
  });

  it('names for each row tests that cite it, or a reason', () => {
    const cited = new Map(testFiles().map((file) => [file.path, citations(file, THREAT)]));
    const unheld = rows().flatMap(({ id, text, tests }) => {
      if (tests.length === 0) return text.startsWith('Cannot arise: ') ? [] : [`${id}: nothing`];
      return tests
        .filter((path) => cited.get(path)?.includes(id) !== true)
        .map((path) => `${id}: ${path}`);
    });
    expect(unheld).toEqual([]);
  });

  it('has a row for every threat that a test cites', () => {
    const known = new Set(rows().map(({ id }) => id));
    const unknown = testFiles().flatMap((file) =>
      citations(file, THREAT).filter((id) => !known.has(id)),
    );
    expect(unknown).toEqual([]);
  });
});

/** Of a request; `mcp-method` and `mcp-param-*` are only compared with what the body says. */
const HEADERS_READ = [
  ':authority',
  ':method',
  ':path',
  'accept',
  'access-control-request-headers',
  'authorization',
  'content-encoding',
  'content-length',
  'content-type',
  'dpop',
  'expect',
  'forwarded',
  'host',
  'last-event-id',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'origin',
  'transfer-encoding',
  'x-forwarded-for',
];

it('V17 V45: no other header of a request is read, so none can be believed', () => {
  const sides = /^src\/(?:core|server|gateway|adapters\/(?:http|identity))\//;
  const files = productFiles().filter(({ path }) => sides.test(path));
  expect([...new Set(files.flatMap(headersRead))].sort()).toEqual(HEADERS_READ);
});

const READERS = new Set(['header', 'headerCount', 'line']);

/** Names that a file asks for: `header('a')`, `headers['a']`, `req.headers.a`. */
function headersRead({ program }: SourceFile): string[] {
  const names: string[] = [];
  const called = new Set<Node>();
  walk(program, (node) => {
    if (node.type === 'CallExpression') {
      called.add(node.callee);
      const [first] = node.arguments;
      if (READERS.has(lastName(node.callee)) && isText(first)) names.push(first.value);
    } else if (node.type === 'MemberExpression' && lastName(node.object) === 'headers') {
      const isCounted = lastName(node) === 'length' || lastName(node) === 'size';
      if (isText(node.property)) names.push(node.property.value);
      else if (!node.computed && !called.has(node) && !isCounted) names.push(lastName(node));
    }
  });
  return names;
}

function lastName(node: Node): string {
  if (node.type === 'MemberExpression') return node.computed ? '' : lastName(node.property);
  return node.type === 'Identifier' || node.type === 'PrivateIdentifier' ? node.name : '';
}

function isText(node: Node | undefined): node is Node & { readonly value: string } {
  return node?.type === 'Literal' && typeof node.value === 'string';
}

/** What faults of Node made fatal: headers of any name as an object, and callbacks of TLS. */
const FATAL = /\b(?:headersDistinct|trailersDistinct|SNICallback|ALPNCallback|pskCallback)\b/;

it('V53: nothing is asked of Node that a name which a peer sends could make throw', () => {
  const found = productFiles().flatMap(({ path, program }) => {
    const names: string[] = [];
    walk(program, (node) => {
      if (node.type === 'Identifier' && FATAL.test(node.name)) names.push(`${path}: ${node.name}`);
    });
    return names;
  });
  expect(found).toEqual([]);
});

it.skipIf(process.platform === 'win32')(
  'V15: a config that anybody may write to is refused',
  () => {
    const path = join(temporaryFolder(), 'tidegate.yaml');
    writeFileSync(path, 'servers:\n  files:\n    command: cat\n');
    chmodSync(path, 0o666);
    expect(loadConfig(path, {}).kind).toBe('faulty');
    chmodSync(path, 0o644);
    expect(loadConfig(path, {}).kind).not.toBe('faulty');
  },
);

it.skipIf(process.platform === 'win32')(
  'V15: a file that it names and is read from, that anybody may write to, is refused',
  () => {
    const folder = temporaryFolder();
    const path = join(folder, 'tidegate.yaml');
    const policies = join(folder, 'policies.cedar');
    const ca = join(folder, 'ca.pem');
    const remote = `{ url: "https://mcp.example/mcp", ca: ${ca} }`;
    writeFileSync(policies, 'permit (principal, action, resource);\n');
    writeFileSync(ca, rootCertificates[0] ?? '');
    writeFileSync(path, `policy: { file: ${policies} }\nservers: { far: ${remote} }\n`);
    expect(loadConfig(path, {}).kind).toBe('config');
    for (const file of [policies, ca]) {
      chmodSync(file, 0o666);
      const loaded = loadConfig(path, {});
      expect(loaded).toMatchObject({
        problems: [{ message: 'The file may be changed by anybody; use chmod o-w on it.' }],
      });
      chmodSync(file, 0o644);
    }
  },
);

it.each([
  'javascript:alert(1)',
  'file:///etc/passwd',
  'data:text/html,x',
  '--flag',
  '$(touch x)',
  'ssh://-oProxyCommand=x',
  'HTTPX://a.test',
])('V32: %s is opened by nobody', (url) => {
  expect(() => openBrowser(url)).toThrow(TypeError);
});

it('V39: a challenge does not change with what a client says of itself', async () => {
  const server = await wireServer({ identity: people(), publicUrl: 'https://mcp.example.test' });
  const hosts = ['127.0.0.1', 'mcp.example.test'];
  const told = new Set<string>();
  for (const host of hosts) {
    for (const more of [
      {},
      { 'x-forwarded-host': 'evil.test' },
      { forwarded: 'host=evil.test;proto=http' },
      { 'x-forwarded-proto': 'http', 'x-forwarded-prefix': '/evil' },
      { 'x-original-url': '/evil', 'x-rewrite-url': '/evil' },
    ]) {
      const reply = await server.fetch({ path: '/mcp', headers: { host, ...more } });
      told.add(`${reply.status} ${reply.header('www-authenticate')} ${reply.text}`);
    }
  }
  expect([...told]).toHaveLength(1);
  expect([...told][0]).not.toContain('evil');
});

it('V44: no argument leaves the header that repeats it', () => {
  fc.assert(
    fc.property(fc.string({ unit: 'binary' }), (text) => {
      const header = encodeHeaderValue(text);
      expect(header).toMatch(/^[\t\u0020-\u007e]*$/);
      expect(decodeHeaderValue(header)).toBe(text.toWellFormed());
    }),
  );
  for (const text of ['../', '%2e%2e', 'a?b#c', 'a\r\nb: c', '\u0000']) {
    expect(decodeHeaderValue(encodeHeaderValue(text))).toBe(text);
  }
});

it('V47: a template costs no more than its parts, whatever the URI', () => {
  const parts = 200;
  const template = 'a{x}'.repeat(parts);
  expect(matched(template, `${'a'.repeat(65_536)}b`)).toBe(true);
  expect(matched(`${template}c`, `${'a'.repeat(65_536)}b`)).toBe(false);
  expect(matched(template, 'b'.repeat(65_536))).toBe(false);
});

/**
 * Backtracking over templates of many parts takes longer than anybody waits, and no timer of a test
 * ends it: the engine does, and the call throws.
 */
function matched(template: string, uri: string): unknown {
  const call = 'matchesTemplate(template, uri)';
  return runInNewContext(call, { matchesTemplate, template, uri }, { timeout: 10_000 });
}
