/** Headers that an application is asked for, a token that it renews for example. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { text } from 'node:stream/consumers';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { expect, it, onTestFinished } from 'vitest';
import { TidegateClientTransport } from 'tidegate/client';

interface Seen {
  readonly method: string;
  readonly token: string | undefined;
}

/** A server of 2025-11-25 that answers everything, and what it was sent. */
async function server(): Promise<{ readonly url: string; readonly seen: Seen[] }> {
  const seen: Seen[] = [];
  const answer = async (request: IncomingMessage, response: ServerResponse): Promise<void> => {
    if (request.method !== 'POST') {
      response.writeHead(405).end();
      return;
    }
    const { id, method } = JSON.parse(await text(request)) as { id?: unknown; method: string };
    seen.push({ method, token: request.headers.authorization });
    if (id === undefined) {
      response.writeHead(202).end();
      return;
    }
    const about = {
      protocolVersion: '2025-11-25',
      capabilities: {},
      serverInfo: { name: 'seer', version: '1.0.0' },
    };
    const outcome =
      method === 'server/discover'
        ? { error: { code: -32601, message: 'Method not found' } }
        : { result: method === 'initialize' ? about : {} };
    response.writeHead(200, { 'content-type': 'application/json' });
    response.end(JSON.stringify({ jsonrpc: '2.0', id, ...outcome }));
  };
  const http = createServer((request, response) => void answer(request, response));
  await new Promise<void>((resolve) => http.listen(0, '127.0.0.1', resolve));
  onTestFinished(async () => {
    http.closeAllConnections();
    await new Promise((resolve) => http.close(resolve));
  });
  return { url: `http://127.0.0.1:${(http.address() as AddressInfo).port}/mcp`, seen };
}

it.each(['auto', 'off'] as const)(
  'are asked for before each request, and a failure is an error of its call (bridge: %s)',
  async (bridge) => {
    const { url, seen } = await server();
    let token = 'Bearer first';
    const headers = async (): Promise<Record<string, string>> => {
      if (token === '') throw new Error('s3cret');
      return { Authorization: token };
    };
    const client = new Client({ name: 'test', version: '1.0.0' });
    await client.connect(new TidegateClientTransport(url, { headers, bridge }));
    onTestFinished(() => client.close());
    await client.ping();
    token = 'Bearer second';
    await client.ping();
    const pings = seen.filter(({ method }) => method === 'ping');
    expect(pings.map((each) => each.token)).toEqual(['Bearer first', 'Bearer second']);
    token = '';
    const failure = await client.ping().catch((error: unknown) => error);
    expect(String(failure)).toContain('the headers of the application are not known');
    expect(String(failure)).not.toContain('s3cret');
    token = 'Bearer third';
    await client.ping();
    expect(seen.at(-1)).toEqual({ method: 'ping', token: 'Bearer third' });
  },
);
