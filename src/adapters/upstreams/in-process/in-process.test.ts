import { McpServer as McpServerV1 } from '@modelcontextprotocol/sdk/server/mcp.js';
import type { Server as ServerV1 } from '@modelcontextprotocol/sdk/server/index.js';
import type { Transport as TransportV1 } from '@modelcontextprotocol/sdk/shared/transport.js';
import { CreateMessageResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { McpServer as McpServerV2 } from '@modelcontextprotocol/server';
import type { Server as ServerV2, Transport as TransportV2 } from '@modelcontextprotocol/server';
import { afterEach, beforeEach, describe, expect, expectTypeOf, test, vi } from 'vitest';
import { z } from 'zod';
import type { Upstream, UpstreamConnection, UpstreamEra } from '../../../core/ports.ts';
import { Message } from '../../../core/protocol/message.ts';
import { inProcess } from './in-process.ts';
import type { InProcessTransport } from './in-process-transport.ts';
import type { ServerFactory } from './sdk-server.ts';

interface Heard {
  readonly kind: 'message' | 'oversized' | 'close-stream' | 'closed';
  readonly message?: Message;
  readonly text: string;
  readonly relatedTo?: string | undefined;
}

/** One conversation: sends JSON, hears everything, and waits for what is asked for. */
class Conversation {
  readonly heard: Heard[] = [];
  readonly connection: UpstreamConnection;
  #waiting: { matches: (heard: Heard) => boolean; done: (heard: Heard) => void }[] = [];

  constructor(upstream: Upstream, era: UpstreamEra) {
    this.connection = upstream.connect(era, {
      onMessage: (message, relatedTo) =>
        this.#hear({ kind: 'message', message, text: message.toText(), relatedTo }),
      onOversized: (id) => this.#hear({ kind: 'oversized', text: String(id) }),
      onCloseStream: (id) => this.#hear({ kind: 'close-stream', text: id }),
      onClosed: (cause, detail) => this.#hear({ kind: 'closed', text: `${cause}: ${detail}` }),
    });
  }

  request(id: number, method: string, params?: object): void {
    this.connection.send(Message.request(String(id), method, params && JSON.stringify(params)));
  }

  notify(method: string, params?: object): void {
    this.connection.send(Message.notification(method, params && JSON.stringify(params)));
  }

  async call(id: number, method: string, params?: object): Promise<Record<string, unknown>> {
    this.request(id, method, params);
    return this.answer(id);
  }

  async answer(id: number): Promise<Record<string, unknown>> {
    const { text } = await this.until(
      (heard) => heard.message?.kind === 'response' && heard.message.id === String(id),
    );
    return JSON.parse(text) as Record<string, unknown>;
  }

  async method(method: string): Promise<Heard> {
    return this.until((heard) => heard.message?.method === method);
  }

  async until(matches: (heard: Heard) => boolean): Promise<Heard> {
    const already = this.heard.find(matches);
    return already ?? new Promise((done) => this.#waiting.push({ matches, done }));
  }

  async initialize(capabilities: object = {}): Promise<Record<string, unknown>> {
    const answer = await this.call(0, 'initialize', {
      protocolVersion: '2025-11-25',
      capabilities,
      clientInfo: { name: 'test', version: '1' },
    });
    this.notify('notifications/initialized');
    return answer;
  }

  #hear(heard: Heard): void {
    this.heard.push(heard);
    const due = this.#waiting.filter(({ matches }) => matches(heard));
    this.#waiting = this.#waiting.filter((waiting) => !due.includes(waiting));
    due.forEach(({ done }) => done(heard));
  }
}

/** A handler's point to wait at, opened by the test. */
class Gate {
  readonly opened: Promise<void>;
  open: () => void = () => {};
  constructor() {
    this.opened = new Promise((resolve) => {
      this.open = resolve;
    });
  }
}

const upstreams: Upstream[] = [];
function talk(factory: ServerFactory, era: UpstreamEra = 'legacy', options = {}): Conversation {
  const upstream = inProcess(factory, options);
  upstreams.push(upstream);
  return new Conversation(upstream, era);
}

afterEach(async () => {
  await Promise.all(upstreams.splice(0).map((upstream) => upstream.close()));
});

const META = {
  'io.modelcontextprotocol/protocolVersion': '2026-07-28',
  'io.modelcontextprotocol/clientInfo': { name: 'test', version: '1' },
  'io.modelcontextprotocol/clientCapabilities': {},
};

function serverV1(aborted?: Gate): McpServerV1 {
  const server = new McpServerV1({ name: 'v1', version: '1' });
  server.registerTool('echo', { inputSchema: { text: z.string() } }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  server.registerTool('progress', {}, async (extra) => {
    const progressToken = extra._meta?.progressToken ?? 'none';
    const params = { progressToken, progress: 1, total: 2 };
    await extra.sendNotification({ method: 'notifications/progress', params });
    return { content: [] };
  });
  server.registerTool('sample', {}, async (extra) => {
    const params = { messages: [], maxTokens: 5 };
    const request = { method: 'sampling/createMessage' as const, params };
    const { model } = await extra.sendRequest(request, CreateMessageResultSchema);
    return { content: [{ type: 'text', text: model }] };
  });
  server.registerTool('wait', {}, async ({ signal }) => {
    await new Promise((resolve) => signal.addEventListener('abort', resolve));
    aborted?.open();
    return { content: [] };
  });
  server.registerTool('poll', {}, (extra) => {
    extra.closeSSEStream?.();
    return { content: [] };
  });
  server.registerTool('bigint', {}, () => ({ content: [], structuredContent: { n: 1n } }));
  server.registerTool('grow', {}, () => {
    server.registerTool('grown', {}, () => ({ content: [] }));
    return { content: [] };
  });
  server.registerTool('leave', {}, async () => {
    await server.close();
    return { content: [] };
  });
  return server;
}

function serverV2(gate?: Gate): McpServerV2 {
  const server = new McpServerV2({ name: 'v2', version: '1' });
  server.registerTool('echo', { inputSchema: z.object({ text: z.string() }) }, ({ text }) => ({
    content: [{ type: 'text', text }],
  }));
  server.registerTool('progress', {}, async (ctx) => {
    const progressToken = ctx.mcpReq._meta?.progressToken ?? 'none';
    await ctx.mcpReq.notify({
      method: 'notifications/progress',
      params: { progressToken, progress: 1 },
    });
    return { content: [] };
  });
  server.registerTool('wait', {}, async () => {
    await gate?.opened;
    return { content: [{ type: 'text', text: 'late' }] };
  });
  server.registerTool('poll', {}, (ctx) => {
    ctx.http?.closeSSE?.();
    return { content: [] };
  });
  server.registerTool('grow', {}, () => {
    server.registerTool('grown', {}, () => ({ content: [] }));
    return { content: [] };
  });
  return server;
}

test('one transport class fits both majors of the SDK, and so do their servers', () => {
  expectTypeOf<InProcessTransport>().toExtend<TransportV1>();
  expectTypeOf<InProcessTransport>().toExtend<TransportV2>();
  expectTypeOf<() => McpServerV1>().toExtend<ServerFactory>();
  expectTypeOf<() => ServerV1>().toExtend<ServerFactory>();
  expectTypeOf<() => Promise<McpServerV2>>().toExtend<ServerFactory>();
  expectTypeOf<() => ServerV2>().toExtend<ServerFactory>();
});

describe.each([
  ['v1', serverV1],
  ['v2', serverV2],
] as const)('a legacy conversation with an SDK %s server', (name, build) => {
  test('answers initialize and tools/call', async () => {
    const talking = talk(() => build());
    expect(await talking.initialize()).toMatchObject({
      result: { protocolVersion: '2025-11-25', serverInfo: { name } },
    });
    const params = { name: 'echo', arguments: { text: 'hé\n' } };
    expect(await talking.call(1, 'tools/call', params)).toMatchObject({
      jsonrpc: '2.0',
      id: 1,
      result: { content: [{ type: 'text', text: 'hé\n' }] },
    });
  });

  test('tells which call progress belongs to, and where its token lies', async () => {
    const talking = talk(async () => build());
    await talking.initialize();
    await talking.call(41, 'tools/call', { name: 'progress', _meta: { progressToken: 99 } });
    const { message, relatedTo } = await talking.method('notifications/progress');
    expect(relatedTo).toBe('41');
    expect(message?.token(message.spans.progressToken)).toBe('99');
    expect(message?.value).toMatchObject({ progressToken: 99 });
  });

  test('asks to end the reply stream of the call that wants to be polled', async () => {
    const talking = talk(() => build());
    await talking.initialize();
    await talking.call(7, 'tools/call', { name: 'poll' });
    expect(talking.heard).toContainEqual({ kind: 'close-stream', text: '7' });
  });

  test('says when the list of tools changed', async () => {
    const talking = talk(() => build());
    await talking.initialize();
    await talking.call(1, 'tools/call', { name: 'grow' });
    await talking.method('notifications/tools/list_changed');
  });

  test('answers a call whose params do not fit, and serves the next', async () => {
    const talking = talk(() => build());
    await talking.initialize();
    expect(await talking.call(1, 'tools/call', { _meta: 5 })).toMatchObject({
      error: { code: -32602 },
    });
    expect(await talking.call(2, 'tools/call', [])).toMatchObject({ error: { code: -32602 } });
    expect(await talking.call(3, 'ping')).toMatchObject({ result: {} });
  });
});

describe('an SDK v1 server', () => {
  test('asks its client and goes on with the answer', async () => {
    const talking = talk(() => serverV1());
    await talking.initialize({ sampling: {} });
    talking.request(3, 'tools/call', { name: 'sample' });
    const { message, relatedTo } = await talking.method('sampling/createMessage');
    expect(relatedTo).toBe('3');
    const answer = { role: 'assistant', model: 'm1', content: { type: 'text', text: '' } };
    talking.connection.send(Message.result(message?.id ?? '', JSON.stringify(answer)));
    expect(await talking.answer(3)).toMatchObject({ result: { content: [{ text: 'm1' }] } });
  });

  test('hears that a call is cancelled and does not answer it', async () => {
    const aborted = new Gate();
    const talking = talk(() => serverV1(aborted));
    await talking.initialize();
    talking.request(5, 'tools/call', { name: 'wait' });
    await talking.call(6, 'ping');
    talking.notify('notifications/cancelled', { requestId: 5 });
    await aborted.opened;
    await talking.call(7, 'ping');
    expect(talking.heard.some(({ message }) => message?.id === '5')).toBe(false);
  });

  test('fails only the one call whose result has no JSON form', async () => {
    const talking = talk(() => serverV1());
    await talking.initialize();
    talking.request(1, 'tools/call', { name: 'bigint' });
    talking.request(2, 'ping');
    expect(await talking.answer(1)).toMatchObject({ error: { code: -32603 } });
    expect(await talking.answer(2)).toMatchObject({ result: {} });
  });

  test('answers every modern request with method not found', async () => {
    const upstream = inProcess(() => serverV1());
    upstreams.push(upstream);
    for (let attempt = 0; attempt < 2; attempt += 1) {
      const talking = new Conversation(upstream, 'modern');
      expect(await talking.call(1, 'server/discover', { _meta: META })).toMatchObject({
        error: { code: -32601 },
      });
    }
  });

  test('ends the conversation when it closes itself', async () => {
    const talking = talk(() => serverV1());
    await talking.initialize();
    talking.request(1, 'tools/call', { name: 'leave' });
    const { text } = await talking.until(({ kind }) => kind === 'closed');
    expect(text).toMatch(/^exited/);
    expect(talking.connection.send(Message.request('2', 'ping'))).toBe('closed');
  });

  test('has a too large result reported instead of sent', async () => {
    const talking = talk(() => serverV1(), 'legacy', { limits: { upstreamLineBytesMax: 2000 } });
    await talking.initialize();
    const params = { name: 'echo', arguments: { text: 'x'.repeat(3000) } };
    talking.request(1, 'tools/call', params);
    expect((await talking.until(({ kind }) => kind === 'oversized')).text).toBe('1');
  });
});

describe('a modern conversation with an SDK v2 server', () => {
  test('answers discover and calls, interleaved, from one instance', async () => {
    const gate = new Gate();
    let built = 0;
    const talking = talk(() => {
      built += 1;
      return serverV2(gate);
    }, 'modern');
    expect(await talking.call(1, 'server/discover', { _meta: META })).toMatchObject({
      result: { supportedVersions: ['2026-07-28'] },
    });
    talking.request(2, 'tools/call', { name: 'wait', _meta: META });
    const echo = { name: 'echo', arguments: { text: 'first' }, _meta: META };
    expect(await talking.call(3, 'tools/call', echo)).toMatchObject({
      result: { resultType: 'complete', content: [{ text: 'first' }] },
    });
    gate.open();
    expect(await talking.answer(2)).toMatchObject({ result: { content: [{ text: 'late' }] } });
    expect(built).toBe(1);
  });

  test('relates progress to its call', async () => {
    const talking = talk(() => serverV2(), 'modern');
    const _meta = { ...META, progressToken: 8 };
    await talking.call(4, 'tools/call', { name: 'progress', _meta });
    const { message, relatedTo } = await talking.method('notifications/progress');
    expect(relatedTo).toBe('4');
    expect(message?.token(message.spans.progressToken)).toBe('8');
  });

  test('serves listen streams: acknowledged, stamped, and ended with a result', async () => {
    const talking = talk(() => serverV2(), 'modern');
    const notifications = { toolsListChanged: true };
    talking.request(10, 'subscriptions/listen', { notifications, _meta: META });
    const acknowledged = await talking.method('notifications/subscriptions/acknowledged');
    const { message } = acknowledged;
    expect(message?.token(message.spans.subscriptionId)).toBe('10');
    await talking.call(11, 'tools/call', { name: 'grow', _meta: META });
    const changed = (await talking.method('notifications/tools/list_changed')).message;
    expect(changed?.token(changed.spans.subscriptionId)).toBe('10');
    talking.connection.close();
    expect(await talking.answer(10)).toMatchObject({ result: { resultType: 'complete' } });
    expect((await talking.until(({ kind }) => kind === 'closed')).text).toMatch(/^closed/);
  });

  test('is not thrown back to the other era by a cancellation right after discover', async () => {
    const talking = talk(() => serverV2(), 'modern');
    await talking.call(1, 'server/discover', { _meta: META });
    talking.notify('notifications/cancelled', { requestId: 1 });
    const echo = { name: 'echo', arguments: { text: 'still' }, _meta: META };
    expect(await talking.call(2, 'tools/call', echo)).toMatchObject({
      result: { resultType: 'complete' },
    });
  });
});

describe('the life of a conversation', () => {
  test.each([
    [
      'throws',
      (): McpServerV1 => {
        throw new Error('no database');
      },
    ],
    ['rejects', async (): Promise<McpServerV1> => Promise.reject(new Error('no database'))],
  ])('a factory that %s ends it as start-failed, after connect returned', async (_, factory) => {
    const talking = talk(factory);
    expect(talking.heard).toEqual([]);
    talking.request(1, 'ping');
    const { text } = await talking.until(({ kind }) => kind === 'closed');
    // Its message is the server's own, and may hold what is nobody's.
    expect(text).toMatch(/^start-failed: Error at .*in-process\.test\.ts:\d+/);
    expect(talking.heard).toHaveLength(1);
  });

  test('a server handed out twice is a failed start, and the first goes on', async () => {
    const server = serverV1();
    const upstream = inProcess(() => server);
    upstreams.push(upstream);
    const first = new Conversation(upstream, 'legacy');
    await first.initialize();
    const second = new Conversation(upstream, 'legacy');
    expect((await second.until(({ kind }) => kind === 'closed')).text).toMatch(/^start-failed/);
    expect(await first.call(1, 'ping')).toMatchObject({ result: {} });
  });

  test('send never runs the server in the stack of its caller', async () => {
    const connected = new Gate();
    const delivered = new Gate();
    let isDelivered = false;
    const talking = talk(() => ({
      connect: async (transport) => {
        transport.onmessage = () => {
          isDelivered = true;
          delivered.open();
        };
        connected.open();
      },
      close: async () => {},
    }));
    await connected.opened;
    talking.request(1, 'ping');
    expect(isDelivered).toBe(false);
    await delivered.opened;
  });

  test.each<[string, () => unknown]>([
    [
      'throws',
      () => {
        throw new Error('broken');
      },
    ],
    ['rejects', async () => Promise.reject(new Error('broken'))],
  ])('a listener that %s answers its request with an error, and ends nothing', async (_, fail) => {
    const told: unknown[] = [];
    const talking = talk(() => ({
      connect: async (transport) => {
        transport.onmessage = fail;
        transport.onerror = (error) => {
          told.push(error.message);
          throw error;
        };
      },
      close: async () => {},
    }));
    const error = { code: -32603, message: 'Internal error.' };
    expect(await talking.call(1, 'ping')).toMatchObject({ error });
    expect(await talking.call(2, 'ping')).toMatchObject({ error });
    expect(told).toEqual(['broken', 'broken']);
  });

  test('what waits for a slow factory is bounded, and delivered in order', async () => {
    const gate = new Gate();
    const options = { limits: { upstreamQueueBytesMax: 300 } };
    const build = async (): Promise<McpServerV1> => gate.opened.then(() => serverV1());
    const talking = talk(build, 'legacy', options);
    const answer = talking.initialize();
    const big = Message.notification('notifications/x', JSON.stringify({ x: 'x'.repeat(300) }));
    expect(talking.connection.send(big)).toBe('full');
    gate.open();
    expect(await answer).toMatchObject({ result: {} });
  });

  test('closing while the factory still works closes what it returns later', async () => {
    const gate = new Gate();
    const closed = new Gate();
    const upstream = inProcess(async () => {
      await gate.opened;
      return { connect: async () => {}, close: async () => closed.open() };
    });
    const talking = new Conversation(upstream, 'legacy');
    await upstream.close();
    expect(talking.heard.map(({ kind }) => kind)).toEqual(['closed']);
    gate.open();
    await closed.opened;
  });

  describe('with a server whose close never ends', () => {
    let transport: InProcessTransport | undefined;
    const stuck: ServerFactory = () => ({
      connect: async (its: unknown) => {
        transport = its as InProcessTransport;
      },
      close: async () => new Promise<void>(() => {}),
    });

    beforeEach(() => {
      vi.useFakeTimers({ toFake: ['setTimeout', 'clearTimeout'] });
    });
    afterEach(() => {
      vi.useRealTimers();
    });

    test('is over at once when the server closed its transport', async () => {
      const talking = new Conversation(inProcess(stuck, { sdk: 'v1' }), 'legacy');
      talking.request(1, 'tools/call', { name: 'wait' });
      await vi.waitFor(() => expect(transport).toBeDefined());
      await transport?.close();
      expect((await talking.until(({ kind }) => kind === 'closed')).text).toMatch(/^exited/);
      await vi.advanceTimersByTimeAsync(10_000);
      expect(talking.heard).toHaveLength(1);
      expect(vi.getTimerCount()).toBe(0);
    });

    test('is over after a while when it is closed by us, and so is the upstream', async () => {
      const upstream = inProcess(stuck, { sdk: 'v1' });
      const talking = new Conversation(upstream, 'legacy');
      await vi.advanceTimersByTimeAsync(0);
      const closing = upstream.close();
      await vi.advanceTimersByTimeAsync(10_000);
      await closing;
      expect(talking.heard.map(({ text }) => text)).toEqual(['closed: closed by us']);
      expect(vi.getTimerCount()).toBe(0);
    });
  });

  test('closing the upstream ends every conversation exactly once', async () => {
    const upstream = inProcess(() => serverV2());
    const all = [new Conversation(upstream, 'legacy'), new Conversation(upstream, 'modern')];
    await all[0]?.initialize();
    await all[1]?.call(1, 'server/discover', { _meta: META });
    all[0]?.connection.close();
    await upstream.close();
    await upstream.close();
    for (const { heard } of all) {
      expect(heard.filter(({ kind }) => kind === 'closed')).toHaveLength(1);
      expect(heard.at(-1)?.text).toMatch(/^closed/);
    }
  });
});
