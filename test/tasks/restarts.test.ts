/**
 * Tasks, most of them carried across eras, whose server counts them from the beginning with every start
 * or session: what has the number of another is no other's.
 */
import { expect, it } from 'vitest';
import { answerOf, errorOf, modern } from '../wire/client-2026.ts';
import { people } from '../wire/people.ts';
import { rpc, Session2025, type Headers } from '../wire/conversation.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import { wireServer, type WireServer } from '../wire/wire-server.ts';

const EXTENSIONS = { 'io.modelcontextprotocol/tasks': {} };
const TASKS = { cancel: {}, requests: { tools: { call: {} } } };
const TASK = { taskId: '1', status: 'working', ttl: null, createdAt: '', lastUpdatedAt: '' };
const NOT_FOUND = { code: -32602, message: 'Task not found.' };

function ask(
  server: WireServer,
  token: string,
  method: string,
  params: Json,
  capabilities: Json = {},
): WireReply {
  const meta = { clientCapabilities: { extensions: EXTENSIONS, ...capabilities } };
  return server.send(modern(1, method, params, { meta, token, headers: namedBy(params) }));
}

function namedBy({ taskId }: Json): Headers {
  return typeof taskId === 'string' ? { 'mcp-name': taskId } : {};
}

/** Makes a task of a call; the list of tools is asked for in every conversation. */
async function created(
  server: WireServer,
  token: string,
  nth: number,
  capabilities: Json = {},
): Promise<string> {
  const reply = ask(server, token, 'tools/call', { name: 'slow', arguments: {} }, capabilities);
  const list = await server.upstream.call(nth, 'tools/list');
  list.answer({
    tools: [{ name: 'slow', inputSchema: {}, execution: { taskSupport: 'optional' } }],
  });
  (await server.upstream.call(nth, 'tools/call')).answer({ task: TASK });
  const { result } = (await answerOf(reply)) as { result: Json };
  expect(result).toMatchObject({ resultType: 'task', status: 'working' });
  return String(result['taskId']);
}

it('V30 a task of 2025 that is gone with its server is not the next one of its number', async () => {
  const hand = { kind: 'stdio', capabilities: { tools: {}, tasks: TASKS } } as const;
  const options = { hand, isolation: 'shared', identity: people(), tasks: 'bridge' } as const;
  const server = await wireServer(options);
  expect(await created(server, 'alice', 0)).toBe('1');
  const first = server.upstream.newest;
  first.die();
  await server.upstream.until(() => server.upstream.newest !== first, 'a restart');
  expect(await created(server, 'bob', 1)).toBe('1');
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    expect(await errorOf(ask(server, 'alice', method, { taskId: '1' }))).toMatchObject(NOT_FOUND);
  }
  const own = ask(server, 'bob', 'tasks/get', { taskId: '1' });
  (await server.upstream.call(0, 'tasks/get')).answer(TASK);
  expect(await answerOf(own)).toMatchObject({ result: { taskId: '1', status: 'working' } });
});

it('tasks of 2025 of one number, in sessions of one principal, are two', async () => {
  const hand = { kind: 'stdio', capabilities: { tools: {}, tasks: TASKS } } as const;
  const server = await wireServer({ hand, identity: people(), tasks: 'bridge' });
  const ids = [
    await created(server, 'alice', 0),
    await created(server, 'alice', 1, { elicitation: { form: {} } }),
  ];
  expect(ids[0]).toBe('1');
  const sessions = server.upstream.calls
    .filter(({ method }) => method === 'tools/call')
    .map(({ connection }) => connection);
  expect(new Set([...ids, ...sessions]).size).toBe(4);
  for (const [nth, taskId] of ids.entries()) {
    const reply = ask(server, 'alice', 'tasks/get', { taskId });
    const got = await server.upstream.call(nth, 'tasks/get');
    expect([got.connection, got.params]).toEqual([sessions[nth], { taskId: '1' }]);
    got.answer({ ...TASK, statusMessage: `of ${nth}` });
    const expected = { taskId, statusMessage: `of ${nth}` };
    expect(await answerOf(reply)).toMatchObject({ result: expected });
  }
});

it('V30 a task of 2025 is kept where another tenant’s server gives its number away', async () => {
  const hand = { kind: 'stdio', capabilities: { tasks: TASKS } } as const;
  const server = await wireServer({ hand, isolation: 'tenant', identity: people() });
  const sessions = [
    await Session2025.open(server, { token: 'alice' }),
    await Session2025.open(server, { token: 'alice-of-another-tenant' }),
  ];
  for (const [nth, session] of sessions.entries()) {
    const reply = session.post(rpc(1, 'tools/call', { name: 'slow', task: {} }));
    (await server.upstream.call(nth, 'tools/call')).answer({ task: TASK });
    await reply.whole();
  }
  for (const [nth, session] of sessions.entries()) {
    const reply = session.post(rpc(2, 'tasks/get', { taskId: '1' }));
    (await server.upstream.call(nth, 'tasks/get')).answer(TASK);
    expect((await reply.whole()).text).toContain('"status":"working"');
  }
});
