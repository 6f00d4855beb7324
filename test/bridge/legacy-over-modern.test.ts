/**
 * Clients of the official SDK, version 1, in both of its transports, over a child that speaks the
 * stateless revision alone.
 */
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import type { Transport } from '@modelcontextprotocol/sdk/shared/transport.js';
import type {
  CallToolResult,
  ClientCapabilities,
  ElicitResult,
} from '@modelcontextprotocol/sdk/types.js';
import {
  CreateMessageRequestSchema,
  ElicitationCompleteNotificationSchema,
  ElicitRequestSchema,
  EmptyResultSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  PromptListChangedNotificationSchema,
  ResourceUpdatedNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createEndpoint, stdio } from 'tidegate';
import { serve } from 'tidegate/node';
import { eventually } from '../wire/signal.ts';

const CHILD = fileURLToPath(
  new URL('../fixtures/servers/everything-v2-modern-only-stdio.mjs', import.meta.url),
);
const EVERYTHING: ClientCapabilities = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: { listChanged: true },
};

interface Door {
  readonly url: string;
  close(): Promise<void>;
}

async function openDoor(): Promise<Door> {
  const upstream = stdio(process.execPath, [CHILD]);
  const endpoint = createEndpoint({ upstream, limits: { retryMs: 20, replyDecisionMs: 5 } });
  return serve(endpoint, { port: 0, drainMs: 0 });
}

const TRANSPORTS: readonly [string, (door: Door) => Transport][] = [
  ['HTTP+SSE of 2024', ({ url }) => new SSEClientTransport(new URL(`${url}/sse`))],
  [
    'Streamable HTTP of 2025',
    ({ url }) => new StreamableHTTPClientTransport(new URL(`${url}/mcp`)),
  ],
];

describe.each(TRANSPORTS)('%s', (_name, transport) => {
  let door: Door;
  beforeAll(async () => {
    door = await openDoor();
  });
  afterAll(() => door.close());

  async function connect(capabilities: ClientCapabilities = {}): Promise<Client> {
    const client = new Client({ name: 'reader', version: '1.0.0' }, { capabilities });
    await client.connect(transport(door));
    onTestFinished(() => client.close());
    return client;
  }

  it('is told who the server is and what it can do', async () => {
    const client = await connect();
    expect(client.getServerVersion()).toMatchObject({ name: 'everything-v2', version: '1.0.0' });
    expect(client.getServerCapabilities()).toEqual({
      tools: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      prompts: { listChanged: true },
      logging: {},
      completions: {},
    });
    await client.ping();
  });

  it('lists, reads, gets and completes as from a server of its own era', async () => {
    const client = await connect();
    const { tools, ...rest } = await client.listTools();
    expect(rest).toEqual({});
    expect(tools.length).toBeGreaterThan(20);
    const { resources } = await client.listResources();
    const [first] = resources;
    const read = await client.readResource({ uri: first?.uri ?? '' });
    expect(Object.keys(read)).toEqual(['contents']);
    const { prompts } = await client.listPrompts();
    expect(prompts.map(({ name }) => name)).toContain('test_simple_prompt');
    const prompt = await client.getPrompt({ name: 'test_simple_prompt' });
    expect(prompt.messages).toHaveLength(1);
    const completed = await client.complete({
      ref: { type: 'ref/prompt', name: 'test_prompt_with_arguments' },
      argument: { name: 'arg1', value: 'x' },
    });
    expect(completed.completion.values).toEqual([]);
  });

  it('calls a tool, and one that fails', async () => {
    const client = await connect();
    const result = await call(client, 'test_simple_text');
    expect(Object.keys(result)).toEqual(['content']);
    expect(textOf(result)).toContain('simple text');
    expect(await call(client, 'test_error_handling')).toMatchObject({ isError: true });
  });

  it('gets the error of its own era for a resource that is not there', async () => {
    const client = await connect();
    const error = await faultOf(client.readResource({ uri: 'test://nowhere' }));
    expect(error).toMatchObject({ code: -32002, data: { uri: 'test://nowhere' } });
    const unknown = await faultOf(client.getPrompt({ name: 'nobody' }));
    expect(unknown.code).toBe(-32602);
  });

  it('gets structured content as an object, with a schema that says so', async () => {
    const client = await connect();
    const { tools } = await client.listTools();
    expect(tools.find(({ name }) => name === 'test_numbers')?.outputSchema).toMatchObject({
      type: 'object',
      properties: { result: { type: 'array', items: { type: 'number' } } },
      required: ['result'],
    });
    const result = await call(client, 'test_numbers');
    expect(result.structuredContent).toEqual({ result: [1, 2, 3] });
    expect(result.content).toEqual([{ type: 'text', text: '[1,2,3]' }]);
  });

  it('sees progress under its own token, and all of it before the answer', async () => {
    const client = await connect();
    const seen: number[] = [];
    const params = { name: 'test_tool_with_progress', arguments: {} };
    await client.callTool(params, undefined, { onprogress: ({ progress }) => seen.push(progress) });
    expect(seen).toEqual([0, 50, 100]);
  });

  it('sees no log before it asks for one, then from its level on', async () => {
    const client = await connect();
    const logs: unknown[] = [];
    client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
      logs.push(params.data);
    });
    await call(client, 'test_tool_with_logging');
    await client.setLoggingLevel('error');
    await call(client, 'test_tool_with_logging');
    expect(logs).toEqual([]);
    await client.setLoggingLevel('debug');
    await call(client, 'test_tool_with_logging');
    expect(logs).toEqual(['Tool execution started', 'Tool processing data', 'Tool completed']);
  });

  it('is asked for a completion, and the tool goes on with its answer', async () => {
    const client = await connect(EVERYTHING);
    client.setRequestHandler(CreateMessageRequestSchema, ({ params }) => ({
      role: 'assistant',
      model: 'mine',
      content: { type: 'text', text: `heard ${JSON.stringify(params.messages[0]?.content)}` },
    }));
    const result = await call(client, 'test_sampling', { prompt: 'Hello' });
    expect(textOf(result)).toContain('heard');
    expect(textOf(result)).toContain('Hello');
  });

  it.each<[string, ElicitResult]>([
    ['accepted', { action: 'accept', content: { response: 'yes' } }],
    ['declined', { action: 'decline' }],
    ['cancelled', { action: 'cancel' }],
  ])('is asked for a form, and the tool hears that it was %s', async (_what, answer) => {
    const client = await connect(EVERYTHING);
    client.setRequestHandler(ElicitRequestSchema, () => answer);
    const result = await call(client, 'test_elicitation', { message: 'Say it.' });
    expect(textOf(result)).toContain(`action=${answer.action}`);
    expect(result.isError).toBeUndefined();
  });

  it('is asked three things at once, with a state that goes back as it came', async () => {
    const client = await connect(EVERYTHING);
    const asked: string[] = [];
    client.setRequestHandler(ElicitRequestSchema, () => {
      asked.push('form');
      return { action: 'accept', content: { name: 'Ada' } };
    });
    client.setRequestHandler(CreateMessageRequestSchema, () => {
      asked.push('completion');
      return { role: 'assistant', model: 'mine', content: { type: 'text', text: 'Good day,' } };
    });
    client.setRequestHandler(ListRootsRequestSchema, () => {
      asked.push('roots');
      return { roots: [{ uri: 'file:///work' }] };
    });
    const result = await call(client, 'test_input_required_result_multiple_inputs');
    expect(textOf(result)).toBe('Good day, Ada, 1 roots');
    expect(asked.toSorted()).toEqual(['completion', 'form', 'roots']);
  });

  it('is asked round after round, in a prompt too', async () => {
    const client = await connect(EVERYTHING);
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      const { requestedSchema } = params as { readonly requestedSchema?: { properties: object } };
      const [field = ''] = Object.keys(requestedSchema?.properties ?? {});
      return { action: 'accept', content: { [field]: `my ${field}` } };
    });
    const result = await call(client, 'test_input_required_result_multi_round');
    expect(textOf(result)).toMatch(/^my name likes /);
    const prompt = await client.getPrompt({ name: 'test_input_required_result_prompt' });
    expect(JSON.stringify(prompt.messages)).toContain('Use this context: my context');
  });

  it('is not asked while the server only wants the request again', async () => {
    const client = await connect();
    expect(textOf(await call(client, 'test_patience'))).toBe('Ready after 3 rounds.');
  });

  it('is sent to a page by an id, and told when that is done with', async () => {
    const client = await connect(EVERYTHING);
    const ids: unknown[] = [];
    const complete: unknown[] = [];
    client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
      ids.push((params as { elicitationId?: unknown }).elicitationId);
      return { action: 'accept' };
    });
    client.setNotificationHandler(ElicitationCompleteNotificationSchema, ({ params }) => {
      complete.push(params.elicitationId);
    });
    expect(textOf(await call(client, 'test_page'))).toBe('The user chose accept.');
    expect(ids).toEqual([expect.stringMatching(/^[\w-]{20,}$/)]);
    expect(complete).toEqual(ids);
  });

  it('that can answer nothing is told so by the tool, and asked nothing', async () => {
    const client = await connect({ roots: {} });
    client.setRequestHandler(ListRootsRequestSchema, () => {
      throw new Error('It must not be asked.');
    });
    const result = await call(client, 'test_input_required_result_multiple_inputs');
    expect(result.isError).toBe(true);
    const prompt = client.getPrompt({ name: 'test_input_required_result_prompt' });
    expect((await faultOf(prompt)).code).toBe(-32600);
  });

  it('that fails to answer ends the call with what it said', async () => {
    const client = await connect(EVERYTHING);
    client.setRequestHandler(ElicitRequestSchema, () => {
      throw new Error('the form is broken');
    });
    const result = await call(client, 'test_elicitation', { message: 'Say it.' });
    expect(result.isError).toBe(true);
    expect(textOf(result)).toContain('the form is broken');
  });

  it('cancels a call, and the server stops working on it', async () => {
    const client = await connect();
    const control = new AbortController();
    const params = { name: 'test_wait', arguments: {} };
    const waiting = client.callTool(params, undefined, {
      signal: control.signal,
      onprogress: () => control.abort('enough'),
    });
    await expect(waiting).rejects.toThrow('enough');
    await until(async () => textOf(await call(client, 'test_cancelled')) === '1', 'the end of it');
  });

  it('subscribes, hears of changes until it unsubscribes, and of no other resource', async () => {
    const client = await connect();
    const { resources } = await client.listResources();
    const [first, second] = resources.map(({ uri }) => uri) as [string, string];
    const seen: unknown[] = [];
    client.setNotificationHandler(ResourceUpdatedNotificationSchema, ({ params }) => {
      seen.push(params);
    });
    await client.subscribeResource({ uri: first });
    await call(client, 'test_trigger_resource_update', { uri: second });
    await call(client, 'test_trigger_resource_update', { uri: first });
    await eventually(() => seen.length > 0, 'an update');
    expect(seen).toEqual([{ uri: first }]);
    await client.subscribeResource({ uri: second });
    await client.unsubscribeResource({ uri: first });
    await call(client, 'test_trigger_resource_update', { uri: first });
    await call(client, 'test_trigger_resource_update', { uri: second });
    await eventually(() => seen.length > 1, 'another update');
    expect(seen).toEqual([{ uri: first }, { uri: second }]);
  });

  it('hears that lists changed', async () => {
    const client = await connect();
    const seen: string[] = [];
    client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) => {
      seen.push(method);
    });
    client.setNotificationHandler(PromptListChangedNotificationSchema, ({ method }) => {
      seen.push(method);
    });
    await call(client, 'test_trigger_tool_change');
    await eventually(() => seen.length === 1, 'a change of the tools');
    await call(client, 'test_trigger_prompt_change');
    await eventually(() => seen.length === 2, 'a change of the prompts');
    expect(seen).toEqual([
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
  });

  it('is refused what only other revisions have', async () => {
    const client = await connect();
    for (const method of ['server/discover', 'subscriptions/listen', 'tasks/list']) {
      const refused = await faultOf(client.request({ method }, EmptyResultSchema));
      expect(refused.code).toBe(-32601);
    }
  });
});

it('a 2025 client that loses its stream mid-call comes back for the rest', async () => {
  const door = await openDoor();
  onTestFinished(() => door.close());
  let cuts = 0;
  const transport = new StreamableHTTPClientTransport(new URL(`${door.url}/mcp`), {
    fetch: async (target, init) => {
      const reply = await fetch(target, init);
      const isCall = typeof init?.body === 'string' && init.body.includes('tools/call');
      if (!isCall || reply.body === null) return reply;
      cuts += 1;
      return new Response(cutAfterFirst(reply.body, 'notifications/progress'), reply);
    },
  });
  const client = new Client({ name: 'reader', version: '1.0.0' });
  await client.connect(transport);
  onTestFinished(() => client.close());
  const seen: number[] = [];
  const params = { name: 'test_tool_with_progress', arguments: {} };
  const result = await client.callTool(params, undefined, {
    onprogress: ({ progress }) => seen.push(progress),
  });
  expect(result.isError).toBeUndefined();
  expect(cuts).toBe(1);
  expect(seen).toEqual([0, 50, 100]);
});

/** Passes a stream on until a word came, then loses it. */
function cutAfterFirst(body: ReadableStream<Uint8Array>, word: string): ReadableStream<Uint8Array> {
  const decoder = new TextDecoder();
  const reader = body.getReader();
  let isCut = false;
  return new ReadableStream({
    async pull(controller) {
      if (isCut) {
        await reader.cancel();
        controller.error(new Error('cut'));
        return;
      }
      const { done, value } = await reader.read();
      if (done) {
        controller.close();
        return;
      }
      isCut = decoder.decode(value).includes(word);
      controller.enqueue(value);
    },
  });
}

interface Fault {
  readonly code: number;
  readonly data?: unknown;
}

/** The error a request ends with. */
async function faultOf(request: Promise<unknown>): Promise<Fault> {
  try {
    return { code: 0, data: await request };
  } catch (fault) {
    return fault as Fault;
  }
}

async function call(client: Client, name: string, args: object = {}): Promise<CallToolResult> {
  return (await client.callTool({ name, arguments: { ...args } })) as CallToolResult;
}

function textOf({ content }: CallToolResult): string {
  const [first] = content;
  return first?.type === 'text' ? first.text : '';
}

async function until(condition: () => Promise<boolean>, what: string): Promise<void> {
  const endsAt = Date.now() + 10_000;
  while (!(await condition())) {
    if (Date.now() > endsAt) throw new Error(`Waited in vain for ${what}.`);
  }
}
