/**
 * Every client of the official SDK, in every era, in front of every kind of server, whichever eras
 * that speaks.
 */
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { slowCalls, WATCHED } from './busy-servers.ts';
import { gateTo, type Gate } from './gate.ts';
import { progressOf, type Person } from './person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from './sdk-v1.ts';
import { sdkV2Asking, sdkV2OverHttp, sdkV2OverSse, sdkV2Stateless } from './sdk-v2.ts';
import type { ServerName } from './servers.ts';

const CLIENTS = {
  'SDK v1 over SSE': sdkV1OverSse,
  'SDK v1 over Streamable HTTP': sdkV1OverHttp,
  'SDK v2 over SSE': sdkV2OverSse,
  'SDK v2 over Streamable HTTP': sdkV2OverHttp,
  'SDK v2, whichever both know': sdkV2Asking,
  'SDK v2, stateless': sdkV2Stateless,
} as const;

type ClientName = keyof typeof CLIENTS;

const CLIENT_NAMES = Object.keys(CLIENTS) as readonly ClientName[];
const STATELESS: readonly ClientName[] = ['SDK v2, whichever both know', 'SDK v2, stateless'];

const NAMES: Readonly<Record<ServerName, string>> = {
  'server-everything': 'mcp-servers/everything',
  v1: 'everything-v1',
  'v1 as a child': 'everything-v1',
  v2: 'everything-v2',
  'v2 as a child': 'everything-v2',
  'v2 without the handshake': 'everything-v2',
};

/**
 * Over SSE the SDK forgets a call the moment its answer comes, before it has handed out the
 * progress that came in the same piece: the last one may be lost there, on any server.
 */
function isForgetful(client: ClientName): boolean {
  return client.endsWith('over SSE');
}

async function heard({ told }: Person, change: string): Promise<void> {
  await told.until(({ changes }) => changes.includes(change), change);
}

const SERVER_NAMES = Object.keys(NAMES) as readonly ServerName[];

describe.each(SERVER_NAMES)('%s', (server) => {
  let gate: Gate;

  beforeAll(async () => {
    gate = await gateTo(server);
  });

  afterAll(async () => {
    await gate.close();
  });

  describe.each(CLIENT_NAMES)('with %s', (client) => {
    const isStateless = STATELESS.includes(client);
    const version = isStateless ? '2026-07-28' : '2025-11-25';
    let person: Person;

    beforeAll(async () => {
      person = await CLIENTS[client](gate);
    });

    afterAll(async () => {
      await person.close();
    });

    it('connects, and agrees on the newest revision both know', () => {
      expect(person.serverName).toBe(NAMES[server]);
      if (person.version !== undefined) expect(person.version).toBe(version);
    });

    it('lists and calls tools, reads a resource, gets a prompt', async () => {
      const isReference = server === 'server-everything';
      expect(await person.tools()).toContain(isReference ? 'echo' : 'test_simple_text');
      const said = isReference
        ? await person.call('echo', { message: 'ünïcode ☕' })
        : await person.call('test_simple_text');
      expect(said).toContain(isReference ? 'Echo: ünïcode ☕' : 'This is a simple text response');
      const uri = isReference ? 'demo://resource/dynamic/text/1' : 'test://static-text';
      expect(await person.read(uri)).not.toBe('');
      expect(await person.prompt(isReference ? 'simple-prompt' : 'test_simple_prompt')).toContain(
        'simple prompt',
      );
    });

    it('is told of progress before the answer', async () => {
      const values: number[] = [];
      const options = { onProgress: (progress: number) => void values.push(progress) };
      if (server === 'server-everything') {
        const args = { duration: 0.3, steps: 3 };
        await person.call('trigger-long-running-operation', args, options);
        expect(values.slice(0, 2)).toEqual([1, 2]);
        expect(values.slice(2)).toEqual(isForgetful(client) ? values.slice(2, 3) : [3]);
      } else {
        expect(await progressOf(person, 'test_tool_with_progress')).toEqual([0, 50, 100]);
      }
    });

    it('is told what a tool logs', async () => {
      const { told } = person;
      const tool =
        server === 'server-everything' ? 'toggle-simulated-logging' : 'test_tool_with_logging';
      const before = told.logs.length;
      const count = server === 'server-everything' ? 1 : 3;
      await person.hearLogs();
      await person.call(tool, {}, { logLevel: 'debug' });
      await told.until(({ logs }) => logs.length >= before + count, 'the logs');
      if (server === 'server-everything') await person.call(tool);
      else expect(told.logs.slice(before)).toContain('Tool completed');
    });

    it('answers what the server asks', async () => {
      if (server === 'v2 without the handshake' || (isStateless && server.startsWith('v2'))) {
        const said = await person.call('test_input_required_result_elicitation');
        expect(said).toBe('Hello, Ann!');
        expect(await person.call('test_input_required_result_sampling')).toContain('Polly');
      } else if (server === 'server-everything') {
        expect(await person.call('trigger-elicitation-request')).toContain('User provided');
        expect(await person.call('trigger-sampling-request', { prompt: 'Hi' })).toContain('Polly');
      } else {
        const said = await person.call('test_elicitation', { message: 'Well?' });
        expect(said).toContain('action=accept');
        expect(await person.call('test_sampling', { prompt: 'Hi' })).toContain('Polly');
      }
    });

    if (server === 'server-everything') {
      it('hears of a change of the resource it watches', async () => {
        const uri = 'demo://resource/static/document/architecture.md';
        await person.watch(uri);
        await person.call('toggle-subscriber-updates');
        await heard(person, `notifications/resources/updated ${uri}`);
        await person.call('toggle-subscriber-updates');
      });
    }

    if (server === 'v1' || server === 'v2') {
      it('hears of a change of the resource it watches, and of the lists', async () => {
        await person.watch(WATCHED);
        await person.call('touch');
        await heard(person, `notifications/resources/updated ${WATCHED}`);
        await heard(person, 'notifications/tools/list_changed');
      });

      it('cancels a call, and goes on', async () => {
        const canceller = new AbortController();
        const name = `cancelled by ${client}`;
        const call = person.call('slow', { name, ms: 20_000 }, { signal: canceller.signal });
        const refused = expect(call).rejects.toThrow();
        await slowCalls.until(name, 'running');
        canceller.abort();
        await refused;
        await slowCalls.until(name, 'cancelled');
        expect(await person.call('test_simple_text')).toContain('simple');
      });
    }

    it('was told of nothing that broke', () => {
      const errors = person.told.errors.map(String);
      const forgotten = /progress notification for an unknown token/;
      const isExpected = (error: string): boolean => isForgetful(client) && forgotten.test(error);
      expect(errors.filter((error) => !isExpected(error))).toEqual([]);
    });
  });
});
