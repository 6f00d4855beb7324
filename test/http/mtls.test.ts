/** Client certificates: from the handshake to the principal. */
import { once } from 'node:events';
import { request } from 'node:https';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { type RunningServer, serve, type ServeOptions, type TlsOptions } from 'tidegate/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { mtlsIdentity, type MtlsOptions } from '../../src/adapters/identity/mtls.ts';
import type { IdentityOutcome, RequestHead } from '../../src/core/ports.ts';
import { Authority, type Certified, Folder } from './certificates.ts';
import { ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

let authority: Authority;
let server: Certified;
let alice: Certified;
let mallory: Certified;

let app: ScriptedApp;
let seen: Seen;
let folder: Folder;
let running: RunningServer | undefined;
let sockets: TLSSocket[];

beforeAll(async () => {
  authority = await Authority.create();
  const stranger = await Authority.create('CN=Stranger');
  server = await authority.server();
  alice = await authority.client({
    name: 'CN=alice, OU=dev, OU=ops, O=acme',
    sans: [
      { type: 'url', value: 'spiffe://acme/alice' },
      { type: 'dns', value: 'alice.acme.example' },
      { type: 'email', value: 'alice@acme.example' },
    ],
  });
  mallory = await stranger.client({ name: 'CN=alice, O=acme' });
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

async function open(tls: Partial<TlsOptions> = {}, options: Partial<ServeOptions> = {}) {
  const clientCa = folder.write('clients.pem', authority.cert);
  running = await serve(app, {
    port: 0,
    drainMs: 100,
    telemetry: seen,
    tls: { ...folder.pair(server), clientCa, ...tls },
    ...options,
  });
}

/** What the application saw of a client with this certificate. */
async function headOf(client?: Certified, headers: Record<string, string> = {}) {
  await new Promise<void>((resolve, reject) => {
    const options = { port: running?.port, host: '127.0.0.1', ca: authority.cert, agent: false };
    const sent = request({ ...options, ...client, headers }, (reply) => {
      reply.resume();
      reply.on('end', () => resolve());
    });
    sent.on('error', reject);
    sent.end();
  });
  return app.exchanges.at(-1)?.head as RequestHead;
}

function verify(head: RequestHead, options: MtlsOptions = {}): IdentityOutcome {
  let found: IdentityOutcome | undefined;
  mtlsIdentity(options).verify(head, (outcome) => {
    found = outcome;
  });
  return found as IdentityOutcome;
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
  await new Promise((resolve) => {
    socket.once('secureConnect', resolve);
    socket.once('close', resolve);
  });
  return socket;
}

describe('a certificate that is verified', () => {
  it('reaches the application, with its thumbprint as tokens are bound to it', async () => {
    await open();
    const head = await headOf(alice);
    expect(head.clientCertificate).toMatch(/^[\w-]{43}$/);
    expect(head.verifiedCertificate).toMatchObject({
      commonName: 'alice',
      organization: 'acme',
      organizationalUnits: ['dev', 'ops'],
      uris: ['spiffe://acme/alice'],
      dnsNames: ['alice.acme.example'],
      emails: ['alice@acme.example'],
    });
  });

  it('names a principal, a tenant and groups, and counts until its end', async () => {
    await open();
    const head = await headOf(alice);
    const clock = { now: () => 1000 };
    const now = () => (head.verifiedCertificate?.notAfterMs ?? 0) - 5000;
    const outcome = verify(head, { tenant: { field: 'o' }, groups: 'ou', clock, now });
    expect(outcome).toMatchObject({
      kind: 'principal',
      principal: { tenant: 'acme', issuer: 'mtls', subject: 'alice', clientId: '' },
      grant: { expiresAt: 6000, groups: ['dev', 'ops'] },
    });
  });

  it.each([
    ['san-uri', 'spiffe://acme/alice'],
    ['san-dns', 'alice.acme.example'],
    ['san-email', 'alice@acme.example'],
    ['o', 'acme'],
  ] as const)('may name its holder by %s', async (subject, name) => {
    await open();
    expect(verify(await headOf(alice), { subject })).toMatchObject({
      principal: { subject: name },
    });
  });

  it('lets nobody in by a field that it lacks or has twice', async () => {
    await open();
    const head = await headOf(alice);
    expect(verify(head, { subject: 'ou' }).kind).toBe('refused');
    const bare = await headOf(await authority.client({ name: 'CN=bare' }));
    expect(verify(bare).kind).toBe('principal');
    expect(verify(bare, { tenant: { field: 'o' } }).kind).toBe('refused');
    const twice = await headOf(await authority.client({ name: 'CN=alice, CN=bob' }));
    expect(verify(twice).kind).toBe('refused');
  });

  it('lets nobody in after its end, on a connection that is older', async () => {
    await open();
    const head = await headOf(alice);
    const end = head.verifiedCertificate?.notAfterMs ?? 0;
    expect(verify(head, { now: () => end - 1 }).kind).toBe('principal');
    expect(verify(head, { now: () => end }).kind).toBe('refused');
  });

  it('counts after a session is resumed, too', async () => {
    await open();
    const keys = { ...alice, maxVersion: 'TLSv1.2' as const };
    const first = await handshake(keys);
    const second = await handshake({ ...keys, session: first.getSession() });
    expect(second.isSessionReused()).toBe(true);
    second.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await app.until(() => app.exchanges.length === 1, 'the request');
    expect(app.exchanges[0]?.head.verifiedCertificate?.commonName).toBe('alice');
  });
});

describe('a certificate that is not verified', () => {
  it('has a thumbprint, names nobody, and is refused as an identity', async () => {
    await open();
    const head = await headOf(mallory);
    expect(head.clientCertificate).toMatch(/^[\w-]{43}$/);
    expect(head.verifiedCertificate).toBeUndefined();
    expect(verify(head)).toMatchObject({ kind: 'refused', refusal: { error: 'UNAUTHORIZED' } });
  });

  it('is one whose dates have passed', async () => {
    await open();
    const late = await authority.client({
      name: 'CN=alice',
      notBefore: new Date(Date.now() - 10_000),
      notAfter: new Date(Date.now() - 5000),
    });
    expect((await headOf(late)).verifiedCertificate).toBeUndefined();
  });

  it('is none at all, whatever headers say', async () => {
    await open();
    const head = await headOf(undefined, {
      'X-Client-Cert': 'alice',
      'X-SSL-Client-Verify': 'SUCCESS',
      'Client-Cert': ':MIIB:',
      'X-Forwarded-Client-Cert': 'Subject="CN=alice"',
    });
    expect(head.clientCertificate).toBeUndefined();
    expect(head.verifiedCertificate).toBeUndefined();
    expect(verify(head).kind).toBe('refused');
  });

  it('ends the handshake where certificates are required', async () => {
    await open({ clientCertificates: 'required' });
    await expect(headOf()).rejects.toThrow();
    await expect(headOf(mallory)).rejects.toThrow();
    expect((await headOf(alice)).verifiedCertificate?.commonName).toBe('alice');
    expect(app.exchanges).toHaveLength(1);
    expect(seen.counted('tls_handshakes_failed_total')).toBe(2);
  });

  it('is asked of nobody without authorities', async () => {
    await open({ clientCa: undefined });
    expect((await headOf(alice)).clientCertificate).toBeUndefined();
  });
});

describe('authorities that change', () => {
  it('count from the next connection, and tickets of before open nothing', async () => {
    await open();
    const keys = { ...alice, maxVersion: 'TLSv1.2' as const };
    const first = await handshake(keys);
    const other = await Authority.create('CN=Other');
    folder.write('clients.pem', other.cert);
    await seen.untilLogged('tls_files_read');
    const second = await handshake({ ...keys, session: first.getSession() });
    second.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await app.until(() => app.exchanges.length === 1, 'the request');
    expect(second.isSessionReused()).toBe(false);
    expect(app.exchanges[0]?.head.verifiedCertificate).toBeUndefined();
  });

  it('end the connections of those that are trusted no more, and leave the others', async () => {
    await open({ http2: true });
    const other = await Authority.create('CN=Other');
    const bob = await other.client({ name: 'CN=bob' });
    folder.write('clients.pem', `${authority.cert}\n${other.cert}\n`);
    await seen.untilLogged('tls_files_read');
    const kept = await handshake(alice);
    const ended = await handshake(bob);
    const bare = await handshake({});
    const h2 = await handshake({ ...bob, ALPNProtocols: ['h2'] });
    const closed = Promise.all([ended, h2].map((each) => once(each.resume(), 'close')));
    folder.write('clients.pem', authority.cert);
    await closed;
    for (const socket of [kept, bare]) socket.write('GET / HTTP/1.1\r\nHost: x\r\n\r\n');
    await app.until(() => app.exchanges.length === 2, 'the requests of the others');
    expect(seen.logged('tls_files_read').at(-1)?.['ended']).toBe(2);
  });
});
