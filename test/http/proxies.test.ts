/** Whose request it is behind proxies: only those the operator trusts are believed. */
import { connect as connectTls } from 'node:tls';
import { connect as connectH2 } from 'node:http2';
import { createServer } from 'node:http';
import { nodeHandler, type RunningServer, serve, type ServeOptions } from 'tidegate/node';
import { afterEach, beforeEach, describe, expect, it } from 'vitest';
import { Authority, Folder } from './certificates.ts';
import { listening } from './hosts.ts';
import { get, post, RawClient, statusOf } from './raw-client.ts';
import { echo, ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

const BEHIND = 'PROXY TCP4 203.0.113.9 10.0.0.1 4711 443\r\n';

let app: ScriptedApp;
let seen: Seen;
let server: RunningServer;
let clients: RawClient[];

async function open(options: Partial<ServeOptions>): Promise<void> {
  server = await serve(app, { port: 0, drainMs: 100, telemetry: seen, ...options });
}

async function connected(text: string | Buffer): Promise<RawClient> {
  const client = await RawClient.open(server.port);
  clients.push(client);
  client.send(text);
  return client;
}

async function addressSeen(text: string): Promise<string | undefined> {
  const client = await connected(text);
  await client.untilReceived('{"ok":true}');
  return app.exchanges.at(-1)?.head.remoteAddress;
}

beforeEach(() => {
  app = new ScriptedApp();
  seen = new Seen();
  clients = [];
});
afterEach(async () => {
  for (const client of clients) client.destroy();
  await server.close();
});

describe('headers', () => {
  const spoofed = get('/', ['X-Forwarded-For: 203.0.113.9', 'X-Real-IP: 203.0.113.9']);

  it('V17 V39: of anybody are not read unless a proxy is trusted', async () => {
    await open({});
    expect(await addressSeen(spoofed)).toBe('127.0.0.1');
    expect(await addressSeen(get('/', ['Forwarded: for=203.0.113.9']))).toBe('127.0.0.1');
  });

  it('of a peer that is not one of the proxies are not read', async () => {
    await open({ trustedProxies: ['10.0.0.0/8', '192.0.2.7'] });
    expect(await addressSeen(spoofed)).toBe('127.0.0.1');
  });

  it('of a trusted proxy name the client, over all lines', async () => {
    await open({ trustedProxies: ['127.0.0.0/8', '10.0.0.0/8'] });
    expect(await addressSeen(spoofed)).toBe('203.0.113.9');
    const lines = ['X-Forwarded-For: 203.0.113.9', 'X-Forwarded-For: 10.0.0.2'];
    expect(await addressSeen(get('/', lines))).toBe('203.0.113.9');
    expect(await addressSeen(get('/', ['Forwarded: for=198.51.100.1, for=203.0.113.9']))).toBe(
      '203.0.113.9',
    );
    expect(await addressSeen(get('/', ['Forwarded: for=evil']))).toBe('127.0.0.1');
    expect(await addressSeen(get('/'))).toBe('127.0.0.1');
  });

  it('of the kind that proxies write are believed alone, where it is named', async () => {
    const lines = ['X-Forwarded-For: 203.0.113.9', 'Forwarded: for=198.51.100.1'];
    await open({ trustedProxies: ['127.0.0.1'] });
    expect(await addressSeen(get('/', lines))).toBe('127.0.0.1');
    await server.close();
    await open({ trustedProxies: ['127.0.0.1'], forwardedHeader: 'x-forwarded-for' });
    expect(await addressSeen(get('/', lines))).toBe('203.0.113.9');
    await server.close();
    await open({ trustedProxies: ['127.0.0.1'], forwardedHeader: 'forwarded' });
    expect(await addressSeen(get('/', lines))).toBe('198.51.100.1');
    const options = { trustedProxies: ['127.0.0.1'], forwardedHeader: 'forwarded' } as const;
    const mounted = await listening(createServer(nodeHandler(app, options)));
    const client = await RawClient.open(mounted.port);
    client.send(get('/', lines));
    await client.untilReceived('{"ok":true}');
    expect(app.exchanges.at(-1)?.head.remoteAddress).toBe('198.51.100.1');
    client.destroy();
    await mounted.close();
  });

  it('refuse to start with a header that is none, or that nobody is trusted with', async () => {
    await open({});
    const forwardedHeader = 'X-Real-IP' as 'forwarded';
    await expect(
      serve(app, { port: 0, trustedProxies: ['127.0.0.1'], forwardedHeader }),
    ).rejects.toThrow('forwardedHeader must be one of forwarded, x-forwarded-for.');
    await expect(serve(app, { port: 0, forwardedHeader: 'forwarded' })).rejects.toThrow(
      'forwardedHeader needs trustedProxies',
    );
    expect(() => nodeHandler(app, { forwardedHeader: 'forwarded' })).toThrow(TypeError);
  });

  it('refuse to start with a range that is none', async () => {
    await open({});
    await expect(serve(app, { port: 0, trustedProxies: ['10.0.0.0/99'] })).rejects.toThrow(
      TypeError,
    );
    await expect(serve(app, { port: 0, proxyProtocol: true })).rejects.toThrow(/trustedProxies/);
  });
});

describe('the PROXY protocol', () => {
  const options = { trustedProxies: ['127.0.0.1'], proxyProtocol: true };

  it('names the client, for every request of its connection', async () => {
    await open(options);
    app.script = echo(1000);
    const client = await connected(BEHIND + post('/', '{"a":1}'));
    await client.untilReceived('{"a":1}');
    client.take();
    client.send(post('/', '{"b":2}'));
    await client.untilReceived('{"b":2}');
    const found = app.exchanges.map(({ head }) => head.remoteAddress);
    expect(found).toEqual(['203.0.113.9', '203.0.113.9']);
  });

  it('is understood however it is cut', async () => {
    await open(options);
    const client = await connected('');
    for (const byte of BEHIND) {
      client.send(byte);
      await new Promise((resolve) => setImmediate(resolve));
    }
    client.send(get('/'));
    await client.untilReceived('{"ok":true}');
    expect(app.exchanges[0]?.head.remoteAddress).toBe('203.0.113.9');
  });

  it('counts before headers, which are read only when who it names is trusted too', async () => {
    await open({ ...options, trustedProxies: ['127.0.0.1', '10.0.0.0/8'] });
    const header = ['X-Forwarded-For: 198.51.100.7'];
    expect(await addressSeen(BEHIND + get('/', header))).toBe('203.0.113.9');
    const inner = 'PROXY TCP4 10.0.0.9 10.0.0.1 4711 443\r\n';
    expect(await addressSeen(inner + get('/', header))).toBe('198.51.100.7');
  });

  it('is the proxy itself when it speaks for itself', async () => {
    await open(options);
    expect(await addressSeen(`PROXY UNKNOWN\r\n${get('/')}`)).toBe('127.0.0.1');
  });

  it('must be there on connections of a trusted proxy', async () => {
    await open(options);
    const client = await connected(get('/'));
    await client.untilOver();
    expect(client.received).toBe('');
    expect(app.exchanges).toHaveLength(0);
    expect(seen.counted('connections_refused_total', 'proxy-header')).toBe(1);
  });

  it('must come in time', async () => {
    await open({ ...options, limits: { handshakeMsMax: 100 } });
    const client = await connected('PROXY TCP4 ');
    const drip = setInterval(() => client.send('1'), 20);
    await client.untilOver();
    clearInterval(drip);
    expect(seen.counted('connections_refused_total', 'silent')).toBe(1);
  });

  it('is refused from anybody else, who is served without', async () => {
    await open({ ...options, trustedProxies: ['10.0.0.0/8'] });
    const client = await connected(BEHIND + get('/'));
    await client.untilOver();
    expect([400, 405]).toContain(statusOf(client.received));
    expect(app.exchanges).toHaveLength(0);
    expect(await addressSeen(get('/'))).toBe('127.0.0.1');
  });

  it('is not read where it is not switched on', async () => {
    await open({ trustedProxies: ['127.0.0.1'] });
    const client = await connected(BEHIND + get('/'));
    await client.untilOver();
    expect(app.exchanges).toHaveLength(0);
  });

  it.each(['http/1.1', 'h2'])('comes before TLS, below %s', async (protocol) => {
    const folder = new Folder();
    const authority = await Authority.create();
    const tls = { ...folder.pair(await authority.server()), http2: true };
    await open({ ...options, tls });
    const client = await connected(BEHIND);
    const socket = connectTls({
      socket: client.socket,
      ca: authority.cert,
      servername: 'localhost',
      ALPNProtocols: [protocol],
    });
    socket.on('error', () => {});
    await new Promise((resolve) => socket.once('secureConnect', resolve));
    if (protocol === 'h2') {
      const session = connectH2('https://localhost', { createConnection: () => socket });
      session.on('error', () => {});
      session.request({}).resume();
    } else socket.write(get('/'));
    await app.until(() => app.exchanges.length === 1, 'the request');
    expect(app.exchanges[0]?.head.remoteAddress).toBe('203.0.113.9');
    socket.destroy();
    folder.remove();
  });
});
