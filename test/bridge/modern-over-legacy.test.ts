/**
 * The official SDK's client, version 2, in the stateless revision, over the reference server of the
 * handshake revisions: a child that knows nothing but `initialize`.
 */
import { createRequire } from 'node:module';
import { join, dirname } from 'node:path';
import {
  Client,
  StreamableHTTPClientTransport,
  type ClientCapabilities,
} from '@modelcontextprotocol/client';
import { afterAll, beforeAll, describe, expect, it, onTestFinished } from 'vitest';
import { createEndpoint, stdio } from 'tidegate';
import { serve } from 'tidegate/node';
import { eventually } from '../wire/signal.ts';

const require = createRequire(import.meta.url);
const SERVER = join(
  dirname(require.resolve('@modelcontextprotocol/server-everything/package.json')),
  'dist/index.js',
);
const EVERYTHING: ClientCapabilities = {
  elicitation: { form: {}, url: {} },
  sampling: {},
  roots: {},
};
const ROOTS = [{ uri: 'file:///home/user/project', name: 'project' }];

describe('a 2026 client of a server that knows only the handshake', () => {
  let door: Awaited<ReturnType<typeof serve>>;
  beforeAll(async () => {
    const upstream = stdio(process.execPath, [SERVER, 'stdio']);
    const limits = { replyDecisionMs: 5, parkedMsMax: 60_000 };
    door = await serve(createEndpoint({ upstream, limits }), { port: 0, drainMs: 0 });
  });
  afterAll(() => door.close());

  async function connect(capabilities: ClientCapabilities = EVERYTHING): Promise<Client> {
    const client = new Client(
      { name: 'modern', version: '1.0.0' },
      { capabilities, versionNegotiation: { mode: { pin: '2026-07-28' } } },
    );
    const has = (name: keyof ClientCapabilities): boolean => capabilities[name] !== undefined;
    if (has('roots')) client.setRequestHandler('roots/list', () => ({ roots: ROOTS }));
    if (has('sampling')) {
      client.setRequestHandler('sampling/createMessage', ({ params }) => ({
        role: 'assistant',
        model: 'test-model',
        content: { type: 'text', text: `seen ${JSON.stringify(params.messages)}` },
      }));
    }
    if (has('elicitation')) {
      client.setRequestHandler('elicitation/create', ({ params }) =>
        params.mode === 'url'
          ? { action: 'accept' }
          : { action: 'accept', content: { name: 'Ada', check: true } },
      );
    }
    await client.connect(new StreamableHTTPClientTransport(new URL(`${door.url}/mcp`)));
    onTestFinished(() => client.close());
    return client;
  }

  async function textOf(client: Client, name: string, args: object = {}): Promise<string> {
    const result = await client.callTool({ name, arguments: { ...args } });
    return (result.content as { readonly text: string }[]).map(({ text }) => text).join('\n');
  }

  it('is told who the server is and what it can do, and nothing that is not carried', async () => {
    const client = await connect();
    expect(client.getNegotiatedProtocolVersion()).toBe('2026-07-28');
    expect(client.getServerVersion()?.name).toBe('mcp-servers/everything');
    expect(client.getServerCapabilities()).toEqual({
      tools: { listChanged: true },
      prompts: { listChanged: true },
      resources: { subscribe: true, listChanged: true },
      logging: {},
      completions: {},
    });
    expect(client.getInstructions()).toContain('Everything');
  });

  it('lists what there is for what it declared', async () => {
    const [bare, full] = [await connect({}), await connect()];
    const names = async (client: Client): Promise<string[]> =>
      (await client.listTools()).tools.map(({ name }) => name);
    expect(await names(bare)).not.toContain('trigger-elicitation-request');
    expect(await names(full)).toContain('trigger-elicitation-request');
    expect((await full.listPrompts()).prompts.length).toBeGreaterThan(2);
    expect((await full.listResources()).resources.length).toBeGreaterThan(2);
  });

  it('calls, reads, gets and completes', async () => {
    const client = await connect({});
    expect(await textOf(client, 'echo', { message: 'hello' })).toBe('Echo: hello');
    const structured = await client.callTool({
      name: 'get-structured-content',
      arguments: { location: 'Chicago' },
    });
    expect(structured.structuredContent).toMatchObject({ temperature: 36 });
    const uri = 'demo://resource/dynamic/text/1';
    expect((await client.readResource({ uri })).contents[0]).toMatchObject({ uri });
    const prompt = await client.getPrompt({ name: 'simple-prompt' });
    expect(prompt.messages[0]?.role).toBe('user');
    const { completion } = await client.complete({
      ref: { type: 'ref/prompt', name: 'completable-prompt' },
      argument: { name: 'department', value: 'E' },
    });
    expect(completion.values).toEqual(['Engineering']);
  });

  it('sees every step of progress, in order, before the result', async () => {
    const client = await connect({});
    const steps: number[] = [];
    await client.callTool(
      { name: 'trigger-long-running-operation', arguments: { duration: 0.5, steps: 5 } },
      { onprogress: ({ progress }) => steps.push(progress) },
    );
    expect(steps).toEqual([1, 2, 3, 4, 5]);
  });

  it('answers a form, a completion and a list of roots in the middle of a call', async () => {
    const client = await connect();
    expect(await textOf(client, 'trigger-elicitation-request')).toContain('- Name: Ada');
    const sampled = await textOf(client, 'trigger-sampling-request', { prompt: 'Why?' });
    expect(sampled).toContain('seen');
    expect(sampled).toContain('Why?');
    expect(await textOf(client, 'get-roots-list')).toContain('file:///home/user/project');
  });

  it('is sent to a page first, whether the server asks for it or fails for want of it', async () => {
    const client = await connect();
    const url = 'https://example.org/consent';
    const asked = await textOf(client, 'trigger-url-elicitation', { url });
    expect(asked).toContain('User completed');
    const failed = await textOf(client, 'trigger-url-elicitation', { url, errorPath: true });
    expect(failed).toContain('User completed');
  });

  it('cancels a call, and the next one is served', async () => {
    const client = await connect({});
    const stop = new AbortController();
    const args = { duration: 30, steps: 300 };
    let isRunning = false;
    const call = client.callTool(
      { name: 'trigger-long-running-operation', arguments: args },
      {
        signal: stop.signal,
        onprogress: () => {
          isRunning = true;
        },
      },
    );
    call.catch(() => {});
    await eventually(() => isRunning, 'the call runs');
    stop.abort('enough');
    await expect(call).rejects.toThrow();
    expect(await textOf(client, 'echo', { message: 'still here' })).toBe('Echo: still here');
  });

  it('hears of resources it subscribed, and of no others', async () => {
    const client = await connect({});
    const heard: string[] = [];
    client.setNotificationHandler('notifications/resources/updated', ({ params }) => {
      heard.push(params.uri);
    });
    const uri = 'demo://resource/dynamic/text/7';
    const subscription = await client.listen({
      toolsListChanged: true,
      resourceSubscriptions: [uri],
    });
    expect(subscription.honoredFilter).toEqual({
      toolsListChanged: true,
      resourceSubscriptions: [uri],
    });
    await textOf(client, 'toggle-subscriber-updates');
    await eventually(() => heard.length > 0, 'an update');
    expect(new Set(heard)).toEqual(new Set([uri]));
    await textOf(client, 'toggle-subscriber-updates');
    await subscription.close();
  });

  it('hears that a list changed', async () => {
    const client = await connect({});
    let changes = 0;
    client.setNotificationHandler('notifications/resources/list_changed', () => {
      changes += 1;
    });
    const subscription = await client.listen({ resourcesListChanged: true });
    await client.callTool({
      name: 'gzip-file-as-resource',
      arguments: { name: 'x.gz', data: 'data:text/plain;base64,aGVsbG8=', outputType: 'resource' },
    });
    await eventually(() => changes > 0, 'a change');
    await subscription.close();
  });
});
