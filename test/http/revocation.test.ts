/** Certificates that their authority took back, in new handshakes and on connections of before. */
import { once } from 'node:events';
import { connect as connectHttp2 } from 'node:http2';
import { request } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { type RunningServer, serve, type TlsOptions } from 'tidegate/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { RequestHead } from '../../src/core/ports.ts';
import { Authority, type Certified, Folder } from './certificates.ts';
import { ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

let authority: Authority;
let server: Certified;
let alice: Certified;
let bob: Certified;

let app: ScriptedApp;
let seen: Seen;
let folder: Folder;
let running: RunningServer | undefined;
let sockets: TLSSocket[];

beforeAll(async () => {
  authority = await Authority.create();
  server = await authority.server();
  alice = await authority.client({ name: 'CN=alice' });
  bob = await authority.client({ name: 'CN=bob' });
});

beforeEach(() => {
  app = new ScriptedApp();
  seen = new Seen();
  folder = new Folder();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await running?.close();
  running = undefined;
  folder.remove();
});

/** @param lists - in PEM. @param authorities - the same. */
async function open(
  lists: string,
  tls: Partial<TlsOptions> = {},
  authorities = authority.cert,
): Promise<void> {
  const clientCa = folder.write('clients.pem', authorities);
  const clientCrl = folder.write('crl.pem', lists);
  running = await serve(app, {
    port: 0,
    drainMs: 100,
    telemetry: seen,
    tls: { ...folder.pair(server), clientCa, clientCrl, ...tls },
  });
}

/** What the application saw of a client with this certificate; rejects when it saw nothing. */
async function headOf(client: Partial<Certified>): Promise<RequestHead> {
  await new Promise<void>((resolve, reject) => {
    const options = { port: running?.port, host: '127.0.0.1', ca: authority.cert, agent: false };
    const sent = request({ ...options, ...client }, (reply) => {
      reply.resume();
      reply.on('end', () => resolve());
    });
    sent.on('error', reject);
    sent.end();
  });
  const head = app.exchanges.at(-1)?.head;
  if (head === undefined) throw new Error('The application saw nothing.');
  return head;
}

async function nameOf(client: Partial<Certified>): Promise<string | undefined> {
  return (await headOf(client)).verifiedCertificate?.commonName;
}

async function handshake(options: ConnectionOptions): Promise<TLSSocket> {
  const socket = connect({
    port: running?.port,
    host: '127.0.0.1',
    ca: authority.cert,
    ...options,
  });
  sockets.push(socket);
  socket.on('error', () => {});
  await once(socket, 'secureConnect');
  return socket;
}

function sendOn(socket: TLSSocket): void {
  socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
}

describe('a certificate that is on its authority’s list', () => {
  it('names nobody, and no token is bound to it; others count', async () => {
    await open(await authority.list([bob]));
    const head = await headOf(bob);
    expect([head.verifiedCertificate, head.clientCertificate]).toEqual([undefined, undefined]);
    expect(await nameOf(alice)).toBe('alice');
  });

  it('ends the handshake where certificates are required', async () => {
    await open(await authority.list([bob]), { clientCertificates: 'required' });
    await expect(headOf(bob)).rejects.toThrow();
    expect(await nameOf(alice)).toBe('alice');
    expect(app.exchanges).toHaveLength(1);
  });

  it('is found in any of several lists, that of an authority between included', async () => {
    const below = await authority.below('CN=Below');
    const carol = await below.client({ name: 'CN=carol' });
    const dave = await below.client({ name: 'CN=dave' });
    const chained = ({ cert, key }: Certified): Certified => ({
      cert: `${cert}\n${below.cert}`,
      key,
    });
    const own = await below.list([dave]);
    await open(`${await authority.list([bob])}\n${own}`);
    expect(await nameOf(chained(carol))).toBe('carol');
    expect(await nameOf(chained(dave))).toBeUndefined();
    const kept = await handshake(chained(alice));
    const ended = await handshake(chained(carol));
    const closed = once(ended.resume(), 'close');
    folder.write('crl.pem', `${await authority.list([below])}\n${own}`);
    await closed;
    sendOn(kept);
    await app.until(() => app.exchanges.length === 3, 'the request of the other');
    expect(await nameOf(chained(carol))).toBeUndefined();
  });
});

describe('a list that changes', () => {
  it('ends connections whose certificate is on it now, and no other', async () => {
    await open(await authority.list([]), { http2: true });
    const [kept, bare] = [await handshake(alice), await handshake({})];
    const ended = [
      await handshake(bob),
      await handshake({ ...bob, ALPNProtocols: ['h2'] }),
      await handshake({ ...bob, maxVersion: 'TLSv1.2' }),
    ];
    const closed = Promise.all(ended.map((each) => once(each.resume(), 'close')));
    folder.write('crl.pem', await authority.list([bob]));
    await closed;
    for (const socket of [kept, bare]) sendOn(socket);
    await app.until(() => app.exchanges.length === 2, 'the requests of the others');
    const names = app.exchanges.map(({ head }) => head.verifiedCertificate?.commonName);
    expect(new Set(names)).toEqual(new Set(['alice', undefined]));
    expect(seen.logged('tls_files_read')).toMatchObject([{ revoked: 1, ended: 3 }]);
    expect(await nameOf(bob)).toBeUndefined();
  });

  it.each([{}, { ALPNProtocols: ['h2'] }])('says why, with %j', async (protocols) => {
    await open(await authority.list([]), { http2: true });
    app.script = (exchange) => {
      app.watch(exchange);
      app.open(exchange, 'data: 1\n\n', true);
    };
    if ('ALPNProtocols' in protocols) {
      const options = { ...bob, ca: authority.cert };
      const session = connectHttp2(`https://127.0.0.1:${running?.port}`, options);
      session.on('error', () => {});
      session.request({}).on('error', () => {});
    } else sendOn(await handshake(bob));
    await app.until(() => app.exchanges.length === 1, 'the stream');
    folder.write('crl.pem', await authority.list([bob]));
    await app.until(() => app.goneCount === 1, 'the end of the stream');
    expect(app.goneWhy).toEqual(['unauthorized']);
  });

  it('counts for sessions that are resumed, too: one that is not on it goes on', async () => {
    await open(await authority.list([]));
    const resumed = async (client: Certified): Promise<TLSSocket> => {
      const first = await handshake({ ...client, maxVersion: 'TLSv1.2' });
      const session = first.getSession();
      const second = await handshake({ ...client, maxVersion: 'TLSv1.2', session });
      expect(second.isSessionReused()).toBe(true);
      first.destroy();
      return second;
    };
    const [kept, ended] = [await resumed(alice), await resumed(bob)];
    const closed = once(ended.resume(), 'close');
    folder.write('crl.pem', await authority.list([bob]));
    await closed;
    sendOn(kept);
    await app.until(() => app.exchanges.length === 1, 'the request of the other');
    expect(app.exchanges[0]?.head.verifiedCertificate?.commonName).toBe('alice');
  });

  it('ends a connection that shows a certificate which nobody verified, for the tokens bound to it', async () => {
    const stranger = await Authority.create();
    const namesake = await stranger.client({ name: 'CN=bob' });
    await open(await authority.list([]));
    const socket = await handshake(namesake);
    sendOn(socket);
    await app.until(() => app.exchanges.length === 1, 'the request');
    expect(app.exchanges[0]?.head.clientCertificate).toMatch(/^[\w-]{43}$/);
    const closed = once(socket.resume(), 'close');
    folder.write('crl.pem', await authority.list([namesake]));
    await closed;
  });

  it.each([
    ['is gone', undefined, /cannot be read: there is no such file/],
    ['is broken', 'rubbish', /is not a certificate revocation list in PEM/],
    ['is of another authority', 'other', /holds no list of authority number 1 in clientCa/],
  ])('stays as it was when the file %s, and the log says so', async (_, text, reason) => {
    await open(await authority.list([bob]));
    const socket = await handshake(alice);
    const other = await Authority.create('CN=Other');
    if (text === undefined) folder.delete('crl.pem');
    else folder.write('crl.pem', text === 'other' ? await other.list([]) : text);
    await seen.untilLogged('tls_files_refused');
    expect(seen.logged('tls_files_refused')[0]?.['reason']).toMatch(reason);
    expect([await nameOf(alice), await nameOf(bob)]).toEqual(['alice', undefined]);
    sendOn(socket);
    await app.until(() => app.exchanges.length === 3, 'a request of before');
  });

  it('keeps a server from starting that cannot read it', async () => {
    await expect(open('rubbish')).rejects.toThrow(/revocation list .*crl\.pem is not a/);
    const long = await authority.list([]);
    await expect(open(long.padEnd(16 * 1024 * 1024 + 1))).rejects.toThrow(
      /is larger than 16777216/,
    );
    const both = `${authority.cert}\n${(await Authority.create('CN=Other')).cert}`;
    await expect(open(await authority.list([]), {}, both)).rejects.toThrow(/authority number 2/);
  });
});

describe('a list that has ended', () => {
  it('is told of, and nobody comes in by its authority until there is another', async () => {
    await open(await authority.list([]));
    const before = await handshake(alice);
    folder.write('crl.pem', await authority.list([], { nextUpdate: new Date() }));
    await seen.untilLogged('tls_crl_expired');
    const [told] = seen.logged('tls_crl_expired');
    expect(told?.['crl']).toBe(`${folder.path}/crl.pem`);
    expect(told?.['until']).toMatch(/^\d{4}-\d\d-\d\dT.*Z$/);
    expect(await nameOf(alice)).toBeUndefined();
    // It was verified by the list of its time, and ends like any other.
    sendOn(before);
    await app.until(() => app.exchanges.length === 2, 'a request of before');
    expect(app.exchanges[1]?.head.verifiedCertificate?.commonName).toBe('alice');
    folder.write('crl.pem', await authority.list([]));
    await seen.untilLogged('tls_files_read', 2);
    expect(await nameOf(alice)).toBe('alice');
  });

  it('is told of once while it serves', async () => {
    const until = new Date(Date.now() + 1000);
    await open(await authority.list([], { nextUpdate: until }));
    await seen.untilLogged('tls_crl_expired');
    expect(Date.now()).toBeGreaterThanOrEqual(Math.floor(until.getTime() / 1000) * 1000);
    folder.write('crl.pem', await authority.list([bob]));
    await seen.untilLogged('tls_files_read');
    expect(seen.logged('tls_crl_expired')).toHaveLength(1);
  });

  it('serves nobody by a certificate when it had ended before the start', async () => {
    await open(await authority.list([], { nextUpdate: new Date(Date.now() - 60_000) }));
    await seen.untilLogged('tls_crl_expired');
    expect(await nameOf(alice)).toBeUndefined();
  });
});
