/**
 * Tasks of 2025-11-25 as the SDK's client drives them, over a server of the tasks extension.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 */
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  CreateTaskResultSchema,
  ElicitRequestSchema,
  TaskStatusNotificationSchema,
  type Task,
} from '@modelcontextprotocol/sdk/types.js';
import { expect, it, onTestFinished } from 'vitest';
import { stdio, type EndpointOptions } from 'tidegate';
import { ROOT } from '../source-files.ts';
import { bearer, served, type Name } from './people.ts';

const CHILD = join(ROOT, 'test/fixtures/tasks/modern-child.mjs');

function bridged(options: Partial<EndpointOptions> = {}): Promise<string> {
  return served({ upstream: stdio(process.execPath, [CHILD]), tasks: 'bridge', ...options });
}

interface Person {
  readonly client: Client;
  readonly statuses: string[];
  readonly create: (tool: string) => Promise<Task>;
}

async function person(url: string, name: Name = 'ann'): Promise<Person> {
  const client = new Client({ name, version: '1.0.0' }, { capabilities: { elicitation: {} } });
  const statuses: string[] = [];
  client.setRequestHandler(ElicitRequestSchema, ({ params }) => {
    expect(params._meta).toMatchObject({ 'io.modelcontextprotocol/related-task': {} });
    return { action: 'accept', content: { name: 'Ada' } };
  });
  client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => {
    statuses.push(`${params.taskId} ${params.status}`);
  });
  const requestInit = { headers: bearer(name) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  onTestFinished(() => client.close());
  const create = async (tool: string): Promise<Task> => {
    const params = { name: tool, arguments: {}, task: { ttl: 60_000 } };
    const request = { method: 'tools/call' as const, params };
    return (await client.request(request, CreateTaskResultSchema)).task;
  };
  return { client, statuses, create };
}

it('offers tasks where they are carried across, and lists of tasks nowhere', async () => {
  const { client } = await person(await bridged());
  expect(client.getServerCapabilities()?.tasks).toEqual({
    cancel: {},
    requests: { tools: { call: {} } },
  });
  const { tools } = await client.listTools();
  expect(tools.every(({ execution }) => execution?.taskSupport === 'optional')).toBe(true);
  const listing = client.request({ method: 'tasks/list' }, CallToolResultSchema);
  await expect(listing).rejects.toThrow('-32601');
});

it('offers none by default, and takes no call for one', async () => {
  const { client } = await person(await bridged({ tasks: 'off' }));
  expect(client.getServerCapabilities()?.tasks).toBeUndefined();
  const { tools } = await client.listTools();
  expect(tools.some(({ execution }) => execution !== undefined)).toBe(false);
  const params = { name: 'quick', arguments: {}, task: {} };
  const result = await client.request({ method: 'tools/call', params }, CallToolResultSchema);
  expect(result.content).toMatchObject([{ text: 'at once' }]);
});

it('carries a task from its call to its result', async () => {
  const { client, create } = await person(await bridged());
  const task = await create('slow');
  expect(task).toMatchObject({ status: 'working', ttl: 60_000, pollInterval: 20 });
  const { tasks } = client.experimental;
  expect(await tasks.getTask(task.taskId)).toMatchObject({ taskId: task.taskId, ttl: 60_000 });
  const result = await tasks.getTaskResult(task.taskId, CallToolResultSchema);
  expect(result).toEqual({
    content: [{ type: 'text', text: 'slow and sure' }],
    _meta: { 'io.modelcontextprotocol/related-task': { taskId: task.taskId } },
  });
  expect((await tasks.getTask(task.taskId)).status).toBe('completed');
});

it('asks on the stream of tasks/result what the task needs', async () => {
  const { client, create } = await person(await bridged());
  const { taskId } = await create('ask');
  const result = await client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema);
  expect(result.content).toMatchObject([{ text: 'Hello, Ada!' }]);
});

it('serves the flow that the SDK drives by itself', async () => {
  const { client } = await person(await bridged());
  const stream = client.experimental.tasks.callToolStream(
    { name: 'ask', arguments: {} },
    CallToolResultSchema,
    { task: {} },
  );
  const seen: string[] = [];
  for await (const message of stream) {
    seen.push(message.type);
    if (message.type === 'result') {
      expect(message.result.content).toMatchObject([{ text: 'Hello, Ada!' }]);
    }
  }
  expect(seen[0]).toBe('taskCreated');
  expect(seen.at(-1)).toBe('result');
});

it('answers the error of a task that failed', async () => {
  const { client, create } = await person(await bridged());
  const { taskId } = await create('fail');
  const result = client.experimental.tasks.getTaskResult(taskId, CallToolResultSchema);
  await expect(result).rejects.toThrow('It broke.');
});

it('makes a task that is done of a call that is answered at once', async () => {
  const { client, create } = await person(await bridged());
  const task = await create('quick');
  expect(task).toMatchObject({ status: 'completed', ttl: 60_000 });
  const { tasks } = client.experimental;
  expect(await tasks.getTask(task.taskId)).toMatchObject({ status: 'completed' });
  const result = await tasks.getTaskResult(task.taskId, CallToolResultSchema);
  expect(result.content).toMatchObject([{ text: 'at once' }]);
  await expect(tasks.cancelTask(task.taskId)).rejects.toThrow('-32602');
});

it('cancels once: the task is cancelled from then on, and no second time', async () => {
  const { client, create } = await person(await bridged());
  const { taskId } = await create('forever');
  const { tasks } = client.experimental;
  expect(await tasks.cancelTask(taskId)).toMatchObject({ taskId, status: 'cancelled' });
  expect((await tasks.getTask(taskId)).status).toBe('cancelled');
  await expect(tasks.cancelTask(taskId)).rejects.toThrow('-32602');
  const result = tasks.getTaskResult(taskId, CallToolResultSchema);
  await expect(result).rejects.toThrow('cancelled');
});

it('has two tasks where two sessions have servers of their own that number alike', async () => {
  const url = await bridged();
  const [one, other] = [await person(url), await person(url)];
  const ids = [await one.create('forever'), await other.create('forever')];
  const [{ taskId } = { taskId: '' }] = ids;
  expect(ids[1]?.taskId).toBe(taskId);
  await one.client.experimental.tasks.cancelTask(taskId);
  const { tasks } = other.client.experimental;
  expect((await tasks.getTask(taskId)).status).toBe('working');
  expect(await tasks.cancelTask(taskId)).toMatchObject({ taskId, status: 'cancelled' });
});

it('does not cancel what is done', async () => {
  const { client, create } = await person(await bridged());
  const { taskId } = await create('slow');
  const { tasks } = client.experimental;
  await tasks.getTaskResult(taskId, CallToolResultSchema);
  await expect(tasks.cancelTask(taskId)).rejects.toThrow('-32602');
});

it.each(['session', 'principal', 'shared'] as const)(
  'V30: keeps a task from every other principal, with isolation %s',
  async (isolation) => {
    const url = await bridged({ isolation });
    const ann = await person(url, 'ann');
    const bob = await person(url, 'bob');
    const { taskId } = await ann.create('forever');
    const { tasks } = bob.client.experimental;
    await expect(tasks.getTask(taskId)).rejects.toThrow('Task not found');
    await expect(tasks.cancelTask(taskId)).rejects.toThrow('Task not found');
    const result = tasks.getTaskResult(taskId, CallToolResultSchema);
    await expect(result).rejects.toThrow('Task not found');
    const again = (await person(url, 'ann')).client.experimental.tasks.getTask(taskId);
    // An instance of its own knows nothing of another session's tasks.
    if (isolation === 'session') await expect(again).rejects.toThrow('Task not found');
    else expect(await again).toMatchObject({ status: 'working' });
  },
);
