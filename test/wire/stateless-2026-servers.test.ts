/**
 * The stateless revision in front of real servers of the official SDK: in this process, and as a
 * child.
 */
import { fileURLToPath } from 'node:url';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { createEndpoint, inProcess, stdio, type Upstream } from 'tidegate';
import { serve } from 'tidegate/node';
import { everythingV2 } from '../fixtures/servers/everything-v2.mjs';
import { answerOf, errorOf, listenTo, modern, stampOf, textOf, type Said } from './client-2026.ts';
import { HandUpstream } from './hand-upstream.ts';
import { people } from './people.ts';
import type { Json, WireReply } from './wire-reply.ts';
import { WireServer } from './wire-server.ts';

const CHILD = fileURLToPath(
  new URL('../fixtures/servers/everything-v2-stdio.mjs', import.meta.url),
);
const FORM = { clientCapabilities: { elicitation: { form: {} }, sampling: {}, roots: {} } };

const UPSTREAMS: Readonly<Record<string, () => Upstream>> = {
  'in this process': () => inProcess(everythingV2),
  'as a child': () => stdio(process.execPath, [CHILD]),
};

describe.each(Object.keys(UPSTREAMS))('a server %s', (where) => {
  /** Everybody has a server of their own, but for what asks for `common`. */
  let server: WireServer;
  let common: WireServer;

  beforeAll(async () => {
    server = await started('session');
    common = await started('shared');
  });

  afterAll(async () => {
    await Promise.all([server.close(), common.close()]);
  });

  async function started(isolation: 'session' | 'shared'): Promise<WireServer> {
    const upstream = UPSTREAMS[where]?.() ?? inProcess(everythingV2);
    const endpoint = createEndpoint({ upstream, identity: people(), isolation });
    const running = await serve(endpoint, { port: 0, drainMs: 0 });
    await endpoint.ready();
    return new WireServer(running.port, new HandUpstream(), endpoint, () => running.close());
  }

  const ask = (id: unknown, method: string, params: Json = {}, said: Said = {}): WireReply =>
    server.send(modern(id, method, params, { token: 'alice', ...said }));
  const call = (name: string, args: Json = {}, said: Said = {}, more: Json = {}): WireReply =>
    ask(name, 'tools/call', { name, arguments: args, ...more }, said);

  async function listen(id: unknown, notifications: Json): Promise<WireReply> {
    const reply = server.send(listenTo(id, notifications, { token: 'alice' }));
    await reply.message(0);
    return reply;
  }

  it('W57 W64 W65 discovery says every version, the server, and how long that holds', async () => {
    const { result } = (await answerOf(ask(1, 'server/discover'))) as { result: Json };
    expect(result).toMatchObject({
      resultType: 'complete',
      supportedVersions: ['2026-07-28', '2025-11-25', '2025-06-18', '2025-03-26', '2024-11-05'],
      _meta: { 'io.modelcontextprotocol/serverInfo': { name: 'everything-v2', version: '1.0.0' } },
    });
    expect(result['ttlMs']).toBeGreaterThanOrEqual(0);
    expect(['public', 'private']).toContain(result['cacheScope']);
  });

  it.each([
    ['tools/list', {}],
    ['prompts/list', {}],
    ['resources/list', {}],
    ['resources/templates/list', {}],
    ['resources/read', { uri: 'test://static-text' }],
  ])('W64 W65 %s has its type, its server, ttlMs and cacheScope', async (method, params) => {
    const reply = ask(1, method, params);
    const { result } = (await answerOf(reply)) as { result: Json };
    expect(result['resultType']).toBe('complete');
    expect(result['ttlMs']).toBeGreaterThanOrEqual(0);
    expect(result['cacheScope']).toBe(method === 'resources/read' ? 'private' : 'public');
    expect(JSON.stringify(result['_meta'])).toContain('everything-v2');
    expect(reply.status).toBe(200);
  });

  it('W58 W78 a tool and a resource that do not exist are -32602 on 200; a method 404', async () => {
    const tool = call('no_such_tool');
    expect(await errorOf(tool)).toMatchObject({ id: 'no_such_tool', code: -32602 });
    expect(tool.status).toBe(200);
    const resource = ask(2, 'resources/read', { uri: 'test://nowhere' });
    const error = await errorOf(resource);
    expect(error).toMatchObject({ id: 2, code: -32602, data: { uri: 'test://nowhere' } });
    const method = ask(3, 'widgets/spin');
    expect(await errorOf(method)).toMatchObject({ id: 3, code: -32601 });
    expect([resource.status, method.status]).toEqual([200, 404]);
  });

  it('W55 an argument that the tool mirrors must be in its header', async () => {
    const missing = call('test_x_mcp_header', { region: 'eu' });
    expect(await errorOf(missing)).toMatchObject({ code: -32020 });
    expect(missing.status).toBe(400);
    const said = { headers: { 'mcp-param-region': 'eu' } };
    expect(await textOf(call('test_x_mcp_header', { region: 'eu' }, said))).toContain('eu');
  });

  it('W60 a capability the client lacks is named, with 400', async () => {
    const reply = call('test_missing_capability');
    const error = await errorOf(reply);
    expect(error).toMatchObject({ id: 'test_missing_capability', code: -32021 });
    expect(error.data).toHaveProperty('requiredCapabilities.sampling');
    expect(reply.status).toBe(400);
  });

  it('W77 progress rises to its end before the answer', async () => {
    const reply = call('test_tool_with_progress', {}, { meta: { progressToken: 'mine' } });
    expect(await textOf(reply)).toMatch(/^\d+$/);
    const told = reply.messages.slice(0, -1).map(({ method, params }) => {
      const { progressToken, progress } = params as Json;
      return [method, progressToken, progress];
    });
    expect(told).toEqual([0, 50, 100].map((value) => ['notifications/progress', 'mine', value]));
  });

  it('W76 logs come when a level asks for them, and only then', async () => {
    const quiet = call('test_logging_tool');
    await quiet.whole();
    expect(quiet.text).not.toContain('notifications/message');
    const loud = call('test_logging_tool', {}, { meta: { logLevel: 'info' } });
    await loud.whole();
    expect(loud.messages.map(({ method }) => method)).toEqual(['notifications/message', undefined]);
    const higher = call('test_logging_tool', {}, { meta: { logLevel: 'error' } });
    await higher.whole();
    expect(higher.text).not.toContain('notifications/message');
  });

  it('W67 W68 W69 W70 each listen hears of the changes it asked for, under its own id', async () => {
    const tools = await listen(1, { toolsListChanged: true });
    const both = await listen('1', { toolsListChanged: true, promptsListChanged: true });
    await textOf(call('test_trigger_tool_change'));
    await Promise.all([tools.message(1), both.message(1)]);
    await textOf(call('test_trigger_prompt_change'));
    await both.message(2);
    expect(tools.messages.map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
    ]);
    expect(both.messages.map(({ method }) => method)).toEqual([
      'notifications/subscriptions/acknowledged',
      'notifications/tools/list_changed',
      'notifications/prompts/list_changed',
    ]);
    expect([tools.messages.map(stampOf), both.messages.map(stampOf)]).toEqual([
      [1, 1],
      ['1', '1', '1'],
    ]);
    tools.leave();
    both.leave();
  });

  it('W79 a question comes as the result, and its answer under a new id', async () => {
    const name = 'test_input_required_result_elicitation';
    const first = (await answerOf(call(name, {}, { meta: FORM }))) as { result: Json };
    expect(first.result).toMatchObject({ resultType: 'input_required' });
    expect(first.result).not.toHaveProperty('ttlMs');
    const inputResponses = {
      user_name: { action: 'accept', content: { name: 'Ann' } },
      stray: { action: 'cancel' },
    };
    const params = { name, arguments: {}, inputResponses };
    const second = ask('second', 'tools/call', params, { meta: FORM });
    expect(await textOf(second)).toBe('Hello, Ann!');
  });

  it('W79 missing answers are asked for again, and a tampered state is refused', async () => {
    const name = 'test_input_required_result_request_state';
    const { result } = (await answerOf(call(name, {}, { meta: FORM }))) as { result: Json };
    const requestState = String(result['requestState']);
    const again = call(name, {}, { meta: FORM }, { inputResponses: {}, requestState });
    expect(await answerOf(again)).toMatchObject({ result: { resultType: 'input_required' } });
    const confirm = { confirm: { action: 'accept', content: { ok: true } } };
    const good = call(name, {}, { meta: FORM }, { inputResponses: confirm, requestState });
    expect(await textOf(good)).toContain('state-ok');
    const tampered = `${requestState.slice(0, -4)}AAAA`;
    const bad = call(name, {}, { meta: FORM }, { inputResponses: confirm, requestState: tampered });
    expect(await answerOf(bad)).toHaveProperty('error');
  });

  it('W79 only what the client declared is asked', async () => {
    const name = 'test_input_required_result_capabilities';
    const meta = { clientCapabilities: { elicitation: { form: {} } } };
    const { result } = (await answerOf(call(name, {}, { meta }))) as { result: Json };
    expect(Object.keys(result['inputRequests'] as Json)).toEqual(['user_name']);
  });

  it('W63 a tool that asks its client while it runs is refused, not held', async () => {
    const reply = call('test_elicitation', { message: 'Who?' }, { meta: FORM });
    await reply.whole();
    expect(reply.text).not.toContain('elicitation/create"');
    expect(await answerOf(reply)).not.toHaveProperty('method');
  });

  it('W76 on a server for all, a log that cannot be told apart is nobody’s', async () => {
    const request = { name: 'test_logging_tool', arguments: {} };
    const said = { token: 'alice', meta: { logLevel: 'info' } };
    const reply = await common.fetch(modern(1, 'tools/call', request, said));
    const logs = where === 'as a child' ? 0 : 1;
    expect(reply.messages.filter(({ method }) => method !== undefined)).toHaveLength(logs);
  });

  it('W53 two people with equal ids and tokens on one server each get their own answer', async () => {
    const names = Array.from({ length: 40 }, (_, index) => `SECRET${index}`);
    const replies = names.map((arg1, index) => {
      const params = { name: 'test_prompt_with_arguments', arguments: { arg1, arg2: 'x' } };
      const token = index % 2 === 0 ? 'alice' : 'bob';
      return common.send(modern(1, 'prompts/get', params, { token, meta: { progressToken: 't' } }));
    });
    for (const [index, reply] of replies.entries()) {
      await reply.whole();
      expect(reply.text.match(/SECRET\d+/g)).toEqual([names[index]]);
    }
  });
});
