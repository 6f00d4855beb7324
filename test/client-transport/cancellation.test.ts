/** What is left of a request that was given up or answered: nothing. */
import { getEventListeners } from 'node:events';
import { expect, it, onTestFinished } from 'vitest';
import { TidegateClientTransport } from 'tidegate/client';
import { HandServer, type Said, server2025 } from '../upstreams/http/hand-server.ts';
import { eventually } from '../wire/signal.ts';

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'x', version: '1' },
};

interface Talk {
  readonly server: HandServer;
  readonly transport: TidegateClientTransport;
  readonly heard: Said[];
  readonly request: (id: number, method: string, signal?: AbortSignal) => Promise<void>;
  readonly answered: (id: number) => Promise<void>;
}

/** A session with a server that answers everything but calls of tools. */
async function talk(): Promise<Talk> {
  const server = await HandServer.start(
    server2025((asked) => {
      if (asked.body.method === 'tools/call') asked.stream(':\n\n');
      return asked.body.method === 'tools/call';
    }),
  );
  const transport = new TidegateClientTransport(server.url, { bridge: 'off' });
  onTestFinished(() => transport.close());
  const heard: Said[] = [];
  transport.onmessage = (message) => heard.push(message);
  const request: Talk['request'] = async (id, method, signal) => {
    const params = method === 'initialize' ? INITIALIZE : {};
    await transport.send({ jsonrpc: '2.0', id, method, params }, { requestSignal: signal });
  };
  const answered: Talk['answered'] = async (id) =>
    eventually(() => heard.some((message) => message.id === id), `the answer to ${id}`);
  await request(0, 'initialize');
  await answered(0);
  await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  return { server, transport, heard, request, answered };
}

it('a request that was cancelled is not answered when all ends', async () => {
  const { server, transport, heard, request } = await talk();
  const { signal } = new AbortController();
  await request(1, 'tools/call', signal);
  await server.until(1, 'tools/call');
  const params = { requestId: 1 };
  await transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
  await server.until(1, 'notifications/cancelled');
  expect(getEventListeners(signal, 'abort')).toEqual([]);
  await transport.close();
  expect(heard.map(({ id }) => id)).toEqual([0]);
});

it('a signal is listened to until the answer, and cancels nothing after it', async () => {
  const { server, heard, request, answered } = await talk();
  const controller = new AbortController();
  for (let id = 1; id <= 20; id += 1) {
    await request(id, 'ping', controller.signal);
    await answered(id);
  }
  expect(getEventListeners(controller.signal, 'abort')).toEqual([]);
  await request(21, 'tools/call', controller.signal);
  await server.until(1, 'tools/call');
  controller.abort();
  await server.until(1, 'notifications/cancelled');
  await request(22, 'ping');
  await answered(22);
  const cancelled = server.of('notifications/cancelled').map(({ body }) => body.params);
  expect(cancelled).toEqual([{ requestId: 21 }]);
  expect(heard.some(({ id }) => id === 21)).toBe(false);
});

it('a cancellation of what nobody waits for goes nowhere', async () => {
  const { server, transport, request, answered } = await talk();
  await request(1, 'ping');
  await answered(1);
  const params = { requestId: 1 };
  await transport.send({ jsonrpc: '2.0', method: 'notifications/cancelled', params });
  await request(2, 'ping');
  await answered(2);
  expect(server.of('notifications/cancelled')).toEqual([]);
});
