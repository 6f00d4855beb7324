/** The telemetry of whoever embeds us, where it fails. */
import { McpServer } from '@modelcontextprotocol/sdk/server/mcp.js';
import { createEndpoint, inProcess, type Telemetry } from 'tidegate';
import { fetchHandler } from 'tidegate/fetch';
import { expect, it, onTestFinished } from 'vitest';

const HEADERS = {
  'Content-Type': 'application/json',
  Accept: 'application/json, text/event-stream',
};
const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'x', version: '1' },
};

it.each<[string, () => void]>([
  [
    'throws',
    () => {
      throw new Error('no such label');
    },
  ],
  ['rejects', async () => Promise.reject(new Error('no such label'))],
])('ends no call, no session and no process where it %s', async (_, fail) => {
  const telemetry: Telemetry = { log: fail, count: fail, request: fail, streamClosed: fail };
  const upstream = inProcess(() => new McpServer({ name: 'test', version: '1.0.0' }));
  const endpoint = createEndpoint({ upstream, telemetry });
  onTestFinished(async () => endpoint.drain(0));
  const handle = fetchHandler(endpoint);
  const post = async (message: object, session: string): Promise<Response> => {
    const body = JSON.stringify({ jsonrpc: '2.0', ...message });
    const headers = session === '' ? HEADERS : { ...HEADERS, 'Mcp-Session-Id': session };
    return handle(new Request('http://localhost/mcp', { method: 'POST', headers, body }));
  };
  const opened = await post({ id: 0, method: 'initialize', params: INITIALIZE }, '');
  expect(await opened.json()).toMatchObject({ id: 0, result: { serverInfo: { name: 'test' } } });
  const session = opened.headers.get('Mcp-Session-Id') ?? '';
  expect(await (await post({ id: 1, method: 'ping' }, session)).text()).toContain('"result":{}');
  await endpoint.drain(0);
  expect(endpoint.status).toMatchObject({ sessions: 0, pending: 0, upstreamInstances: 0 });
});
