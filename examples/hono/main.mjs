// An SDK 2.x server object in Hono. The same handler runs on Bun and Deno.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { serve } from '@hono/node-server';
import { Client, StreamableHTTPClientTransport } from '@modelcontextprotocol/client';
import { McpServer } from '@modelcontextprotocol/server';
import { Hono } from 'hono';
import { createEndpoint, inProcess } from 'tidegate';
import { fetchHandler } from 'tidegate/fetch';
import { z } from 'zod';

function buildServer() {
  const mcp = new McpServer({ name: 'greeter', version: '1.0.0' });
  mcp.registerTool(
    'greet',
    { description: 'Greets.', inputSchema: z.object({ name: z.string() }) },
    ({ name }) => ({ content: [{ type: 'text', text: `Hello, ${name}.` }] }),
  );
  return mcp;
}

const endpoint = createEndpoint({ upstream: inProcess(buildServer) });
const handle = fetchHandler(endpoint);
const app = new Hono();
app.get('/', (context) => context.text('home'));
app.all('/mcp', (context) => handle(context.req.raw));

const server = serve({ fetch: app.fetch, port: 0, hostname: '127.0.0.1' });
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;

// The same tool in the era of 2025, with a session, and in that of 2026, without one.
for (const mode of ['legacy', { pin: '2026-07-28' }]) {
  const client = new Client(
    { name: 'example', version: '1.0.0' },
    { versionNegotiation: { mode } },
  );
  await client.connect(new StreamableHTTPClientTransport(new URL('/mcp', base)));
  const { content } = await client.callTool({ name: 'greet', arguments: { name: 'tide' } });
  assert.deepEqual(content, [{ type: 'text', text: 'Hello, tide.' }]);
  await client.close();
}
assert.equal(await (await fetch(base)).text(), 'home');

await endpoint.drain(5000);
server.close();
server.closeAllConnections();
console.log('ok');
