/** Clients of both majors of the official SDK over our transport, to servers of every era. */
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import {
  CreateMessageRequestSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { createEndpoint, inProcess } from 'tidegate';
import { TidegateClientTransport } from 'tidegate/client';
import { serve } from 'tidegate/node';
import { everythingV1 } from '../fixtures/servers/everything-v1.mjs';
import { everythingV2 } from '../fixtures/servers/everything-v2.mjs';
import { serveHttpV1, type HttpV1 } from '../fixtures/servers/http-v1.mjs';
import { serveHttpV2, type HttpV2Options } from '../fixtures/servers/http-v2.mjs';
import { eventually } from '../wire/signal.ts';

const INFO = { name: 'test', version: '1.0.0' };

async function v1(): Promise<HttpV1> {
  const server = await serveHttpV1();
  onTestFinished(() => server.close());
  return server;
}

async function v2(options?: HttpV2Options): Promise<string> {
  const server = await serveHttpV2(options);
  onTestFinished(() => server.close());
  return `${server.origin}/mcp`;
}

async function ours(upstream: ReturnType<typeof inProcess>, path: string): Promise<string> {
  const served = await serve(createEndpoint({ upstream }), { port: 0, drainMs: 0 });
  onTestFinished(() => served.close());
  return `${served.url}${path}`;
}

const HANDSHAKE: readonly (readonly [string, () => Promise<string>])[] = [
  ['a 2025 server on SDK v1', async () => `${(await v1()).origin}/mcp`],
  ['a 2024 server on SDK v1', async () => `${(await v1()).origin}/sse`],
  ['our endpoint at /mcp', () => ours(inProcess(everythingV1), '/mcp')],
  ['our endpoint at /sse', () => ours(inProcess(everythingV1), '/sse')],
];

async function clientV1(url: string): Promise<ClientV1> {
  const client = new ClientV1(INFO, { capabilities: { sampling: {} } });
  client.setRequestHandler(CreateMessageRequestSchema, () => ({
    role: 'assistant',
    model: 'm',
    content: { type: 'text', text: 'a canary' },
  }));
  onTestFinished(() => client.close());
  await client.connect(new TidegateClientTransport(url));
  return client;
}

describe.each(HANDSHAKE)('%s', (_name, url) => {
  it('serves a v1 client: calls, progress, questions', async () => {
    const client = await clientV1(await url());
    const { tools } = await client.listTools();
    expect(tools.length).toBeGreaterThan(5);
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
    await client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress });
    expect(seen).toEqual([0, 50, 100]);
    const asked = await client.callTool({ name: 'test_sampling', arguments: { prompt: 'x' } });
    expect(JSON.stringify(asked)).toContain('a canary');
  });

  it('serves a v2 client that knows both eras', async () => {
    const client = new ClientV2(INFO, { versionNegotiation: { mode: 'auto' } });
    onTestFinished(() => client.close());
    await client.connect(new TidegateClientTransport(await url()));
    const result = await client.callTool({ name: 'test_simple_text' });
    expect(JSON.stringify(result)).toContain('simple text');
  });
});

describe.each([
  ['a server on SDK v2', v2],
  ['our endpoint', () => ours(inProcess(everythingV2), '/mcp')],
] as const)('%s', (_name, url) => {
  it('serves a v2 client in the stateless revision', async () => {
    const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
    onTestFinished(() => client.close());
    const transport = new TidegateClientTransport(await url());
    await client.connect(transport);
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
    await client.callTool({ name: 'test_tool_with_progress' }, { onprogress });
    expect(seen).toEqual([0, 50, 100]);
    expect(transport.sessionId).toBeUndefined();
  });
});

it('hands over progress before the answer it came together with', async () => {
  const client = await clientV1(await ours(inProcess(hurried), '/mcp'));
  const seen: number[] = [];
  const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
  for (let call = 0; call < 5; call += 1) {
    await client.callTool({ name: 'hurry' }, undefined, { onprogress });
  }
  expect(seen).toEqual([1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3, 1, 2, 3]);
});

/** Its progress and its answer leave in one turn, and so in one piece. */
function hurried(): McpServer {
  const server = new McpServer(INFO);
  server.registerTool('hurry', {}, async ({ _meta, sendNotification }) => {
    const progressToken = _meta?.progressToken ?? '';
    for (const progress of [1, 2, 3]) {
      void sendNotification({
        method: 'notifications/progress',
        params: { progressToken, progress },
      });
    }
    return { content: [] };
  });
  return server;
}

it('gets the rest of a call whose stream the server ended', async () => {
  const client = await clientV1(await ours(inProcess(everythingV1), '/mcp'));
  const result = await client.callTool({ name: 'test_reconnection' });
  expect(JSON.stringify(result)).toContain('You came back for this.');
});

it('outlives the loss of its session, and of every connection', async () => {
  const server = await v1();
  const client = await clientV1(`${server.origin}/mcp`);
  let changes = 0;
  client.setNotificationHandler(ToolListChangedNotificationSchema, () => {
    changes += 1;
  });
  server.forget();
  server.cut();
  const result = await client.callTool({ name: 'test_simple_text' });
  expect(JSON.stringify(result)).toContain('simple text');
  await eventually(() => changes > 0, 'the change of the lists');
  expect(server.sessions()).toBe(1);
});

it('ends its session at the server when it is closed', async () => {
  const server = await v1();
  const transport = new TidegateClientTransport(`${server.origin}/mcp`);
  const client = new ClientV1(INFO);
  await client.connect(transport);
  expect(transport.sessionId).toBeDefined();
  expect(server.sessions()).toBe(1);
  await client.close();
  await client.close();
  expect(server.sessions()).toBe(0);
  await expect(transport.send({ jsonrpc: '2.0', method: 'x' })).rejects.toThrow('closed');
});

it('cancels what its client gives up', async () => {
  const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  onTestFinished(() => client.close());
  await client.connect(new TidegateClientTransport(await v2()));
  const controller = new AbortController();
  const call = client.callTool({ name: 'test_simple_text' }, { signal: controller.signal });
  controller.abort();
  await expect(call).rejects.toThrow();
  expect((await client.listTools()).tools.length).toBeGreaterThan(5);
});

it.each([
  ['nobody listens', 'http://127.0.0.1:1/mcp', 'ECONNREFUSED'],
  ['the name leads to no public address', 'https://x.localhost.test.invalid/', 'No answer'],
])('says why it cannot connect where %s', async (_name, url, sentence) => {
  const client = new ClientV1(INFO);
  await expect(client.connect(new TidegateClientTransport(url))).rejects.toThrow(sentence);
});

it('says what a server speaks that has no era in common, where no bridge is wanted', async () => {
  const client = new ClientV1(INFO);
  const url = await v2({ legacy: 'reject' });
  const transport = new TidegateClientTransport(url, { bridge: 'off' });
  await expect(client.connect(transport)).rejects.toThrow('Unsupported protocol version');
});

it('leaves falling back to a client that knows both eras, where no bridge is wanted', async () => {
  const client = new ClientV2(INFO, { versionNegotiation: { mode: 'auto' } });
  onTestFinished(() => client.close());
  const url = `${(await v1()).origin}/mcp`;
  const transport = new TidegateClientTransport(url, { bridge: 'off' });
  await client.connect(transport);
  expect(client.getProtocolEra()).toBe('legacy');
  expect(transport.sessionId).toBeDefined();
});
