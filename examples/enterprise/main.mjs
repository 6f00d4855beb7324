// Two tenants, three people and a program at one gateway: who gets in, what each may see and do, and
// what is remembered of it.
import assert from 'node:assert/strict';
import { execFileSync } from 'node:child_process';
import { mkdtempSync, rmSync } from 'node:fs';
import { createServer } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as delay } from 'node:timers/promises';
import { fileURLToPath } from 'node:url';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { createGateway, loadConfig } from 'tidegate/gateway';
import { serve } from 'tidegate/node';
import { startProvider } from './provider.mjs';

const at = (name) => fileURLToPath(new URL(name, import.meta.url));
const data = mkdtempSync(join(tmpdir(), 'tidegate-enterprise-'));
const port = await freePort();
const gatewayUrl = `http://127.0.0.1:${port}`;
const provider = await startProvider(0, gatewayUrl);
const keys = (verb, ...words) =>
  tidegate('keys', verb, '--file', join(data, 'keys.json'), ...words);
const made = (name, ...groups) =>
  JSON.parse(
    keys('add', name, '--tenant', 'acme', ...groups.flatMap((each) => ['--group', each]), '--json'),
  );
const { id, key: nightly } = made('nightly', 'staff');
const { key: weekly } = made('weekly', 'staff', 'editors');

const variables = { DATA: data, PORT: String(port), ISSUER: provider.issuer };
const loaded = loadConfig(at('tidegate.yaml'), variables);
assert.equal(loaded.kind, 'config');
const server = await serve(createGateway(loaded.config), { port });

// Ann edits reports and works in HR.
const ann = await provider.tokenOf('ann');
assert.deepEqual(await tools('reports', ann), ['publish', 'read']);
assert.equal(await call('reports', 'publish', ann), 'Published.');
assert.equal(await call('payroll', 'salary', ann), '4200');

// Bob is staff: what he may not call is not on his list, and is refused by name.
const bob = await provider.tokenOf('bob');
assert.deepEqual(await tools('reports', bob), ['read']);
assert.equal(await call('reports', 'read', bob), 'Sales are up.');
await assert.rejects(call('reports', 'publish', bob));
assert.deepEqual(await tools('payroll', bob), []);
await assert.rejects(call('payroll', 'salary', bob));

// Gil is of another tenant, which has no payroll.
const gil = await provider.tokenOf('gil');
assert.equal(await call('reports', 'publish', gil), 'Published.');
await assert.rejects(tools('payroll', gil));
assert.equal(await statusOf('payroll', gil), 404);

// A program comes in by a key, until it is revoked.
assert.equal(await call('reports', 'read', nightly), 'Sales are up.');
// Another is one of the editors, and publishes nothing all the same.
assert.deepEqual(await tools('reports', weekly), ['read']);
await assert.rejects(call('reports', 'publish', weekly));
keys('revoke', '--', id);
for (let i = 0; i < 50 && (await statusOf('reports', nightly)) !== 401; i += 1) await delay(100);
assert.equal(await statusOf('reports', nightly), 401);

await server.close();
await provider.stop();
// Ends with another code than 0, and so throws, when a line was changed or is missing.
tidegate('audit', 'verify', join(data, 'audit.jsonl'));
rmSync(data, { recursive: true });
console.log('ok');

async function connected(name, token, use) {
  const requestInit = { headers: { Authorization: `Bearer ${token}` } };
  const client = new Client({ name: 'example', version: '1.0.0' });
  const url = new URL(`/${name}/mcp`, gatewayUrl);
  await client.connect(new StreamableHTTPClientTransport(url, { requestInit }));
  try {
    return await use(client);
  } finally {
    await client.close();
  }
}

function tools(name, token) {
  return connected(name, token, async (client) => {
    const { tools: found } = await client.listTools();
    return found.map((each) => each.name).toSorted();
  });
}

function call(name, tool, token) {
  return connected(name, token, async (client) => {
    const { content } = await client.callTool({ name: tool, arguments: {} });
    return content[0].text;
  });
}

async function statusOf(name, token) {
  const headers = {
    Authorization: `Bearer ${token}`,
    Accept: 'application/json, text/event-stream',
    'Content-Type': 'application/json',
  };
  const body = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'ping' });
  const response = await fetch(`${gatewayUrl}/${name}/mcp`, { method: 'POST', headers, body });
  await response.text();
  return response.status;
}

function tidegate(...words) {
  const main = fileURLToPath(new URL('./cli/main.js', import.meta.resolve('tidegate')));
  return execFileSync(process.execPath, [main, ...words], { encoding: 'utf8', stdio: 'pipe' });
}

function freePort() {
  return new Promise((resolve) => {
    const probe = createServer();
    probe.listen(0, '127.0.0.1', () => {
      const { port: found } = probe.address();
      probe.close(() => resolve(found));
    });
  });
}
