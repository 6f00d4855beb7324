/** Clients of each era over our transport, to servers that speak one era alone: nothing is lost. */
import { Client as ClientV2, type VersionNegotiationMode } from '@modelcontextprotocol/client';
import { Client as ClientV1 } from '@modelcontextprotocol/sdk/client/index.js';
import {
  CreateMessageRequestSchema,
  ElicitRequestSchema,
  ListRootsRequestSchema,
  LoggingMessageNotificationSchema,
  ToolListChangedNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { TidegateClientTransport } from 'tidegate/client';
import { everythingV1 } from '../fixtures/servers/everything-v1.mjs';
import { everythingV2InRounds } from '../fixtures/servers/everything-v2.mjs';
import { serveHttpV1 } from '../fixtures/servers/http-v1.mjs';
import { serveHttpV2 } from '../fixtures/servers/http-v2.mjs';
import { eventually } from '../wire/signal.ts';

const INFO = { name: 'test', version: '1.0.0' };
const ELICITED = { action: 'accept' as const, content: { response: 'a word' } };
const SAMPLED = {
  role: 'assistant' as const,
  model: 'parrot',
  content: { type: 'text' as const, text: 'a canary' },
};
const ROOTS = { roots: [{ uri: 'file:///home/ann', name: 'home' }] };
const CAN_ALL = { elicitation: {}, sampling: {}, roots: {} };

interface Server {
  readonly url: string;
  /** Makes the server say that its tools changed. */
  readonly change: (client: Person) => Promise<void>;
}

interface CallOptions {
  readonly onProgress?: (progress: number) => void;
  readonly signal?: AbortSignal;
}

/** A client and what it heard. */
interface Person {
  readonly logs: unknown[];
  readonly changes: string[];
  tools(): Promise<number>;
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  /** The same call, with every log of it. */
  callLogged(name: string): Promise<string>;
  watchTools(): Promise<void>;
}

const withWaiting = (cancelled: string[]) => (): ReturnType<typeof everythingV1> => {
  const server = everythingV1();
  server.registerTool('test_wait', {}, async ({ signal, sendNotification, _meta }) => {
    const params = { progressToken: _meta?.progressToken ?? '', progress: 1 };
    await sendNotification({ method: 'notifications/progress', params });
    if (!signal.aborted) await new Promise((resolve) => signal.addEventListener('abort', resolve));
    cancelled.push('one');
    return { content: [] };
  });
  server.registerTool('test_cancelled', {}, () => ({
    content: [{ type: 'text', text: String(cancelled.length) }],
  }));
  return server;
};

async function legacy(path: string): Promise<Server> {
  const server = await serveHttpV1({ build: withWaiting([]) });
  onTestFinished(() => server.close());
  const change = async (client: Person): Promise<void> => {
    await client.call('test_trigger_tool_change');
  };
  return { url: `${server.origin}${path}`, change };
}

async function modern(): Promise<Server> {
  const server = await serveHttpV2({ build: everythingV2InRounds, legacy: 'reject' });
  onTestFinished(() => server.close());
  return { url: `${server.origin}/mcp`, change: async () => server.toolsChanged() };
}

async function personV1(url: string): Promise<Person> {
  const client = new ClientV1(INFO, { capabilities: CAN_ALL });
  const logs: unknown[] = [];
  const changes: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, () => ELICITED);
  client.setRequestHandler(CreateMessageRequestSchema, () => SAMPLED);
  client.setRequestHandler(ListRootsRequestSchema, () => ROOTS);
  client.setNotificationHandler(LoggingMessageNotificationSchema, ({ params }) => {
    logs.push(params.data);
  });
  client.setNotificationHandler(ToolListChangedNotificationSchema, ({ method }) => {
    changes.push(method);
  });
  onTestFinished(() => client.close());
  await client.connect(new TidegateClientTransport(url));
  const person: Person = {
    logs,
    changes,
    tools: async () => (await client.listTools()).tools.length,
    call: async (name, args = {}, { onProgress, signal } = {}) => {
      const { content } = await client.callTool({ name, arguments: args }, undefined, {
        ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
        ...(signal && { signal }),
      });
      return JSON.stringify(content);
    },
    callLogged: async (name) => {
      await client.setLoggingLevel('debug');
      return person.call(name);
    },
    watchTools: async () => {},
  };
  return person;
}

async function personV2(url: string, mode: VersionNegotiationMode): Promise<Person> {
  const client = new ClientV2(INFO, {
    capabilities: CAN_ALL,
    versionNegotiation: { mode },
  });
  const logs: unknown[] = [];
  const changes: string[] = [];
  client.setRequestHandler('elicitation/create', () => ELICITED);
  client.setRequestHandler('sampling/createMessage', () => SAMPLED);
  client.setRequestHandler('roots/list', () => ROOTS);
  client.setNotificationHandler('notifications/message', ({ params }) => {
    logs.push(params.data);
  });
  client.setNotificationHandler('notifications/tools/list_changed', ({ method }) => {
    changes.push(method);
  });
  onTestFinished(() => client.close());
  await client.connect(new TidegateClientTransport(url));
  expect(client.getProtocolEra()).toBe('modern');
  const call: Person['call'] = async (name, args = {}, { onProgress, signal } = {}) => {
    const { content } = await client.callTool(
      { name, arguments: args },
      {
        ...(onProgress && { onprogress: ({ progress }) => onProgress(progress) }),
        ...(signal && { signal }),
      },
    );
    return JSON.stringify(content);
  };
  return {
    logs,
    changes,
    tools: async () => (await client.listTools()).tools.length,
    call,
    callLogged: async (name) => {
      const _meta = { 'io.modelcontextprotocol/logLevel': 'debug' };
      return JSON.stringify((await client.callTool({ name, _meta })).content);
    },
    watchTools: async () => {
      await client.listen({ toolsListChanged: true });
    },
  };
}

const CLIENTS = [
  ['a v1 client', personV1],
  ['a v2 client of 2026 alone', (url: string) => personV2(url, { pin: '2026-07-28' })],
  ['a v2 client that knows both eras', (url: string) => personV2(url, 'auto')],
] as const;

const SERVERS = [
  ['a server of 2025', () => legacy('/mcp')],
  ['a server of 2024', () => legacy('/sse')],
  ['a server of 2026 alone', modern],
] as const;

describe.each(CLIENTS)('%s', (_client, connect) => {
  describe.each(SERVERS)('at %s', (_server, serve) => {
    it('lists, calls and sees progress', async () => {
      const client = await connect((await serve()).url);
      expect(await client.tools()).toBeGreaterThan(5);
      const seen: number[] = [];
      const onProgress = (progress: number): void => void seen.push(progress);
      await client.call('test_tool_with_progress', {}, { onProgress });
      expect(seen).toEqual([0, 50, 100]);
    });

    it('is asked in the middle of calls', async () => {
      const client = await connect((await serve()).url);
      expect(await client.call('test_elicitation', { message: 'Which?' })).toContain('a word');
      expect(await client.call('test_sampling', { prompt: 'Sing.' })).toContain('a canary');
      const rooted = await client.call('test_input_required_result_list_roots');
      expect(rooted).toContain('file:///home/ann');
    });

    it('hears logs of the level it asks for', async () => {
      const client = await connect((await serve()).url);
      await client.callLogged('test_tool_with_logging');
      expect(client.logs).toEqual([
        'Tool execution started',
        'Tool processing data',
        'Tool completed',
      ]);
    });

    it('hears of changes', async () => {
      const server = await serve();
      const client = await connect(server.url);
      await client.watchTools();
      // A client of the handshake is told as soon as its stream is open, which nobody tells it.
      const isHeard = (): boolean => client.changes.length > 0;
      const until = Date.now() + 10_000;
      while (!isHeard() && Date.now() < until) {
        await server.change(client);
        await new Promise((resolve) => setTimeout(resolve, 20));
      }
      expect(isHeard()).toBe(true);
    });

    it('cancels', async () => {
      const client = await connect((await serve()).url);
      const before = Number(/\d+/.exec(await client.call('test_cancelled'))?.[0]);
      const controller = new AbortController();
      let begin = (): void => {};
      const began = new Promise<void>((resolve) => {
        begin = resolve;
      });
      const call = client.call(
        'test_wait',
        {},
        { onProgress: () => begin(), signal: controller.signal },
      );
      await began;
      controller.abort();
      await expect(call).rejects.toThrow();
      let after = before;
      const look = async (): Promise<void> => {
        after = Number(/\d+/.exec(await client.call('test_cancelled'))?.[0]);
      };
      await look();
      for (let tries = 0; after === before && tries < 100; tries += 1) await look();
      expect(after).toBe(before + 1);
    });
  });
});

it('opens a bridged session again that the server forgot', async () => {
  const server = await serveHttpV1();
  onTestFinished(() => server.close());
  const client = await personV2(`${server.origin}/mcp`, { pin: '2026-07-28' });
  server.forget();
  server.cut();
  expect(await client.call('test_simple_text')).toContain('simple text');
});

it('leaves no session at the server when a bridged client closes', async () => {
  const server = await serveHttpV1();
  onTestFinished(() => server.close());
  const client = new ClientV2(INFO, { versionNegotiation: { mode: { pin: '2026-07-28' } } });
  await client.connect(new TidegateClientTransport(`${server.origin}/mcp`));
  await client.callTool({ name: 'test_simple_text' });
  expect(server.sessions()).toBeGreaterThan(0);
  await client.close();
  await eventually(() => server.sessions() === 0, 'the end of every session');
});
