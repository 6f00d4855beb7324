/** TLS of `tidegate/node`: what is agreed on, what is refused, and files that change. */
import { execFile, spawnSync } from 'node:child_process';
import { createPrivateKey } from 'node:crypto';
import { chmodSync, mkdirSync, renameSync, rmSync, symlinkSync } from 'node:fs';
import { get as httpsGet, type RequestOptions } from 'node:https';
import { join } from 'node:path';
import { connect, type ConnectionOptions, type TLSSocket } from 'node:tls';
import { type RunningServer, serve, type ServeOptions, type TlsOptions } from 'tidegate/node';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { Authority, type Certified, Folder } from './certificates.ts';
import { get, RawClient, statusOf } from './raw-client.ts';
import { ScriptedApp } from './scripted-app.ts';
import { Seen } from './seen.ts';

let authority: Authority;
let first: Certified;
let second: Certified;

let app: ScriptedApp;
let seen: Seen;
let folder: Folder;
let server: RunningServer | undefined;
let sockets: { destroy(): void }[];

beforeAll(async () => {
  authority = await Authority.create();
  first = await authority.server({ name: 'CN=first' });
  second = await authority.server({ name: 'CN=second' });
});

beforeEach(() => {
  app = new ScriptedApp();
  seen = new Seen();
  folder = new Folder();
  sockets = [];
});

afterEach(async () => {
  for (const socket of sockets) socket.destroy();
  await server?.close();
  server = undefined;
  folder.remove();
});

async function open(
  tls: Partial<TlsOptions> = {},
  options: Partial<ServeOptions> = {},
): Promise<void> {
  const files = folder.pair(first);
  server = await serve(app, {
    port: 0,
    drainMs: 100,
    telemetry: seen,
    tls: { ...files, ...tls },
    ...options,
  });
}

/** A finished handshake, or why there is none. */
async function handshake(options: ConnectionOptions = {}): Promise<TLSSocket> {
  const socket = connect({
    port: server?.port ?? 0,
    host: '127.0.0.1',
    servername: 'localhost',
    ca: authority.cert,
    ...options,
  });
  sockets.push(socket);
  await new Promise<void>((resolve, reject) => {
    socket.once('secureConnect', resolve);
    socket.once('error', reject);
  });
  socket.on('error', () => {});
  return socket;
}

async function commonName(): Promise<unknown> {
  const socket = await handshake();
  const { CN } = socket.getPeerCertificate().subject;
  socket.destroy();
  return CN;
}

async function request(options: RequestOptions = {}): Promise<string> {
  return new Promise((resolve, reject) => {
    const sent = httpsGet(
      { port: server?.port, host: '127.0.0.1', ca: authority.cert, agent: false, ...options },
      (reply) => {
        let text = '';
        reply.on('data', (chunk: Buffer) => (text += chunk.toString()));
        reply.on('end', () => resolve(text));
      },
    );
    sent.on('error', reject);
  });
}

async function plain(): Promise<RawClient> {
  const client = await RawClient.open(server?.port ?? 0);
  sockets.push(client);
  return client;
}

describe('handshakes', () => {
  it('serves https, and says so in its URL', async () => {
    await open();
    expect(server?.url).toBe(`https://127.0.0.1:${server?.port}`);
    expect(await request()).toBe('{"ok":true}');
  });

  it('agrees on TLS 1.3, and on 1.2 with forward secrecy for who has nothing newer', async () => {
    await open();
    expect((await handshake()).getProtocol()).toBe('TLSv1.3');
    const older = await handshake({ maxVersion: 'TLSv1.2' });
    expect(older.getProtocol()).toBe('TLSv1.2');
    expect(older.getCipher().name).toMatch(/^ECDHE-.*(GCM|CHACHA20)/);
  });

  it.each([
    ['TLS 1.1', { minVersion: 'TLSv1', maxVersion: 'TLSv1.1', ciphers: 'ALL:@SECLEVEL=0' }],
    ['CBC', { maxVersion: 'TLSv1.2', ciphers: 'ECDHE-ECDSA-AES128-SHA256' }],
    ['no forward secrecy', { maxVersion: 'TLSv1.2', ciphers: 'AES128-GCM-SHA256' }],
  ] as const)('refuses %s, and counts it', async (_name, options) => {
    await open();
    await expect(handshake(options)).rejects.toThrow();
    await seen.until(() => seen.counted('tls_handshakes_failed_total') === 1);
  });

  it('can be told to take nothing below TLS 1.3', async () => {
    await open({ minVersion: 'TLSv1.3' });
    await expect(handshake({ maxVersion: 'TLSv1.2' })).rejects.toThrow();
    expect((await handshake()).getProtocol()).toBe('TLSv1.3');
  });

  it('V53: takes any server name without a fault', async () => {
    await open();
    for (const servername of ['', 'x', '__proto__', 'other.example', 'a'.repeat(250)]) {
      await handshake({ servername, checkServerIdentity: () => undefined });
    }
    expect(await request()).toBe('{"ok":true}');
  });

  it('resumes a session with a ticket', async () => {
    await open();
    const before = await handshake({ maxVersion: 'TLSv1.2' });
    const after = await handshake({ maxVersion: 'TLSv1.2', session: before.getSession() });
    expect(after.isSessionReused()).toBe(true);
  });

  it('refuses to negotiate anew, which costs a server more than its client', async () => {
    await open();
    const socket = await handshake({ maxVersion: 'TLSv1.2' });
    const fault = await new Promise((resolve) => {
      socket.on('error', resolve);
      socket.on('close', resolve);
      socket.renegotiate({}, (error) => error !== null && resolve(error));
    });
    expect(fault).toBeTruthy();
  });

  it('V53: cuts a handshake that does not come to its end, and counts it', async () => {
    await open({}, { limits: { handshakeMsMax: 100 } });
    const client = await plain();
    client.send(Buffer.from([0x16, 0x03, 0x01, 0x02, 0x00]));
    await client.untilOver();
    expect(seen.counted('tls_handshakes_failed_total', 'timeout')).toBe(1);
  });

  it('V53: cuts a connection that says nothing, and counts it', async () => {
    await open({}, { limits: { handshakeMsMax: 100 } });
    const client = await plain();
    await client.untilOver();
    expect(seen.counted('connections_refused_total', 'silent')).toBe(1);
  });

  it('tells a client of plain HTTP to use https, and closes', async () => {
    await open();
    const client = await plain();
    client.send(get('/mcp', ['Authorization: Bearer secret']));
    await client.untilOver();
    expect(statusOf(client.received)).toBe(400);
    expect(client.received).toContain('This port speaks TLS; use https.');
    expect(client.received).not.toContain('secret');
    expect(app.exchanges).toHaveLength(0);
    expect(seen.counted('connections_refused_total', 'plain-http')).toBe(1);
  });

  it('closes on whoever speaks neither', async () => {
    await open();
    const client = await plain();
    client.send(Buffer.from([0, 1, 2, 3]));
    await client.untilOver();
    expect(client.received).toBe('');
    expect(seen.counted('connections_refused_total', 'not-tls')).toBe(1);
  });

  it('serves curl', async ({ skip }) => {
    if (spawnSync('curl', ['--version']).status !== 0) skip('there is no curl here');
    await open();
    const ca = folder.write('ca.pem', authority.cert);
    const args = ['-sS', '--cacert', ca, `https://localhost:${server?.port}/`];
    const output = await new Promise((resolve, reject) => {
      execFile('curl', [...args, '--resolve', `localhost:${server?.port}:127.0.0.1`], (e, out) => {
        if (e === null) resolve(out);
        else reject(new Error('curl failed', { cause: e }));
      });
    });
    expect(output).toBe('{"ok":true}');
  });
});

describe('files that change', () => {
  it('serves the new certificate and keeps the streams that are open', async () => {
    await open();
    app.script = (exchange) => app.open(exchange, 'data: 1\n\n', true);
    const stream = await handshake();
    let received = '';
    stream.on('data', (chunk: Buffer) => (received += chunk.toString()));
    stream.write(get('/'));
    await app.until(() => app.sinks.length === 1, 'the stream');
    expect(await commonName()).toBe('first');
    folder.pair(second);
    await seen.untilLogged('tls_files_read');
    expect(await commonName()).toBe('second');
    app.sinks[0]?.write('data: 2\n\n');
    await expect.poll(() => received).toContain('data: 2\n\n');
  });

  it('follows a symbolic link to another folder, as secrets are mounted', async () => {
    for (const [name, made] of [
      ['one', first],
      ['two', second],
    ] as const) {
      mkdirSync(join(folder.path, name));
      folder.write(join(name, 'tls.crt'), made.cert);
      folder.write(join(name, 'tls.key'), made.key);
    }
    symlinkSync('one', join(folder.path, 'current'));
    const cert = join(folder.path, 'current', 'tls.crt');
    await open({ cert, key: join(folder.path, 'current', 'tls.key') });
    expect(await commonName()).toBe('first');
    symlinkSync('two', join(folder.path, 'next'));
    renameSync(join(folder.path, 'next'), join(folder.path, 'current'));
    await seen.untilLogged('tls_files_read');
    expect(await commonName()).toBe('second');
  });

  it('keeps the old pair while the new one is broken, says so once, and takes it when mended', async () => {
    await open();
    folder.write('cert.pem', second.cert);
    await seen.untilLogged('tls_files_refused');
    expect(seen.logged('tls_files_refused')[0]?.['reason']).toMatch(/does not belong/);
    expect(await commonName()).toBe('first');
    folder.write('key.pem', second.key);
    await seen.untilLogged('tls_files_read');
    expect(await commonName()).toBe('second');
    expect(seen.logged('tls_files_refused')).toHaveLength(1);
  });

  it('keeps the old pair when a file is gone', async () => {
    await open();
    rmSync(join(folder.path, 'key.pem'));
    await seen.untilLogged('tls_files_refused');
    expect(await request()).toBe('{"ok":true}');
  });
});

describe('files that anybody may change', () => {
  it('are not followed, until their mode is mended', async () => {
    await open();
    folder.write('cert.pem', second.cert);
    chmodSync(folder.write('key.pem', second.key), 0o666);
    await seen.untilLogged('tls_files_refused');
    expect(seen.logged('tls_files_refused')[0]?.['reason']).toMatch(
      /^The key .* may be changed by anybody; use chmod o-w on it\.$/,
    );
    expect(await commonName()).toBe('first');
    chmodSync(join(folder.path, 'key.pem'), 0o600);
    await seen.untilLogged('tls_files_read');
    expect(await commonName()).toBe('second');
  });
});

describe('a start that cannot be', () => {
  const refused = async (tls: Partial<TlsOptions>): Promise<string> => {
    try {
      await open(tls);
    } catch (error) {
      return (error as Error).message;
    }
    throw new Error('It started.');
  };

  it.each([
    [
      'a missing file',
      'absent.pem',
      /^The key .*absent\.pem cannot be read: there is no such file\.$/,
    ],
    ['a folder', '.', /^The key .* cannot be read: it is a folder\.$/],
  ])('is told in one line for %s', async (_name, file, sentence) => {
    expect(await refused({ key: join(folder.path, file) })).toMatch(sentence);
  });

  it('is told in one line for files that hold something else', async () => {
    const other = folder.write('other.pem', 'secret words');
    expect(await refused({ key: other })).toMatch(/^The key .* is not a private key in PEM\.$/);
    expect(await refused({ cert: other })).toMatch(
      /^The certificate .* is not a certificate in PEM/,
    );
    expect(await refused({ clientCa: other })).toMatch(/^The client authority .* is not a cert/);
  });

  it('is told in one line for a file that anybody may change', async () => {
    const authorities = folder.write('clients.pem', first.cert);
    chmodSync(authorities, 0o666);
    expect(await refused({ clientCa: authorities })).toMatch(
      /^The client authority .* may be changed by anybody; use chmod o-w on it\.$/,
    );
    chmodSync(authorities, 0o664);
    await open({ clientCa: authorities });
  });

  it('is told in one line for a key of another certificate', async () => {
    const key = folder.write('other.pem', second.key);
    expect(await refused({ key })).toMatch(/^The key .* does not belong to the certificate\.$/);
  });

  it('is told in one line for a key with a passphrase', async () => {
    const locked = createPrivateKey(first.key).export({
      type: 'pkcs8',
      format: 'pem',
      cipher: 'aes-256-cbc',
      passphrase: 'secret',
    });
    const key = folder.write('locked.pem', locked.toString());
    expect(await refused({ key })).toMatch(/^The key .* has a passphrase; store it without one/);
  });

  it('takes no port', async () => {
    const before = await refused({ key: join(folder.path, 'absent.pem') });
    expect(before).not.toContain('\n');
    expect(server).toBeUndefined();
  });
});
