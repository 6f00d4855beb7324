import { describe, expect, it } from 'vitest';
import type { ServerSource } from '../gateway-config.ts';
import { type ConfigOutcome, readConfig } from './read-config.ts';

function outcomeOf(keys: string): ConfigOutcome {
  return readConfig(`servers: { a: { ${keys} } }`, {
    path: '/etc/tidegate/tidegate.yaml',
    env: { MEMORY: '256' },
    readFile: () => ({ kind: 'unreadable', fault: 'does not exist' }),
  });
}

function sourceOf(keys: string): ServerSource | undefined {
  const outcome = outcomeOf(keys);
  return outcome.kind === 'config' ? outcome.config.servers[0]?.source : undefined;
}

function problemsOf(keys: string): readonly string[] {
  const outcome = outcomeOf(keys);
  if (outcome.kind === 'config') return [];
  return outcome.problems.map(({ line, path, message }) => `${line} ${path}: ${message}`);
}

describe('how children are held in', () => {
  it('is read from the file, with paths beside it', () => {
    const keys =
      'command: node, workdir: ./data, stderr: log, sandbox: [./box, -v, ./kept, "--"], ' +
      'resources: { memoryMb: "${MEMORY}", processes: 64, files: 256, cpuSeconds: 600 }';
    expect(sourceOf(keys)).toMatchObject({
      command: 'node',
      workdir: '/etc/tidegate/data',
      stderr: 'log',
      sandbox: ['/etc/tidegate/box', '-v', './kept', '--'],
      resources: { memoryMb: 256, processes: 64, files: 256, cpuSeconds: 600 },
    });
    expect(sourceOf('command: node, sandbox: [bwrap, "--"]')).toMatchObject({
      sandbox: ['bwrap', '--'],
    });
  });

  it('is nothing where nothing is said', () => {
    expect(Object.keys(sourceOf('command: node') ?? {})).toEqual([
      'kind',
      'command',
      'args',
      'env',
      'cwd',
    ]);
  });

  it.each([
    ['workdir: ./data, cwd: ./x', 'give cwd or workdir, not both'],
    ['workdir: ./data, isolation: shared', 'give cwd, or another isolation'],
    ['workdir: ""', 'not empty'],
    ['resources: { memoryMb: 0 }', 'Give a whole number from 1'],
    ['resources: { files: 1 }', 'Give a whole number from 16'],
    ['resources: { memory: 5 }', 'Did you mean memoryMb?'],
    ['sandbox: bwrap', 'Give a list.'],
    ['sandbox: []', 'Give the words of a command.'],
    ['stderr: yes please', 'Give count or log.'],
  ])('%s is a problem that says what to give', (keys, sentence) => {
    const problems = problemsOf(`command: node, ${keys}`);
    expect(problems).toHaveLength(1);
    expect(problems[0]).toContain(sentence);
  });

  it.each(['workdir: ./x', 'resources: {}', 'sandbox: [x]', 'stderr: log'])(
    '%s is for a command alone',
    (keys) => {
      expect(problemsOf(`url: "https://a.test/mcp", ${keys}`).join()).toContain('There is no key');
    },
  );
});
