/** The command over TLS, as a process of its own, with the official SDK's clients. */
import { chmodSync } from 'node:fs';
import { request } from 'node:https';
import { join } from 'node:path';
import { afterEach, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import { ensureBuilt } from '../scripts/bootstrap.mjs';
import { CliProcess } from './cli-process.ts';
import { Authority, type Certified, Folder } from './http/certificates.ts';
import { ROOT } from './source-files.ts';

const TOKEN = 'canary-token-0123456789';
const COMMAND = [process.execPath, join(ROOT, 'test/fixtures/cli/pid-server.mjs')];
const CLIENTS = join(ROOT, 'test/fixtures/tls/sdk-clients.mjs');
const HELLO = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-06-18',
    capabilities: {},
    clientInfo: { name: 'test', version: '1' },
  },
};

let authority: Authority;
let server: Certified;
let alice: Certified;
let folder: Folder;
let running: CliProcess[];

beforeAll(async () => {
  await ensureBuilt();
  authority = await Authority.create();
  server = await authority.server();
  alice = await authority.client({ name: 'CN=alice, O=acme' });
}, 120_000);

beforeEach(() => {
  folder = new Folder();
  running = [];
  folder.pair(server);
  folder.write('ca.pem', authority.cert);
});

afterEach(async () => {
  for (const cli of running) if (cli.child.exitCode === null) cli.child.kill('SIGKILL');
  await Promise.all(running.map((cli) => cli.ended));
  folder.remove();
});

function start(
  args: readonly string[],
  env: Readonly<Record<string, string>> = {},
  program?: string,
): CliProcess {
  const pids = join(folder.path, 'pids');
  const cli = new CliProcess(
    args,
    { XDG_CONFIG_HOME: folder.path, PID_FILE: pids, ...env },
    program,
  );
  running.push(cli);
  return cli;
}

const PAIR = (): string[] => [
  '--tls-cert',
  join(folder.path, 'cert.pem'),
  '--tls-key',
  join(folder.path, 'key.pem'),
];

/** The status of `initialize`, or how the handshake ended. */
async function initialized(url: string, client: Partial<Certified> = {}): Promise<number | string> {
  return new Promise((resolve) => {
    const body = JSON.stringify(HELLO);
    const sent = request(
      url,
      {
        method: 'POST',
        ca: authority.cert,
        agent: false,
        ...client,
        headers: {
          'content-type': 'application/json',
          accept: 'application/json, text/event-stream',
        },
      },
      (reply) => {
        reply.resume();
        resolve(reply.statusCode ?? 0);
      },
    );
    sent.on('error', (error: NodeJS.ErrnoException) => resolve(error.code ?? 'failed'));
    sent.end(body);
  });
}

describe('a command over TLS', () => {
  it('says when its certificate is over', async () => {
    const notAfter = new Date(Date.now() - 1000);
    folder.pair(await authority.server({ notBefore: new Date(0), notAfter }));
    const cli = start(['--port', '0', ...PAIR(), '--', ...COMMAND]);
    await cli.printed(
      /Note {8}The certificate ended on \d{4}-.*: clients refuse it\. Renew it\.\n/,
    );
  });

  it('says when everybody can read its key, and nothing of one that others cannot', async () => {
    const notes = async (mode: number): Promise<string> => {
      chmodSync(join(folder.path, 'key.pem'), mode);
      const cli = start(['--port', '0', ...PAIR(), '--', ...COMMAND]);
      await cli.printed(/^curl /m);
      return cli.stderr;
    };
    expect(await notes(0o644)).toMatch(
      / {2}Note {8}--tls-key: Everybody on this machine can read this key; use chmod o-r .*\n/,
    );
    expect(await notes(0o600)).not.toContain('Note');
  });

  it('serves the clients of the official SDKs', async () => {
    const cli = start(['--port', '0', ...PAIR(), '--env', 'PID_FILE', '--', ...COMMAND], {
      TIDEGATE_TOKEN: TOKEN,
    });
    const [, url = ''] = await cli.printed(/(https:\/\/127\.0\.0\.1:\d+)\/mcp/);
    const env = { NODE_EXTRA_CA_CERTS: join(folder.path, 'ca.pem'), TOKEN };
    const clients = start([url], env, CLIENTS);
    expect(await clients.end()).toEqual({ code: 0, signal: null });
    const names = JSON.parse(clients.stdout) as string[];
    expect(names).toHaveLength(3);
    expect(new Set(names).size).toBe(1);
    expect(names[0]).toBeTruthy();
  });

  it('asks for certificates alone where no other credential is wanted', async () => {
    const ca = ['--tls-client-ca', join(folder.path, 'ca.pem'), '--no-auth'];
    const cli = start(['--port', '0', ...PAIR(), ...ca, '--env', 'PID_FILE', '--', ...COMMAND]);
    const [, url = ''] = await cli.printed(/(https:\/\/127\.0\.0\.1:\d+\/mcp)/);
    expect(await initialized(url, alice)).toBe(200);
    expect(await initialized(url)).toEqual(expect.stringMatching(/^E/));
    expect(cli.stderr).toContain('each client shows a certificate');
  });

  it('ends whoever is on a revocation list, as soon as it is', async () => {
    const crl = folder.write('crl.pem', await authority.list([]));
    const ca = ['--tls-client-ca', join(folder.path, 'ca.pem'), '--tls-client-crl', crl];
    const options = ['--port', '0', '--no-auth', '--log-format', 'json', '--env', 'PID_FILE'];
    const cli = start([...options, ...PAIR(), ...ca, '--', ...COMMAND]);
    const [, url = ''] = await cli.printed(/(https:\/\/127\.0\.0\.1:\d+\/mcp)/);
    expect(await initialized(url, alice)).toBe(200);
    folder.write('crl.pem', await authority.list([alice]));
    await cli.printed(/"event":"tls_files_read".*"revoked":1/);
    expect(await initialized(url, alice)).toEqual(expect.stringMatching(/^E/));
    expect(await initialized(url, await authority.client({ name: 'CN=bob' }))).toBe(200);
  });

  it('is one line and exit code 1 with files that cannot be used', async () => {
    folder.write('key.pem', alice.key);
    const cli = start(['--port', '0', ...PAIR(), '--', ...COMMAND]);
    expect((await cli.end()).code).toBe(1);
    expect(cli.stderr).toMatch(/^tidegate: The key .* does not belong to the certificate\.\n$/);
  });
});

describe('a config with TLS', () => {
  const yaml = (auth: string): string =>
    `listen: { port: 0, tls: { cert: cert.pem, key: key.pem, clientCa: ca.pem, http2: true } }\n` +
    `auth: ${auth}\nservers:\n  one: { command: ${COMMAND[0]}, args: ["${COMMAND[1]}"], ` +
    `env: { PID_FILE: "${join(folder.path, 'pids')}" } }\n`;

  it('lets in who has a certificate or a token, and nobody else', async () => {
    const auth = `[{ mtls: { tenant: { field: o } } }, { token: ${TOKEN} }]`;
    const file = folder.write('tidegate.yaml', yaml(auth));
    const cli = start(['--config', file]);
    const [, url = ''] = await cli.printed(/(https:\/\/127\.0\.0\.1:\d+\/one\/mcp)/);
    expect(await initialized(url, alice)).toBe(200);
    expect(await initialized(url)).toBe(401);
    const stranger = await Authority.create('CN=Stranger');
    expect(await initialized(url, await stranger.client({ name: 'CN=alice, O=acme' }))).toBe(401);
    expect(await initialized(url, await authority.client({ name: 'CN=bob' }))).toBe(401);
  });

  it('is checked with its files, by line', async () => {
    folder.write('key.pem', 'nothing');
    const file = folder.write('tidegate.yaml', yaml('{ mtls: {} }'));
    const cli = start(['check', file]);
    expect((await cli.end()).code).toBe(1);
    expect(cli.stderr).toMatch(
      /:1:\d+ {2}listen\.tls\.key: This file is not a private key in PEM\./,
    );
  });
});
