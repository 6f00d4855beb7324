/**
 * Tasks that were carried across eras, after their server was started again: it may count its tasks
 * from the beginning, and what has the number of one that is gone is somebody else's.
 */
import { expect, it } from 'vitest';
import { answerOf, errorOf, modern } from '../wire/client-2026.ts';
import { people } from '../wire/people.ts';
import type { Headers } from '../wire/conversation.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import { wireServer, type WireServer } from '../wire/wire-server.ts';

const EXTENSIONS = { 'io.modelcontextprotocol/tasks': {} };
const TASKS = { cancel: {}, requests: { tools: { call: {} } } };
const TASK = { taskId: '1', status: 'working', ttl: null, createdAt: '', lastUpdatedAt: '' };
const NOT_FOUND = { code: -32602, message: 'Task not found.' };

function ask(server: WireServer, token: string, method: string, params: Json): WireReply {
  const meta = { clientCapabilities: { extensions: EXTENSIONS } };
  return server.send(modern(1, method, params, { meta, token, headers: namedBy(params) }));
}

function namedBy({ taskId }: Json): Headers {
  return typeof taskId === 'string' ? { 'mcp-name': taskId } : {};
}

/** Makes a task of a call; the list of tools is asked for in every conversation. */
async function created(server: WireServer, token: string, nth: number): Promise<void> {
  const reply = ask(server, token, 'tools/call', { name: 'slow', arguments: {} });
  const list = await server.upstream.call(nth, 'tools/list');
  list.answer({
    tools: [{ name: 'slow', inputSchema: {}, execution: { taskSupport: 'optional' } }],
  });
  (await server.upstream.call(nth, 'tools/call')).answer({ task: TASK });
  expect(await answerOf(reply)).toMatchObject({ result: { resultType: 'task', taskId: '1' } });
}

it('V30 a task of 2025 that is gone with its server is not the next one of its number', async () => {
  const hand = { kind: 'stdio', capabilities: { tools: {}, tasks: TASKS } } as const;
  const options = { hand, isolation: 'shared', identity: people(), tasks: 'bridge' } as const;
  const server = await wireServer(options);
  await created(server, 'alice', 0);
  const first = server.upstream.newest;
  first.die();
  await server.upstream.until(() => server.upstream.newest !== first, 'a restart');
  await created(server, 'bob', 1);
  for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
    expect(await errorOf(ask(server, 'alice', method, { taskId: '1' }))).toMatchObject(NOT_FOUND);
  }
  const own = ask(server, 'bob', 'tasks/get', { taskId: '1' });
  (await server.upstream.call(0, 'tasks/get')).answer(TASK);
  expect(await answerOf(own)).toMatchObject({ result: { taskId: '1', status: 'working' } });
});
