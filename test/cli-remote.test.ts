/** The command in front of a remote server, as a user runs it. */
import { afterEach, beforeAll, expect, it } from 'vitest';
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { ensureBuilt } from '../scripts/bootstrap.mjs';
import { CliProcess } from './cli-process.ts';
import { HandServer, server2025 } from './upstreams/http/hand-server.ts';

const TOKEN = 'canary-token-0123456789';
const running: CliProcess[] = [];
const folder = mkdtempSync(join(tmpdir(), 'tidegate-remote-'));

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

afterEach(async () => {
  for (const cli of running) if (cli.child.exitCode === null) cli.child.kill('SIGKILL');
  await Promise.all(running.splice(0).map((cli) => cli.ended));
  rmSync(folder, { recursive: true, force: true });
});

function tidegate(args: readonly string[], env: Readonly<Record<string, string>> = {}): CliProcess {
  const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder, ...env });
  running.push(cli);
  return cli;
}

it('V41: serves a remote server, with our credential there and not the client’s', async () => {
  const server = await HandServer.start(server2025(() => false));
  const cli = tidegate(['--upstream', server.url, '--port', '0', '--json'], {
    TIDEGATE_TOKEN: TOKEN,
    TIDEGATE_UPSTREAM_HEADERS: 'Authorization: Bearer ours-canary',
  });
  const facts = JSON.parse((await cli.printed(/^\{.*\}\n/m))[0]) as { urls: { '2025': string } };
  const reply = await fetch(facts.urls['2025'], {
    method: 'POST',
    headers: {
      authorization: `Bearer ${TOKEN}`,
      cookie: 'c=canary',
      'content-type': 'application/json',
      accept: 'application/json, text/event-stream',
    },
    body: JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'initialize',
      params: { protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'x' } },
    }),
  });
  expect(await reply.text()).toContain('hand');
  for (const { request } of server.asked) {
    expect(request.headers.authorization).toBe('Bearer ours-canary');
    expect(JSON.stringify(request.rawHeaders)).not.toContain(TOKEN);
    expect(request.headers.cookie).toBeUndefined();
  }
  expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
  expect(cli.stdout + cli.stderr).not.toContain('canary');
});

it.each([
  ['a path where nothing is', 404, 'nothing is served at the URL'],
  ['a credential that it does not take', 401, 'asks Tidegate for a credential'],
])('says why a server is of no use that has %s', async (_name, status, reason) => {
  const server = await HandServer.start((asked) => asked.status(status));
  const cli = tidegate([
    '--upstream',
    server.url,
    '--port',
    '0',
    '--log-format',
    'json',
    '--no-auth',
  ]);
  await cli.printed(/upstream_unreachable/);
  expect(cli.stderr).toContain(reason);
  expect(cli.stderr).not.toContain('it did not answer');
});

it.each([
  ['http://mcp.example.com/mcp', 'Without TLS only this machine is called'],
  ['https://10.0.0.1/mcp', 'not a public address'],
  ['https://user:s3cret@mcp.example.com/', 'holds a user or a password'],
])('V37: does not start in front of %s', async (url, sentence) => {
  const cli = tidegate(['--upstream', url, '--port', '0']);
  expect(await cli.end()).toEqual({ code: 2, signal: null });
  expect(cli.stderr).toContain(sentence);
  expect(cli.stderr).not.toContain('s3cret');
});
