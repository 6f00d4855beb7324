/** What a person does first: curl, in every era. */
import { spawn, spawnSync } from 'node:child_process';
import { once } from 'node:events';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { metaOf } from '../wire/client-2026.ts';
import { initialize, note, rpc } from '../wire/conversation.ts';
import { Signal } from '../wire/signal.ts';
import type { Json } from '../wire/wire-reply.ts';
import { gateTo, type Gate } from './gate.ts';

const HAS_CURL = spawnSync('curl', ['--version']).status === 0;
const WHY = HAS_CURL ? '' : ' (left out: curl is not installed)';

describe.runIf(HAS_CURL)(`curl${WHY}`, () => {
  let gate: Gate;

  beforeAll(async () => {
    gate = await gateTo('v2');
  });

  afterAll(async () => {
    await gate.close();
  });

  const postOf = (url: URL, body: Json, headers: readonly string[] = []): string[] => [
    '-sS',
    '-i',
    '-N',
    '--max-time',
    '20',
    ...[
      'content-type: application/json',
      'accept: application/json, text/event-stream',
      ...headers,
    ].flatMap((header) => ['-H', header]),
    '--data-binary',
    JSON.stringify(body),
    url.href,
  ];

  it('speaks 2024: a stream in one terminal, posts in another', async () => {
    const stream = new CurlStream(['-sS', '-N', gate.sse.href]);
    try {
      await stream.until(/data: (\S+)\n\n/);
      const endpoint = new URL(/data: (\S+)/.exec(stream.text)?.[1] ?? '', gate.sse);
      for (const body of [initialize('2024-11-05'), note('notifications/initialized')]) {
        expect(await curl(postOf(endpoint, body))).toMatch(/^HTTP\/1\.1 202 /);
      }
      await curl(
        postOf(endpoint, rpc(1, 'tools/call', { name: 'test_simple_text', arguments: {} })),
      );
      await stream.until(/This is a simple text response/);
    } finally {
      await stream.close();
    }
  });

  it('speaks 2025: a session from the handshake to its end', async () => {
    const opened = await curl(postOf(gate.mcp, initialize('2025-11-25')));
    const session = /^mcp-session-id: (\S+)\r$/im.exec(opened)?.[1] ?? '';
    expect(session).not.toBe('');
    const own = [`mcp-session-id: ${session}`];
    expect(await curl(postOf(gate.mcp, note('notifications/initialized'), own))).toContain(' 202 ');
    const call = rpc(2, 'tools/call', {
      name: 'test_tool_with_progress',
      arguments: {},
      _meta: { progressToken: 'p' },
    });
    const answered = await curl(postOf(gate.mcp, call, own));
    expect(answered).toContain('Content-Type: text/event-stream');
    expect(answered.match(/notifications\/progress/g)).toHaveLength(3);
    expect(answered.trimEnd()).toMatch(/"id":2,"result".*$/);
    const ended = await curl(['-sS', '-i', '-X', 'DELETE', '-H', own[0] ?? '', gate.mcp.href]);
    expect(ended).toMatch(/^HTTP\/1\.1 204 /);
    expect(await curl(postOf(gate.mcp, rpc(3, 'ping'), own))).toMatch(/^HTTP\/1\.1 404 /);
  });

  it('speaks 2026: one request and its answer', async () => {
    const params = { name: 'test_simple_text', arguments: {}, _meta: metaOf() };
    const answered = await curl(
      postOf(gate.mcp, rpc(1, 'tools/call', params), [
        'mcp-protocol-version: 2026-07-28',
        'mcp-method: tools/call',
        'mcp-name: test_simple_text',
      ]),
    );
    expect(answered).toMatch(/^HTTP\/1\.1 200 /);
    expect(answered).toContain('This is a simple text response');
  });

  it('sends a body without a word about its type, and is told in JSON what is wrong', async () => {
    const answered = await curl(['-sS', '-i', '--data-binary', '{}', gate.mcp.href]);
    expect(answered).toMatch(/^HTTP\/1\.1 415 /);
    expect(answered).toContain('"message":"Send Content-Type: application/json');
  });

  it('asks for compression and HTTP/2, and gets what there is', async () => {
    const answered = await curl([
      '--compressed',
      '--http2',
      ...postOf(gate.mcp, initialize('2025-11-25')),
    ]);
    expect(answered).toContain('everything-v2');
  });
});

async function curl(args: readonly string[]): Promise<string> {
  const child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'pipe'] });
  let text = '';
  child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  child.stderr.setEncoding('utf8').on('data', (chunk: string) => {
    text += chunk;
  });
  await once(child, 'close');
  return text;
}

/** A curl that goes on, and what it has printed so far. */
class CurlStream {
  text = '';
  readonly #child;
  readonly #signal = new Signal();

  constructor(args: readonly string[]) {
    this.#child = spawn('curl', args, { stdio: ['ignore', 'pipe', 'ignore'] });
    this.#child.stdout.setEncoding('utf8').on('data', (chunk: string) => {
      this.text += chunk;
      this.#signal.fire();
    });
  }

  async until(pattern: RegExp): Promise<void> {
    await this.#signal.until(
      () => pattern.test(this.text),
      String(pattern),
      () => this.text,
    );
  }

  async close(): Promise<void> {
    const closed = once(this.#child, 'close');
    this.#child.kill('SIGKILL');
    await closed;
  }
}
