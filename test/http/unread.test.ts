/** Clients that do not read: what waits for all of them together is bounded. */
import { type RunningServer, serve } from 'tidegate/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import type { HttpExchange } from '../../src/core/ports.ts';
import { get, RawClient } from './raw-client.ts';
import { ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

/** Much more than the system keeps for a client that does not read. */
const LARGE = 'x'.repeat(20_000_000);
/** Two of them and some. */
const BYTES_MAX = 50_000_000;

let app: ScriptedApp;
let seen: Seen;
let server: RunningServer;
let clients: RawClient[];

beforeEach(async () => {
  app = new ScriptedApp();
  seen = new Seen();
  clients = [];
  const limits = { unsentTotalBytesMax: BYTES_MAX };
  server = await serve(app, { port: 0, drainMs: 100, limits, telemetry: seen });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

/** One that asks and does not read, once it was answered. */
async function unread(requests: string): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  clients.push(client);
  client.socket.pause();
  const count = app.exchanges.length + requests.split('GET ').length - 1;
  client.send(requests);
  await app.until(() => app.exchanges.length === count, 'the request');
  return client;
}

const cuts = (): number => seen.counted('http1_connections_cut_total', 'unread');

const KINDS: readonly (readonly [string, (exchange: HttpExchange) => void])[] = [
  ['replies', (exchange) => exchange.respond(200, [], LARGE)],
  ['replies in events', (exchange) => app.open(exchange, 'data: 1\n\n', false).end(LARGE)],
  ['the beginnings of replies', (exchange) => void app.open(exchange, LARGE, false)],
  ['events of replies', (exchange) => app.open(exchange, 'data: 1\n\n', false).write(LARGE)],
  ['the beginnings of streams', (exchange) => void app.open(exchange, LARGE, true)],
  ['events of streams', (exchange) => app.open(exchange, 'data: 1\n\n', true).write(LARGE)],
];

describe('V49 what waits for clients that do not read', () => {
  it.each(KINDS)('is bounded for all of them together: %s', async (_, script) => {
    app.script = (exchange) => {
      app.watch(exchange);
      script(exchange);
    };
    for (let i = 0; i < 5; i += 1) {
      await unread(get('/'));
      await seen.until(() => cuts() === Math.max(0, i - 1));
    }
    // Those that waited longest, whose clients may come back for the rest.
    await app.until(() => app.goneCount === 3, 'the leaving');
    expect(app.goneWhy).toEqual(['unread', 'unread', 'unread']);
    const logged = seen.logged('unread_connections_cut');
    expect(logged.map(({ connections }) => connections)).toEqual([1, 1, 1]);
    const left = clients.slice(3);
    for (const client of left) client.socket.resume();
    for (const client of left) {
      await client.until(({ bytesReceived }) => bytesReceived > LARGE.length, 'all of it');
    }
    expect(cuts()).toBe(3);
  });

  it('counts what is kept behind another reply', async () => {
    app.script = (exchange) => exchange.respond(200, [], LARGE);
    await unread(get('/1') + get('/2') + get('/3'));
    await seen.until(() => cuts() === 1);
  });

  it('is no matter of those who read', async () => {
    app.script = (exchange) => exchange.respond(200, [], LARGE);
    const client = await RawClient.open(server.port);
    clients.push(client);
    for (let i = 1; i <= 5; i += 1) {
      client.send(get('/'));
      await client.until(({ bytesReceived }) => bytesReceived > i * LARGE.length, 'all of it');
    }
    expect(cuts()).toBe(0);
    expect(client.isClosed).toBe(false);
  });
});
