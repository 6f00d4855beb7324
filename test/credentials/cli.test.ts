/** Tokens of ours as a user of the command has them. */
import { mkdtempSync, readdirSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport } from '@modelcontextprotocol/sdk/client/stdio.js';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { CliProcess } from '../cli-process.ts';
import { ROOT } from '../source-files.ts';
import { server2025 } from '../upstreams/http/hand-server.ts';
import { AuthorizationServer, CLIENT } from './authorization-server.ts';
import { GuardedServer } from './guarded-server.ts';

const INFO = { name: 'host', version: '1' };
const MAIN = join(ROOT, 'dist/cli/main.js');

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

async function scene(): Promise<{
  issuer: AuthorizationServer;
  guarded: GuardedServer;
  folder: string;
}> {
  const issuer = await AuthorizationServer.start();
  const guarded = await GuardedServer.start(issuer);
  guarded.answer = server2025((asked) => {
    if (asked.body.method !== 'server/discover') return false;
    asked.status(400);
    return true;
  });
  const folder = mkdtempSync(join(tmpdir(), 'tidegate-credentials-'));
  onTestFinished(() => rmSync(folder, { recursive: true }));
  return { issuer, guarded, folder };
}

/** A host that starts the command, and a person who opens the page it prints. */
async function host(url: string, folder: string): Promise<{ client: Client; printed: string[] }> {
  const client = new Client(INFO);
  const transport = new StdioClientTransport({
    command: process.execPath,
    args: [MAIN, 'connect', url, '--no-browser'],
    env: { PATH: process.env['PATH'] ?? '', XDG_CONFIG_HOME: folder },
    stderr: 'pipe',
  });
  onTestFinished(() => client.close());
  const printed: string[] = [];
  transport.stderr?.on('data', (chunk: Buffer) => {
    const text = chunk.toString();
    printed.push(text);
    const [page] = /http:\/\/\S+\/authorize\?\S+/.exec(text) ?? [];
    if (page !== undefined) void fetch(page);
  });
  await client.connect(transport);
  return { client, printed };
}

it('connect has its person sign in while the host waits, and only the first time', async () => {
  const { issuer, guarded, folder } = await scene();
  const first = await host(guarded.url, folder);
  expect(first.client.getServerVersion()).toBeDefined();
  expect(first.printed.join('')).toContain('Sign in to 127.0.0.1');
  const second = await host(guarded.url, folder);
  expect(second.printed.join('')).not.toContain('Sign in');
  expect(issuer.tokenRequests.map(({ params }) => params['grant_type'])).toEqual([
    'authorization_code',
  ]);
  const seen = [...first.printed, ...second.printed].join('');
  for (const secret of issuer.secrets()) expect(seen).not.toContain(secret);
});

it('connect keeps no tokens in the current folder where there is no home, and asks nobody to sign in', async () => {
  const { issuer, guarded, folder } = await scene();
  const env = { HOME: '', XDG_CONFIG_HOME: '' };
  const args = ['connect', guarded.url, '--no-browser'];
  const cli = new CliProcess(args, env, MAIN, 'pipe', folder);
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  const params = { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: INFO };
  const initialize = { jsonrpc: '2.0', id: 'a', method: 'initialize', params };
  cli.child.stdin?.write(`${JSON.stringify(initialize)}\n`);
  await cli.printed(/"id":"a","error"/);
  await cli.printed(/There is no home folder to keep tokens in; set HOME\./);
  cli.child.stdin?.end();
  expect(await cli.end()).toEqual({ code: 0, signal: null });
  expect(cli.stderr).not.toContain('Sign in to');
  expect(issuer.tokenRequests).toEqual([]);
  expect(readdirSync(folder)).toEqual([]);
});

it('serves a server with a token of its own, whose secret nobody sees', async () => {
  const { issuer, guarded, folder } = await scene();
  const args = ['--upstream', guarded.url, '--upstream-client-id', CLIENT.clientId];
  const more = ['--upstream-issuer', issuer.issuer, '--upstream-scope', 'read'];
  const cli = new CliProcess([...args, ...more, '--port', '0', '--json'], {
    XDG_CONFIG_HOME: folder,
    TIDEGATE_UPSTREAM_CLIENT_SECRET: CLIENT.clientSecret,
  });
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  const printed = await cli.printed(/^\{.*\}\n/m);
  const facts = JSON.parse(printed[0]) as { urls: { '2025': string } };
  const ready = new URL('/readyz', facts.urls['2025']);
  await expect.poll(async () => (await fetch(ready)).status, { timeout: 10_000 }).toBe(200);
  expect(issuer.tokenRequests[0]?.params).toMatchObject({ scope: 'read' });
  await cli.end('SIGTERM');
  for (const secret of issuer.secrets()) expect(cli.stdout + cli.stderr).not.toContain(secret);
});

const NO_PEM = join(tmpdir(), `tidegate-no-pem-${process.pid}`);
const WRONG: readonly (readonly [string, readonly string[], RegExp])[] = [
  ['a client without its secret', ['--upstream-client-id', 'x'], /TIDEGATE_UPSTREAM_CLIENT_SECRET/],
  ['a scope without a client', ['--upstream-scope', 'x'], /needs --upstream-client-id/],
  ['a proxy that is none', ['--proxy', 'socks5://me:canary@h:1'], /proxy URL must be http/],
  ['certificates that are not there', ['--upstream-ca', '/nowhere.pem'], /cannot be read/],
  ['certificates that are none', ['--upstream-ca', NO_PEM], /no certificate in PEM/],
];

it.each(WRONG)('does not start with %s', async (_what, more, sentence) => {
  writeFileSync(NO_PEM, 'nothing');
  onTestFinished(() => rmSync(NO_PEM, { force: true }));
  const cli = new CliProcess(['--upstream', 'https://mcp.example.com/mcp', ...more], {});
  expect(await cli.ended).toEqual({ code: 2, signal: null });
  expect(cli.stderr).toMatch(sentence);
  expect(cli.stderr).not.toContain('canary');
});
