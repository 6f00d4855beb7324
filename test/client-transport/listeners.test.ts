/** Listeners of the application that fail: their own fault, and nobody else's. */
import { expect, it, onTestFinished } from 'vitest';
import { TidegateClientTransport } from 'tidegate/client';
import { HandServer, server2025 } from '../upstreams/http/hand-server.ts';
import { eventually } from '../wire/signal.ts';

const INITIALIZE = {
  protocolVersion: '2025-11-25',
  capabilities: {},
  clientInfo: { name: 'x', version: '1' },
};

/** A transport all of whose listeners throw once they have noted what they were told. */
async function failing(): Promise<{ transport: TidegateClientTransport; told: string[] }> {
  const server = await HandServer.start(server2025(() => false));
  const transport = new TidegateClientTransport(server.url, { bridge: 'off' });
  onTestFinished(() => transport.close());
  const told: string[] = [];
  const fail = (what: string): never => {
    told.push(what);
    throw new Error(`${what} failed`);
  };
  transport.onmessage = (message) => fail(`message ${(message as { id?: number }).id}`);
  transport.onerror = (error) => fail(`error: ${error.message}`);
  transport.onclose = () => fail('close');
  return { transport, told };
}

it('hands over what comes after a message whose listener failed', async () => {
  const { transport, told } = await failing();
  await transport.send({ jsonrpc: '2.0', id: 0, method: 'initialize', params: INITIALIZE });
  await eventually(() => told.includes('error: message 0 failed'), 'the first failure');
  await transport.send({ jsonrpc: '2.0', method: 'notifications/initialized' });
  await transport.send({ jsonrpc: '2.0', id: 1, method: 'ping' });
  await eventually(() => told.includes('message 1'), 'the message after it');
});

it('closes though the listener of its end fails, and says so', async () => {
  const { transport, told } = await failing();
  await transport.close();
  await transport.close();
  expect(told).toEqual(['close', 'error: close failed']);
});
