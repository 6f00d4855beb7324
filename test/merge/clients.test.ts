/** What other people's clients, of every era, see of three servers of different eras as one. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { inProcess, stdio, type Upstream } from 'tidegate';
import { describe, expect, it, onTestFinished } from 'vitest';
import { slowCalls, WATCHED } from '../clients/busy-servers.ts';
import type { Person } from '../clients/person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from '../clients/sdk-v1.ts';
import { sdkV2Stateless } from '../clients/sdk-v2.ts';
import { SERVERS } from '../clients/servers.ts';
import { errorOf, modern, textOf } from '../wire/client-2026.ts';
import { people } from '../wire/people.ts';
import { WireReply } from '../wire/wire-reply.ts';
import { mergedGate, type MergedGate } from './merged-gate.ts';

type Connect = (gate: Pick<MergedGate, 'mcp' | 'sse'>) => Promise<Person>;

const CONNECTS: readonly (readonly [string, Connect])[] = [
  ['version 1 of the SDK over SSE', sdkV1OverSse],
  ['version 1 of the SDK over Streamable HTTP', sdkV1OverHttp],
  ['version 2 of the SDK in the stateless revision', sdkV2Stateless],
];

/** One of version 2 in this process, a child that knows the handshake alone, and one of version 1. */
function servers(): Readonly<Record<string, Upstream>> {
  return {
    modern: SERVERS.v2(),
    child: SERVERS['v1 as a child'](),
    old: inProcess(oldServer),
  };
}

function oldServer(): McpServer {
  const server = new McpServer({ name: 'old', version: '1.0.0' });
  server.registerTool('greet', {}, () => ({ content: [{ type: 'text', text: 'hello' }] }));
  server.registerResource('note', 'old://note', {}, () => ({
    contents: [{ uri: 'old://note', text: 'from the old one' }],
  }));
  return server;
}

async function personAt(gate: MergedGate, connect: Connect): Promise<Person> {
  const person = await connect(gate);
  onTestFinished(() => person.close());
  return person;
}

async function seenProgress(person: Person, tool: string): Promise<readonly number[]> {
  const seen: number[] = [];
  await person.call(tool, {}, { onProgress: (progress) => void seen.push(progress) });
  return seen;
}

describe.each(CONNECTS)('a client on %s', (_, connect) => {
  it('finds the tools of all, and calls each at its server', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    const tools = await person.tools();
    const order = tools.map((name) => name.slice(0, name.indexOf('__')));
    expect([...new Set(order)]).toEqual(['modern', 'child', 'old']);
    expect(order.toSorted((one, other) => rank(one) - rank(other))).toEqual(order);
    expect(tools).toContain('child__test_simple_text');
    expect(await person.call('old__greet')).toBe('hello');
    for (const server of ['modern', 'child']) {
      expect(
        (await seenProgress(person, `${server}__test_tool_with_progress`)).slice(0, 2),
      ).toEqual([0, 50]);
    }
  });

  it('is asked for what a server needs, whichever era the server is of', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    expect(await person.call('child__test_elicitation', { message: 'Well?' })).toContain('"yes"');
    const greeting = await person.call('modern__test_input_required_result_elicitation');
    expect(greeting).toContain('Ann');
    const state = await person.call('modern__test_input_required_result_request_state');
    expect(state).toContain('state-ok');
    expect(await person.call('child__test_sampling', { prompt: 'Hi' })).toContain('Polly');
  });

  it('calls a tool whose arguments are repeated in headers', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    await person.tools();
    const said = await person.call('modern__test_x_mcp_header', { region: 'näh', query: 'q' });
    expect(said).toContain('näh');
  });

  it('reads resources and prompts of all', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    expect(await person.read('old://note')).toBe('from the old one');
    expect(await person.read('test://static-text')).toContain('static text resource');
    expect(JSON.parse(await person.read('test://template/7/data'))).toMatchObject({ id: '7' });
    // The URIs of the child are those of the first server, too.
    const [resources, templates, prompts] = await person.counts();
    expect([resources, templates]).toEqual([4, 1]);
    expect(prompts).toBeGreaterThan(8);
    expect(await person.prompt('child__test_simple_prompt')).toContain('simple prompt');
    const argument = ['modern__test_prompt_with_arguments', 'arg1', 'par'] as const;
    expect(await person.complete(...argument)).toEqual(['paris', 'party']);
  });

  it('hears of changes of one server', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    await person.watch(WATCHED);
    await person.call('modern__touch');
    await person.told.until(
      ({ changes }) =>
        changes.includes(`notifications/resources/updated ${WATCHED}`) &&
        changes.includes('notifications/tools/list_changed'),
      'both changes',
    );
    expect(person.told.changes).toHaveLength(2);
  });

  it('cancels a call where it runs', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    const controller = new AbortController();
    const name = `merged ${Math.random()}`;
    const call = person.call(
      'modern__slow',
      { name, ms: 60_000 },
      { onProgress: () => controller.abort(), signal: controller.signal },
    );
    await expect(call).rejects.toThrow();
    await slowCalls.until(name, 'cancelled');
  });

  it('is told the same of a tool that is not there, whether its server is or not', async () => {
    const person = await personAt(await mergedGate(servers()), connect);
    await expect(person.call('nobody__greet')).rejects.toThrow(/-32602|Unknown tool/);
    await expect(person.call('greet')).rejects.toThrow(/Unknown tool: greet/);
    await expect(person.call('old__missing')).rejects.toThrow(/not found/);
  });

  it('does without a server that is dead', async () => {
    const dead = stdio(process.execPath, ['-e', 'process.exit(1)']);
    const gate = await mergedGate({ dead, old: inProcess(oldServer) });
    const person = await personAt(gate, connect);
    expect(await person.tools()).toEqual(['old__greet']);
    expect(await person.call('old__greet')).toBe('hello');
    expect(await person.read('old://note')).toBe('from the old one');
  });
});

it('each principal has servers of its own behind one URL', async () => {
  const counting = (): McpServer => {
    const server = new McpServer({ name: 'counting', version: '1.0.0' });
    let calls = 0;
    server.registerTool('count', {}, () => {
      calls += 1;
      return { content: [{ type: 'text', text: String(calls) }] };
    });
    return server;
  };
  const gate = await mergedGate({ counting: inProcess(counting) }, { identity: people() });
  const count = async (token: string): Promise<string> => {
    const call = modern(1, 'tools/call', { name: 'counting__count' }, { token });
    return textOf(new WireReply(Number(gate.mcp.port), call));
  };
  expect([await count('alice'), await count('alice'), await count('bob')]).toEqual(['1', '2', '1']);
  const refused = await errorOf(
    new WireReply(Number(gate.mcp.port), modern(1, 'tools/list', {}, { token: 'nobody' })),
  );
  expect(refused.code).toBe(-32600);
});

function rank(server: string): number {
  return ['modern', 'child', 'old'].indexOf(server);
}
