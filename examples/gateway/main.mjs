// Two servers behind one address, from a file: each at its own URL, and both as one.
import assert from 'node:assert/strict';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createGateway, loadConfig } from 'tidegate/gateway';
import { serve } from 'tidegate/node';

const token = 'a-long-random-token-from-your-secrets';
const file = fileURLToPath(new URL('tidegate.yaml', import.meta.url));
const loaded = loadConfig(file, { TIDEGATE_TOKEN: token });
assert.equal(loaded.kind, 'config');

const gateway = createGateway(loaded.config);
const server = await serve(gateway, { port: 0 });

async function call(name, tool, args) {
  const url = new URL(`/${name}/mcp`, server.url);
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const client = new Client({ name: 'example', version: '1.0.0' });
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  const { content } = await client.callTool({ name: tool, arguments: args });
  await client.close();
  return content[0].text;
}

assert.equal(await call('adder', 'add', { a: 2, b: 3 }), '5');
assert.equal(await call('notes', 'read', {}), 'Buy milk.');
assert.equal(await call('all', 'adder__add', { a: 4, b: 5 }), '9');
assert.equal(await call('all', 'notes__read', {}), 'Buy milk.');

// The notes go; the adder does not notice.
const outcome = gateway.reload({
  ...loaded.config,
  servers: loaded.config.servers.filter(({ name }) => name === 'adder'),
});
assert.deepEqual([outcome.removed, outcome.kept], [['notes'], 1]);
assert.equal(await call('adder', 'add', { a: 2, b: 2 }), '4');

await server.close();
console.log('ok');
