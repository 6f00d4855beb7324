/**
 * The tasks extension as a 2026 client drives it, over a server on the SDK with the tasks of
 * 2025-11-25.
 * @see https://modelcontextprotocol.io/extensions/tasks/overview
 */
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { type Access, stdio, type EndpointOptions } from 'tidegate';
import { ROOT } from '../source-files.ts';
import { Asking2026 } from './asking-2026.ts';
import { served } from './people.ts';

const CHILD = join(ROOT, 'test/fixtures/tasks/legacy-child.mjs');
const EXTENSIONS = { 'io.modelcontextprotocol/tasks': {} };

function bridged(options: Partial<EndpointOptions> = {}): Promise<string> {
  return served({ upstream: stdio(process.execPath, [CHILD]), tasks: 'bridge', ...options });
}

async function created(client: Asking2026, name: string): Promise<string> {
  const { result } = await client.ask('tools/call', { name, arguments: {} });
  expect(result).toMatchObject({
    resultType: 'task',
    status: 'working',
    ttlMs: 60_000,
    pollIntervalMs: 20,
  });
  return String(result?.['taskId']);
}

/** Looks until the task is in one of these states. */
async function seen(client: Asking2026, taskId: string, ...wanted: string[]): Promise<unknown> {
  for (let looks = 0; looks < 500; looks += 1) {
    const { result } = await client.ask('tasks/get', { taskId });
    expect(result).toMatchObject({ resultType: 'complete', taskId });
    if (wanted.includes(String(result?.['status']))) return result;
    await new Promise((resolve) => setTimeout(resolve, 20));
  }
  throw new Error(`It never was ${wanted.join(' or ')}.`);
}

it('offers the extension where it is carried across, and only then', async () => {
  const carried = await new Asking2026(await bridged(), 'ann').ask('server/discover');
  expect(carried.result).toMatchObject({ capabilities: { extensions: EXTENSIONS } });
  const plain = await new Asking2026(await bridged({ tasks: 'off' }), 'ann').ask('server/discover');
  expect(JSON.stringify(plain.result)).not.toContain('tasks"');
});

it('makes tasks of tools that say they may, for clients that know them', async () => {
  const url = await bridged();
  const client = new Asking2026(url, 'ann');
  const taskId = await created(client, 'slow');
  expect(await seen(client, taskId, 'completed')).toMatchObject({
    ttlMs: 60_000,
    result: { resultType: 'complete', content: [{ text: 'slow and sure' }] },
  });
  const quick = await client.ask('tools/call', { name: 'quick', arguments: {} });
  expect(quick.result).toMatchObject({ resultType: 'complete', content: [{ text: 'at once' }] });
});

it('takes no parameter of a client for its consent', async () => {
  const client = new Asking2026(await bridged(), 'ann', {});
  const { result } = await client.ask('tools/call', { name: 'quick', arguments: {}, task: {} });
  expect(result).toMatchObject({ resultType: 'complete', content: [{ text: 'at once' }] });
});

it('names the extension to a client that calls what must be a task', async () => {
  const client = new Asking2026(await bridged(), 'ann', {});
  const { error } = await client.ask('tools/call', { name: 'must', arguments: {} });
  expect(error).toMatchObject({
    code: -32021,
    data: { requiredCapabilities: { extensions: EXTENSIONS } },
  });
});

it('says what a task needs, and carries the answers to it', async () => {
  const client = new Asking2026(await bridged(), 'ann');
  const taskId = await created(client, 'ask');
  const required = (await seen(client, taskId, 'input_required')) as {
    readonly inputRequests: Readonly<Record<string, unknown>>;
  };
  const [[key, question] = ['', undefined]] = Object.entries(required.inputRequests);
  expect(question).toMatchObject({ method: 'elicitation/create', params: { message: 'Who?' } });
  expect(JSON.stringify(question)).not.toContain('related-task');
  const inputResponses = {
    unknown: { action: 'accept' },
    [key]: { action: 'accept', content: { name: 'Ada' } },
  };
  const { result } = await client.ask('tasks/update', { taskId, inputResponses });
  expect(result).toMatchObject({ resultType: 'complete' });
  expect(await seen(client, taskId, 'completed')).toMatchObject({
    result: { content: [{ text: 'Hello, Ada!' }] },
  });
});

it('has completed where a tool says itself that it failed', async () => {
  const client = new Asking2026(await bridged(), 'ann');
  const taskId = await created(client, 'fail');
  expect(await seen(client, taskId, 'completed', 'failed')).toMatchObject({
    status: 'completed',
    result: { isError: true, content: [{ text: 'It broke.' }] },
  });
});

it('cancels, and acknowledges that of what is over too', async () => {
  const client = new Asking2026(await bridged(), 'ann');
  const taskId = await created(client, 'forever');
  expect((await client.ask('tasks/cancel', { taskId })).result).toMatchObject({
    resultType: 'complete',
  });
  await seen(client, taskId, 'cancelled');
  expect((await client.ask('tasks/cancel', { taskId })).error).toBeUndefined();
});

it('tells the states of the tasks that are listened for', async () => {
  const client = new Asking2026(await bridged(), 'ann');
  const taskId = await created(client, 'must');
  const heard = await client.listen({ taskIds: [taskId, 'task-of-nobody'] });
  expect(heard.acknowledged).toEqual({ taskIds: [taskId] });
  const done = await heard.until(({ status }) => status === 'completed');
  expect(done).toMatchObject({ taskId, result: { content: [{ text: 'as it must' }] } });
});

it('tells no state of a task any more that policies do not allow to be followed now', async () => {
  const refused = new Set<unknown>();
  const access: Access = {
    decide: ({ method, message }) => {
      // What is told on a listen, and nothing that the client asks for itself.
      const { taskId } = (message.value ?? {}) as { readonly taskId?: unknown };
      const isRefused = method === 'subscriptions/listen' && refused.has(taskId);
      return { refusal: isRefused ? { error: 'FORBIDDEN' } : undefined, policies: [] };
    },
    filter: (_request, answer) => answer,
  };
  const client = new Asking2026(await bridged({ access }), 'ann');
  const tasks = [await created(client, 'ask'), await created(client, 'ask')];
  const heard = await client.listen({ taskIds: tasks });
  for (const taskId of tasks) {
    const required = await seen(client, taskId, 'input_required');
    const { inputRequests } = required as { readonly inputRequests: object };
    const answer = { action: 'accept', content: { name: 'Ada' } };
    const [key = ''] = Object.keys(inputRequests);
    if (taskId === tasks[0]) refused.add(taskId);
    await client.ask('tasks/update', { taskId, inputResponses: { [key]: answer } });
    await seen(client, taskId, 'completed');
  }
  await heard.until(({ taskId, status }) => taskId === tasks[1] && status === 'completed');
  const ended = heard.states.filter(({ status }) => status === 'completed');
  expect(ended.map(({ taskId }) => taskId)).toEqual([tasks[1]]);
});

it.each(['session', 'shared'] as const)(
  'V30: keeps a task from every other principal, with isolation %s',
  async (isolation) => {
    const url = await bridged({ isolation });
    const [ann, bob] = [new Asking2026(url, 'ann'), new Asking2026(url, 'bob')];
    const taskId = await created(ann, 'forever');
    for (const method of ['tasks/get', 'tasks/update', 'tasks/cancel']) {
      const { error } = await bob.ask(method, { taskId, inputResponses: {} });
      const unknown = await bob.ask(method, { taskId: 'task-of-nobody', inputResponses: {} });
      expect(error).toMatchObject({ code: -32602 });
      expect(error).toEqual(unknown.error);
    }
    const heard = await bob.listen({ taskIds: [taskId] });
    expect(heard.acknowledged).toEqual({});
    await seen(ann, taskId, 'working');
  },
);

it('has no method that the extension has not', async () => {
  const client = new Asking2026(await bridged(), 'ann');
  for (const method of ['tasks/list', 'tasks/result']) {
    expect((await client.ask(method, { taskId: 't' })).error).toMatchObject({ code: -32601 });
  }
});
