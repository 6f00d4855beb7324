/** The Inspector's command line, in each era. */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateTo, type Gate } from './gate.ts';
import { Inspector } from './inspector.ts';

const inspector = await Inspector.installed();
const why = typeof inspector === 'string' ? ` (left out: ${inspector})` : '';

const ERAS = [
  ['HTTP with SSE', 'sse', 'sse', 'legacy'],
  ['Streamable HTTP with sessions', 'mcp', 'http', 'legacy'],
  ['Streamable HTTP without', 'mcp', 'http', 'modern'],
] as const;

describe.runIf(typeof inspector !== 'string')(`the Inspector${why}`, () => {
  let gate: Gate;

  beforeAll(async () => {
    gate = await gateTo('v2');
  });

  afterAll(async () => {
    await gate.close();
  });

  async function ask(url: 'sse' | 'mcp', ...args: readonly string[]): Promise<unknown> {
    if (typeof inspector === 'string') throw new Error(inspector);
    const { exitCode, stdout, stderr } = await inspector.run(
      '--server-url',
      gate[url].href,
      ...args,
    );
    expect({ exitCode, stderr }).toMatchObject({ exitCode: 0 });
    return JSON.parse(stdout);
  }

  it.each(ERAS)('lists and calls over %s', async (_, url, transport, era) => {
    const how = ['--transport', transport, '--protocol-era', era];
    const called = ['--method', 'tools/call', '--tool-name', 'test_simple_text'];
    const [tools, answer] = await Promise.all([
      ask(url, ...how, '--method', 'tools/list'),
      ask(url, ...how, ...called),
    ]);
    expect(JSON.stringify(tools)).toContain('"test_simple_text"');
    expect(answer).toMatchObject({
      content: [{ type: 'text', text: 'This is a simple text response for testing.' }],
    });
  });

  it('reads a resource and gets a prompt', async () => {
    const read = ['--method', 'resources/read', '--uri', 'test://static-text'];
    const got = ['--method', 'prompts/get', '--prompt-name', 'test_simple_prompt'];
    const [resource, prompt] = await Promise.all([ask('mcp', ...read), ask('mcp', ...got)]);
    expect(JSON.stringify(resource)).toContain('static text resource');
    expect(JSON.stringify(prompt)).toContain('simple prompt');
  });
});
