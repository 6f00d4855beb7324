/** Who waits behind whom, when some of those who ask are refused: on real connections, in turns. */
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { serve } from 'tidegate/node';
import type { RunningServer } from 'tidegate/node';
import { get, post, RawClient, statusOf } from './raw-client.ts';
import { JSON_HEADERS, respondOk, ScriptedApp } from './scripted-app.ts';

const REFUSED = 40;

let app: ScriptedApp;
let server: RunningServer;
let clients: RawClient[];

beforeEach(async () => {
  clients = [];
  app = new ScriptedApp();
  app.script = (exchange) => {
    if (exchange.head.path === '/good') respondOk(exchange);
    else if (exchange.head.path === '/later') app.open(exchange, 'retry: {}\n\n', false).end('');
    else exchange.respond(429, JSON_HEADERS, '{}');
  };
  server = await serve(app, { port: 0, drainMs: 100 });
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

/** A connection whose last request was for `path`. */
async function after(path: string): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  clients.push(client);
  await replyTo(client, get(path));
  return client;
}

async function replyTo(client: RawClient, request: string): Promise<string> {
  client.take();
  client.send(request);
  await client.untilReceived('}');
  return client.take();
}

function pathsSince(count: number): string[] {
  return app.exchanges.slice(count).map(({ head }) => head.path);
}

describe('connections that wait for their turn', () => {
  it('handles whoever was refused behind everybody who was not', async () => {
    const refused = await Promise.all(Array.from({ length: REFUSED }, () => after('/bad')));
    const good = await after('/good');
    const before = app.exchanges.length;
    // All of it is in the kernel before the server looks; the good one asks last.
    for (const client of refused) client.send(get('/bad'));
    good.send(get('/good'));
    await app.until(() => app.exchanges.length === before + REFUSED + 1, 'all requests');
    expect(pathsSince(before).indexOf('/good')).toBeLessThan(2);
  });

  it('handles whoever was given the time to come again behind others, too', async () => {
    const refused = await Promise.all(Array.from({ length: REFUSED }, () => after('/later')));
    const good = await after('/good');
    const before = app.exchanges.length;
    for (const client of refused) client.send(get('/later'));
    good.send(get('/good'));
    await app.until(() => app.exchanges.length === before + REFUSED + 1, 'all requests');
    expect(pathsSince(before).indexOf('/good')).toBeLessThan(2);
  });

  it('handles a new connection behind those whose requests are not refused', async () => {
    const good = await after('/good');
    const before = app.exchanges.length;
    const fresh = await Promise.all(
      Array.from({ length: REFUSED }, () => RawClient.open(server.port)),
    );
    clients.push(...fresh);
    for (const client of fresh) client.send(get('/fresh'));
    good.send(get('/good'));
    await app.until(() => app.exchanges.length === before + REFUSED + 1, 'all requests');
    expect(pathsSince(before).indexOf('/good')).toBeLessThan(2);
    for (const client of fresh) await client.untilReceived('}');
    expect(fresh.map((client) => statusOf(client.received))).toEqual(fresh.map(() => 429));
  });

  it('answers every request of a connection that is refused again and again', async () => {
    const client = await after('/bad');
    for (let i = 0; i < 20; i += 1) {
      expect(statusOf(await replyTo(client, post('/bad', '{"some":"body"}')))).toBe(429);
    }
    expect(statusOf(await replyTo(client, get('/good')))).toBe(200);
  });

  it('reads the rest of a body that comes after the refusal', async () => {
    const client = await after('/good');
    const whole = post('/bad', 'x'.repeat(5000));
    client.send(whole.slice(0, 200));
    await client.untilReceived('}');
    client.send(whole.slice(200));
    expect(statusOf(await replyTo(client, get('/good')))).toBe(200);
  });

  it('notices that whoever was refused has left', async () => {
    const client = await after('/bad');
    client.socket.end();
    await client.untilOver();
    expect(client.isEnded).toBe(true);
  });
});
