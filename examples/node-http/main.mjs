// A stdio server behind a node:http server of your own, which serves other things too.
import assert from 'node:assert/strict';
import { once } from 'node:events';
import { createServer } from 'node:http';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { SSEClientTransport } from '@modelcontextprotocol/sdk/client/sse.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createEndpoint, staticToken, stdio } from 'tidegate';
import { nodeHandler } from 'tidegate/node';

const token = 'a-long-random-token-from-your-secrets';
const script = fileURLToPath(new URL('server.mjs', import.meta.url));
const endpoint = createEndpoint({
  upstream: stdio(process.execPath, [script]),
  identity: staticToken(token),
});

const mcp = nodeHandler(endpoint);
const server = createServer((req, res) => {
  if (req.url === '/') res.end('Hello from the rest of the application.');
  else mcp(req, res);
});
server.listen(0, '127.0.0.1');
await once(server, 'listening');
const base = `http://127.0.0.1:${server.address().port}`;

// What a client does: the same tool, in the eras of 2025 and of 2024.
const requestInit = { headers: { Authorization: `Bearer ${token}` } };
const transports = [
  new StreamableHTTPClientTransport(new URL('/mcp', base), { requestInit }),
  new SSEClientTransport(new URL('/sse', base), { requestInit }),
];
for (const transport of transports) {
  const client = new Client({ name: 'example', version: '1.0.0' });
  await client.connect(transport);
  const { content } = await client.callTool({ name: 'add', arguments: { a: 2, b: 3 } });
  assert.deepEqual(content, [{ type: 'text', text: '5' }]);
  await client.close();
}

// Without the token nobody comes in; the rest of the application is open.
const stranger = await fetch(new URL('/mcp', base), { method: 'POST', body: '{}' });
assert.equal(stranger.status, 401);
assert.match(await (await fetch(base)).text(), /^Hello/);

// The order of an end: no new work, calls finish, streams end, the child too; then the server.
await endpoint.drain(5000);
server.close();
server.closeAllConnections();
console.log('ok');
