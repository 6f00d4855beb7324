// An SDK 1.x server object, mounted below a path of an Express application.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import express from 'express';
import { createEndpoint, inProcess } from 'tidegate';
import { nodeHandler } from 'tidegate/node';
import { z } from 'zod';

// Called once for each conversation: every client has a server object of its own.
function buildServer() {
  let count = 0;
  const mcp = new McpServer({ name: 'counter', version: '1.0.0' });
  mcp.registerTool(
    'count',
    { description: 'Counts up.', inputSchema: { by: z.number() } },
    ({ by }) => {
      count += by;
      return { content: [{ type: 'text', text: String(count) }] };
    },
  );
  return mcp;
}

const endpoint = createEndpoint({ upstream: inProcess(buildServer) });
const app = express();
// Before the body parser: the endpoint reads and bounds bodies itself.
app.use('/tools', nodeHandler(endpoint)); // /tools/mcp, /tools/sse, /tools/messages
app.use(express.json());
app.get('/hello', (_req, res) => res.send('hello'));
const server = app.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;

const modern = new Client({ name: 'example', version: '1.0.0' });
await modern.connect(new StreamableHTTPClientTransport(new URL('/tools/mcp', base)));
const old = new Client({ name: 'example', version: '1.0.0' });
await old.connect(new SSEClientTransport(new URL('/tools/sse', base)));

assert.equal(await count(modern, 1), '1');
assert.equal(await count(modern, 1), '2');
assert.equal(await count(old, 5), '5', 'the other client has a counter of its own');
assert.equal(await (await fetch(new URL('/hello', base))).text(), 'hello');

await Promise.all([modern.close(), old.close()]);
await endpoint.drain(5000);
server.close();
server.closeAllConnections();
console.log('ok');

async function count(client, by) {
  const { content } = await client.callTool({ name: 'count', arguments: { by } });
  return content[0].text;
}
