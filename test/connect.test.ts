/** `tidegate connect` as a desktop host runs it, to servers of every era. */
import { once } from 'node:events';
import { join } from 'node:path';
import { PassThrough } from 'node:stream';
import { Client as ClientV2 } from '@modelcontextprotocol/client';
import { StdioClientTransport as StdioV2 } from '@modelcontextprotocol/client/stdio';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import { StdioClientTransport as StdioV1 } from '@modelcontextprotocol/sdk/client/stdio.js';
import { CreateMessageRequestSchema } from '@modelcontextprotocol/sdk/types.js';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import { ensureBuilt } from '../scripts/bootstrap.mjs';
import { connectCommand, UNHEARD_MS_MAX } from '../src/cli/connect-command.ts';
import { readConnectLine } from '../src/cli/connect-line.ts';
import { CliProcess } from './cli-process.ts';
import { everythingV2InRounds } from './fixtures/servers/everything-v2.mjs';
import { serveHttpV1, type HttpV1 } from './fixtures/servers/http-v1.mjs';
import { serveHttpV2 } from './fixtures/servers/http-v2.mjs';
import { ROOT } from './source-files.ts';
import { HandServer, server2025 } from './upstreams/http/hand-server.ts';
import { eventually } from './wire/signal.ts';

const MAIN = join(ROOT, 'dist/cli/main.js');
const INFO = { name: 'host', version: '1.0.0' };
const INITIALIZE = {
  jsonrpc: '2.0',
  id: 'a',
  method: 'initialize',
  params: { protocolVersion: '2025-06-18', capabilities: {}, clientInfo: INFO },
};

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

async function v1(): Promise<HttpV1> {
  const server = await serveHttpV1();
  onTestFinished(() => server.close());
  return server;
}

async function modernOnly(): Promise<string> {
  const server = await serveHttpV2({ build: everythingV2InRounds, legacy: 'reject' });
  onTestFinished(() => server.close());
  return `${server.origin}/mcp`;
}

function command(url: string): { command: string; args: string[]; stderr: 'inherit' } {
  return { command: process.execPath, args: [MAIN, 'connect', url], stderr: 'inherit' };
}

describe.each([
  ['2025', async () => `${(await v1()).origin}/mcp`],
  ['2024', async () => `${(await v1()).origin}/sse`],
  ['2026 alone', modernOnly],
] as const)('a server of %s', (_name, url) => {
  it('serves a host of the handshake eras: calls, progress, questions', async () => {
    const client = new ClientV1(INFO, { capabilities: { sampling: {} } });
    client.setRequestHandler(CreateMessageRequestSchema, () => ({
      role: 'assistant',
      model: 'm',
      content: { type: 'text', text: 'a canary' },
    }));
    onTestFinished(() => client.close());
    await client.connect(new StdioV1(command(await url())));
    const seen: number[] = [];
    const onprogress = ({ progress }: { progress: number }): void => void seen.push(progress);
    await client.callTool({ name: 'test_tool_with_progress' }, undefined, { onprogress });
    expect(seen).toEqual([0, 50, 100]);
    const asked = await client.callTool({ name: 'test_sampling', arguments: { prompt: 'x' } });
    expect(JSON.stringify(asked)).toContain('a canary');
  });
});

it('serves a host of the stateless revision', async () => {
  const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  onTestFinished(() => client.close());
  await client.connect(new StdioV2(command(await modernOnly())));
  const result = await client.callTool({ name: 'test_simple_text' });
  expect(JSON.stringify(result)).toContain('simple text');
});

it('ends with its host, and ends its session at the server', async () => {
  const server = await v1();
  const client = new ClientV1(INFO);
  const transport = new StdioV1(command(`${server.origin}/mcp`));
  await client.connect(transport);
  expect(server.sessions()).toBe(1);
  await client.close();
  await eventually(() => server.sessions() === 0, 'the end of the session');
  expect(transport.pid).toBeNull();
});

it('answers a line that is no message, and goes on', async () => {
  const server = await HandServer.start(server2025(() => false));
  const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  cli.child.stdin?.write('what?\n\n{"jsonrpc":"2.0","id":"a","method":"initialize","params":{');
  cli.child.stdin?.write('"protocolVersion":"2025-06-18","capabilities":{},"clientInfo":{}}}\n');
  await cli.printed(/"id":"a","result".*\n/);
  const [first, second] = cli.stdout
    .trim()
    .split('\n')
    .map((line) => JSON.parse(line) as object);
  expect(first).toMatchObject({ id: null, error: { code: -32700 } });
  expect(second).toMatchObject({ id: 'a', result: { serverInfo: { name: 'hand' } } });
  cli.child.stdin?.end();
  expect(await cli.end()).toEqual({ code: 0, signal: null });
});

it('takes what a host says before its handshake was answered', async () => {
  const cli = new CliProcess(['connect', `${(await v1()).origin}/mcp`], {}, MAIN, 'pipe');
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  const confirm = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const list = { jsonrpc: '2.0', id: 'b', method: 'tools/list' };
  for (const message of [INITIALIZE, confirm, list]) {
    cli.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
  await cli.printed(/"id":"b","result".*\n/);
  cli.child.stdin?.end();
  expect(await cli.end()).toEqual({ code: 0, signal: null });
});

it('answers what a host says before its handshake was refused', async () => {
  const server = await HandServer.start((asked) => asked.status(500));
  const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  const confirm = { jsonrpc: '2.0', method: 'notifications/initialized' };
  const list = { jsonrpc: '2.0', id: 'b', method: 'tools/list' };
  for (const message of [INITIALIZE, confirm, list]) {
    cli.child.stdin?.write(`${JSON.stringify(message)}\n`);
  }
  await cli.printed(/"id":"b","error".*\n/);
  expect(cli.stdout).toMatch(/"id":"a","error".*\n/);
  cli.child.stdin?.end();
  expect(await cli.end()).toEqual({ code: 0, signal: null });
});

it.each([
  ['http://10.0.0.1/mcp', 2, 'Without TLS only this machine is called'],
  ['nowhere', 2, 'Give an absolute URL'],
])('does not connect to %s', async (url, code, sentence) => {
  const cli = new CliProcess(['connect', url], {});
  expect(await cli.end()).toEqual({ code, signal: null });
  expect(cli.stderr).toContain(sentence);
  expect(cli.stdout).toBe('');
});

it('tells in the log what the server did, and nothing that our own side answers for it', async () => {
  const server = await HandServer.start((asked) => asked.status(500));
  const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  cli.child.stdin?.write(`${JSON.stringify(INITIALIZE)}\n`);
  await cli.printed(/"id":"a","error".*\n/);
  await cli.printed(/"event":"upstream_unreachable"/);
  cli.child.stdin?.end();
  await cli.end();
  const failures = cli.stderr.split('\n').filter((line) => line.includes('upstream_call_failed'));
  expect(failures.length).toBeGreaterThan(0);
  for (const line of failures) expect(line).toContain('HTTP status 500');
});

it('answers why the server cannot be reached, and says so in the log', async () => {
  const client = new ClientV1(INFO);
  onTestFinished(() => client.close());
  const transport = new StdioV1({ ...command('http://127.0.0.1:1/mcp'), stderr: 'pipe' });
  let log = '';
  transport.stderr?.on('data', (chunk: Buffer) => {
    log += chunk.toString();
  });
  await expect(client.connect(transport)).rejects.toThrow('upstream unavailable: ECONNREFUSED');
  // Standard error is another pipe than the answer's.
  await vi.waitFor(() => expect(log).toContain('ECONNREFUSED'), 10_000);
});

it('answers in a sentence why the server refuses it, and repeats none of its words', async () => {
  const error = { code: -32600, message: 'Bearer canary is no good.' };
  const server = await HandServer.start((asked) =>
    asked.json({ jsonrpc: '2.0', id: null, error }, {}, 401),
  );
  const secret = ['--header', 'Authorization: Bearer canary'];
  const cli = new CliProcess(['connect', server.url, ...secret], {}, MAIN, 'pipe');
  onTestFinished(() => void cli.child.kill('SIGKILL'));
  cli.child.stdin?.write(`${JSON.stringify(INITIALIZE)}\n`);
  const sentence = 'asks Tidegate for a credential, or for another one than it was sent';
  await cli.printed(new RegExp(`"id":"a","error".*${sentence}.*HTTP status 401`));
  await cli.printed(new RegExp(`"event":"upstream_unreachable".*${sentence}`));
  cli.child.stdin?.end();
  await cli.end();
  expect(cli.stdout + cli.stderr).not.toContain('canary');
});

const CONFIRM = { jsonrpc: '2.0', method: 'notifications/initialized' };
const CALL = { jsonrpc: '2.0', id: 'b', method: 'tools/call', params: { name: 'slow' } };
const ASKED = { ...INITIALIZE.params, capabilities: { elicitation: {} } };
const REQUESTS = [{ ...INITIALIZE, params: ASKED }, CONFIRM, CALL]
  .map((each) => JSON.stringify(each))
  .join('\n');

const QUESTION = {
  method: 'elicitation/create',
  params: { message: '?', requestedSchema: { type: 'object', properties: {} } },
};

/** A server that answers calls when the test wants it to. */
function slowServer(): Promise<HandServer> {
  return HandServer.start(server2025(({ body }) => body.method === 'tools/call'));
}

describe('a host that ends its input', () => {
  it('gets the answers to what it asked, and then all ends', async () => {
    const server = await slowServer();
    const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
    onTestFinished(() => void cli.child.kill('SIGKILL'));
    // Not even the last line is ended.
    cli.child.stdin?.end(REQUESTS);
    const call = await server.until(1, 'tools/call');
    call.result({ content: [] });
    expect(await cli.end()).toEqual({ code: 0, signal: null });
    expect(cli.stdout).toContain('{"jsonrpc":"2.0","id":"b","result":{"content":[]}}\n');
    expect(server.asked.at(-1)?.method).toBe('DELETE');
  });

  it('is asked nothing: its servers are told that nobody is left to answer', async () => {
    const server = await slowServer();
    const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
    onTestFinished(() => void cli.child.kill('SIGKILL'));
    cli.child.stdin?.write(`${REQUESTS}\n`);
    const call = await server.until(1, 'tools/call');
    call.event({ jsonrpc: '2.0', id: 'early', ...QUESTION });
    await cli.printed(/"method":"elicitation\/create"/);
    cli.child.stdin?.end();
    await eventually(() => answerTo(server, 'early') !== undefined, 'the answer to the first');
    call.event({ jsonrpc: '2.0', id: 'late', ...QUESTION });
    await eventually(() => answerTo(server, 'late') !== undefined, 'the answer to the second');
    for (const id of ['early', 'late']) expect(answerTo(server, id)).toContain('"code":-32603');
    call.event({ jsonrpc: '2.0', id: call.body.id, result: {} });
    expect(await cli.end()).toEqual({ code: 0, signal: null });
    expect(cli.stdout.match(/"method":"elicitation\/create"/g)).toHaveLength(1);
    expect(cli.stdout).toContain('"id":"b","result"');
  });

  it('is waited for as long as said, and told what had no answer then', async () => {
    const server = await slowServer();
    const line = readConnectLine([server.url, '--log-level', 'silent'], {});
    if (line.kind !== 'connect') throw new Error('It is one.');
    const [input, output] = [new PassThrough(), new PassThrough()];
    const around = { env: {}, version: '1', isTerminal: false };
    const outcome = await connectCommand(line.options, { input, output }, around);
    if (outcome.kind !== 'connected') throw new Error(outcome.reason);
    input.write(`${REQUESTS}\n`);
    await server.until(1, 'tools/call');
    let isOver = false;
    const ended = outcome.connection.ended.finally(() => {
      isOver = true;
    });
    vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    onTestFinished(() => void vi.useRealTimers());
    input.end();
    await once(input, 'end');
    vi.advanceTimersByTime(UNHEARD_MS_MAX - 1);
    await new Promise((resolve) => setImmediate(resolve));
    expect(isOver).toBe(false);
    vi.advanceTimersByTime(1);
    expect(await ended).toBe(0);
    expect(String(output.read())).toContain('"id":"b","error":{"code":-32010');
  });

  it('is not waited for after a signal', async () => {
    const server = await slowServer();
    const cli = new CliProcess(['connect', server.url], {}, MAIN, 'pipe');
    onTestFinished(() => void cli.child.kill('SIGKILL'));
    cli.child.stdin?.end(REQUESTS);
    await server.until(1, 'tools/call');
    expect(await cli.end('SIGTERM')).toEqual({ code: 0, signal: null });
    expect(cli.stdout).toContain('"id":"b","error":{"code":-32010');
  });
});

/** What the server was answered, as JSON. */
function answerTo(server: HandServer, id: string): string | undefined {
  const texts = server.asked.map(({ body }) => JSON.stringify(body));
  return texts.find((text) => text.includes(`"id":"${id}"`) && text.includes('"error"'));
}
