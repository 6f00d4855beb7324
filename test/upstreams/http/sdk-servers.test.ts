/** The official SDKs' own HTTP servers of each era, as upstreams of an endpoint on real sockets. */
import { expect, it, onTestFinished } from 'vitest';
import { createEndpoint, remote, type EndpointOptions } from 'tidegate';
import { serve } from 'tidegate/node';
import { serveHttpV1, type HttpV1 } from '../../fixtures/servers/http-v1.mjs';
import { serveHttpV2, type HttpV2 } from '../../fixtures/servers/http-v2.mjs';
import { rpc, Session2024, Session2025 } from '../../wire/conversation.ts';
import { listenTo, modern } from '../../wire/client-2026.ts';
import { HandUpstream } from '../../wire/hand-upstream.ts';
import { WireServer } from '../../wire/wire-server.ts';

async function v1(): Promise<HttpV1> {
  const server = await serveHttpV1();
  onTestFinished(() => server.close());
  return server;
}

async function v2(): Promise<HttpV2> {
  const server = await serveHttpV2();
  onTestFinished(() => server.close());
  return server;
}

async function inFrontOf(url: string, options: Partial<EndpointOptions> = {}): Promise<WireServer> {
  const endpoint = createEndpoint({ upstream: remote(url), ...options });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  const server = new WireServer(served.port, new HandUpstream(), endpoint, () => served.close());
  onTestFinished(() => server.close());
  return server;
}

function call(id: number | string, name: string, args: object = {}): ReturnType<typeof rpc> {
  return rpc(id, 'tools/call', { name, arguments: args, _meta: { progressToken: `of ${id}` } });
}

it.each([
  ['/mcp', 'Streamable HTTP'],
  ['/sse', 'HTTP with SSE'],
])('a v1 server at %s serves 2025 and 2024 clients over %s', async (path) => {
  const upstream = await v1();
  const server = await inFrontOf(`${upstream.origin}${path}`);
  const session = await Session2025.open(server, { capabilities: { sampling: {} } });
  const plain = await session.post(call(1, 'test_simple_text')).whole();
  expect(plain.text).toContain('simple text');
  const progress = await session.post(call('2', 'test_tool_with_progress')).whole();
  expect(progress.messages.map(({ id, params }) => id ?? params)).toMatchObject([
    { progressToken: 'of 2', progress: 0 },
    { progressToken: 'of 2', progress: 50 },
    { progressToken: 'of 2', progress: 100 },
    '2',
  ]);
  const asked = session.post(call(3, 'test_sampling', { prompt: 'hello' }));
  const question = await asked.message(0);
  expect(question).toMatchObject({ method: 'sampling/createMessage' });
  const result = { role: 'assistant', model: 'm', content: { type: 'text', text: 'a canary' } };
  await session.post({ jsonrpc: '2.0', id: question['id'], result }).whole();
  await asked.whole();
  expect(JSON.stringify(asked.messages.at(-1))).toContain('a canary');
  const old = await Session2024.initialized(server);
  await old.post(call(1, 'test_simple_text')).whole();
  expect(await old.stream.message(1)).toMatchObject({ id: 1 });
});

it('a v2 server serves 2026 calls, progress and listens', async () => {
  const upstream = await v2();
  const server = await inFrontOf(`${upstream.origin}/mcp`);
  const plain = await server.fetch(modern(1, 'tools/call', { name: 'test_simple_text' }));
  expect(plain.status).toBe(200);
  expect(plain.text).toContain('simple text');
  const progress = await server.fetch(
    modern(
      '2',
      'tools/call',
      { name: 'test_tool_with_progress' },
      { meta: { progressToken: 'p' } },
    ),
  );
  expect(progress.messages.map(({ id, params }) => id ?? params)).toMatchObject([
    { progressToken: 'p', progress: 0 },
    { progressToken: 'p', progress: 50 },
    { progressToken: 'p', progress: 100 },
    '2',
  ]);
  const listen = server.send(listenTo(3, { toolsListChanged: true }));
  await listen.message(0);
  upstream.toolsChanged();
  expect(await listen.message(1)).toMatchObject({ method: 'notifications/tools/list_changed' });
  // A stream that breaks upstream is opened again, and the listener told to look again.
  upstream.cut();
  expect(await listen.message(2)).toMatchObject({ method: 'notifications/tools/list_changed' });
  upstream.toolsChanged();
  expect(await listen.message(3)).toMatchObject({ method: 'notifications/tools/list_changed' });
  listen.leave();
});
