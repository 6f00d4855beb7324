/** Holds what is published of the config to what reading one does. */
import { createRequire } from 'node:module';

import { describe, expect, it, test } from 'vitest';
import { parse } from 'yaml';
import { z } from 'zod';

import { type ConfigOutcome, readConfig } from '../src/gateway/config/read-config.ts';
import { configJsonSchema } from './config-reference.ts';
import { listFiles, readText } from './source-files.ts';

const SCHEMA = z.fromJSONSchema(configJsonSchema() as z.core.JSONSchema.JSONSchema);

/** With every variable that it names set. */
function read(text: string): ConfigOutcome {
  const names = [...text.matchAll(/\$\{(?:env:)?(\w+)\}/g)].map(([, name = '']) => name);
  return readConfig(text, {
    path: '/etc/tidegate/tidegate.yaml',
    env: Object.fromEntries(
      names.map((name) => [name, 'a-secret-long-enough-for-all-Yq3vJ0kQ2mB7']),
    ),
    readFile: () => ({ kind: 'unreadable', fault: 'does not exist' }),
  });
}

describe('the published schema', () => {
  const text = (server: string, rest = '') => `servers: { a: { ${server} } }\n${rest}`;

  it.each([
    text('command: x, args: [a], env: { A: b }, limits: { callMsMax: 60s, sessionsMax: 3 }'),
    text('command: x, required: "${NO:-true}"', 'listen: { port: "${PORT:-3}", drain: 5m }'),
    text('url: "https://x.example", auth: { type: token_exchange, clientId: a, clientSecret: b }'),
    text('module: x.mjs', 'all: { servers: [a] }'),
    text('module: x.mjs', 'all: true\nauth: { token: "${TIDEGATE_TOKEN}" }\nx-y: 1'),
  ])('accepts what is accepted: %s', (config) => {
    expect(read(config)).toMatchObject({ kind: 'config' });
    expect(SCHEMA.safeParse(parse(config)).error).toBeUndefined();
  });

  it.each([
    text('command: x, url: y'),
    text('comand: x'),
    text('args: []'),
    text('command: 3'),
    text('command: x, isolation: nobody'),
    text('command: x, limits: { nothing: 3 }'),
    text('command: x', 'listen: { port: 70000 }'),
    text('command: x', 'listen: { drain: 20 }'),
    text('command: x', 'auth: open'),
    text('command: x', 'nothing: 3'),
    'servers: { A_b: { command: x } }',
    'listen: {}',
  ])('refuses what is refused: %s', (config) => {
    expect(read(config)).toMatchObject({ kind: 'faulty' });
    expect(SCHEMA.safeParse(parse(config)).success).toBe(false);
  });

  it('names the defaults that are used', () => {
    const outcome = readConfig('servers: { a: { command: x } }', {
      path: '/a.yaml',
      env: {},
      readFile: () => ({ kind: 'unreadable', fault: '' }),
    });
    const { listen, servers } = (outcome as Extract<ConfigOutcome, { kind: 'config' }>).config;
    const { properties = {} } = configJsonSchema();
    const standard = (section: string, key: string): unknown =>
      properties[section]?.properties?.[key]?.default;
    expect(standard('listen', 'host')).toBe(listen.host);
    expect(standard('listen', 'port')).toBe(listen.port);
    expect(standard('listen', 'drain')).toBe(`${listen.drainMs / 1000}s`);
    for (const key of ['isolation', 'eras', 'endpointForm', 'priming', 'heartbeat'] as const) {
      expect(standard('defaults', key)).toBe(servers[0]?.[key]);
    }
    expect(standard('defaults', 'required')).toBe(servers[0]?.isRequired);
  });

  it('can be imported by the name of the package', () => {
    const schema: unknown = createRequire(import.meta.url)('tidegate/schema.json');
    expect(schema).toEqual(configJsonSchema());
  });
});

const BLOCKS = ['README.md', ...listFiles('docs').filter((path) => path.endsWith('.md'))].flatMap(
  (path) =>
    [...readText(path).matchAll(/^```(?:ya?ml|jsonc?)\n([^]*?)^```/gm)].map(([, text = '']) => ({
      path,
      text,
    })),
);
const EXAMPLES = BLOCKS.filter(({ text }) => /^servers:|"mcpServers"/m.test(text));
/** What a guide shows of a config. Cases of policies and what is Kubernetes' begin otherwise. */
const PARTS = BLOCKS.filter(({ text }) =>
  /^(?:listen|auth|denied|all|defaults|tenants|policy|rates|audit):/.test(text),
).filter((each) => !EXAMPLES.includes(each));

test.each(EXAMPLES)('an example in $path is a config', ({ text }) => {
  expect(read(text.replaceAll('…', 'x'))).toMatchObject({ kind: 'config' });
});

test.each(PARTS)('a part of a config in $path has only keys that there are', ({ text }) => {
  const outcome = read(
    `${text}\nservers: { reports: { command: node }, payroll: { command: x } }\n`,
  );
  const problems = outcome.kind === 'faulty' ? outcome.problems : [];
  expect(problems.filter(({ message }) => /^There is no key|^Give/.test(message))).toEqual([]);
});

test('there are examples', () => {
  expect(PARTS.length).toBeGreaterThan(10);
  expect(EXAMPLES.map(({ path }) => path)).toContain('docs/reference/config.md');
});
