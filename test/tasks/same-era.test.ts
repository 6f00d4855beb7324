/** Tasks where client and server speak the same era: they pass as they are, nothing is bridged. */
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import {
  CallToolResultSchema,
  ElicitRequestSchema,
  TaskStatusNotificationSchema,
} from '@modelcontextprotocol/sdk/types.js';
import { expect, it, onTestFinished } from 'vitest';
import { stdio } from 'tidegate';
import { ROOT } from '../source-files.ts';
import { eventually } from '../wire/signal.ts';
import { bearer, served } from './people.ts';
import { Asking2026 } from './asking-2026.ts';

const LEGACY = join(ROOT, 'test/fixtures/tasks/legacy-child.mjs');
const MODERN = join(ROOT, 'test/fixtures/tasks/modern-child.mjs');

it.each(['session', 'principal'] as const)(
  'carries tasks of 2025-11-25 with isolation %s, lists and notices included',
  async (isolation) => {
    const url = await served({ upstream: stdio(process.execPath, [LEGACY]), isolation });
    const client = new Client({ name: 'n', version: '1' }, { capabilities: { elicitation: {} } });
    client.setRequestHandler(ElicitRequestSchema, () => ({
      action: 'accept',
      content: { name: 'Ada' },
    }));
    const statuses: string[] = [];
    client.setNotificationHandler(TaskStatusNotificationSchema, ({ params }) => {
      statuses.push(params.status);
    });
    const requestInit = { headers: bearer('ann') };
    await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
    onTestFinished(() => client.close());
    expect(client.getServerCapabilities()?.tasks?.list).toEqual({});
    await client.listTools();
    const { tasks } = client.experimental;
    const call = { name: 'ask', arguments: {} };
    const seen: string[] = [];
    let taskId = '';
    for await (const message of tasks.callToolStream(call, CallToolResultSchema, { task: {} })) {
      seen.push(message.type);
      if (message.type === 'taskCreated') ({ taskId } = message.task);
      if (message.type === 'result') {
        expect(message.result.content).toMatchObject([{ text: 'Hello, Ada!' }]);
      }
    }
    expect(seen.at(-1)).toBe('result');
    const listed = await tasks.listTasks();
    expect(listed.tasks.map((task) => task.taskId)).toContain(taskId);
    await expect(tasks.cancelTask(taskId)).rejects.toThrow('-32602');
    if (isolation === 'session') {
      await eventually(() => statuses.includes('completed'), 'the notice of the state');
    }
  },
);

it('carries the tasks extension, updates and listens included', async () => {
  const url = await served({ upstream: stdio(process.execPath, [MODERN]) });
  const ann = new Asking2026(url, 'ann');
  const { result: server } = await ann.ask('server/discover');
  expect(server).toMatchObject({
    capabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } },
  });
  const { result: created } = await ann.ask('tools/call', { name: 'ask', arguments: {} });
  expect(created).toMatchObject({ resultType: 'task', status: 'working', ttlMs: 60_000 });
  const { taskId } = created as { taskId: string };
  const heard = await ann.listen({ taskIds: [taskId] });
  expect(heard.acknowledged).toEqual({ taskIds: [taskId] });
  const required = await heard.until(({ status }) => status === 'input_required');
  expect(required).toMatchObject({ taskId, inputRequests: { who: {} } });
  const inputResponses = { who: { action: 'accept', content: { name: 'Ada' } } };
  const { result: updated } = await ann.ask('tasks/update', { taskId, inputResponses });
  expect(updated).toMatchObject({ resultType: 'complete' });
  const done = await heard.until(({ status }) => status === 'completed');
  expect(done).toMatchObject({ result: { content: [{ text: 'Hello, Ada!' }] } });
  const { result: got } = await ann.ask('tasks/get', { taskId });
  expect(got).toMatchObject({ resultType: 'complete', status: 'completed' });
  const { error } = await ann.ask('tasks/get', { taskId: 'task-of-nobody' });
  expect(error).toMatchObject({ code: -32602 });
});

it('tells of tasks only whom declares that it knows them', async () => {
  const url = await served({ upstream: stdio(process.execPath, [MODERN]) });
  const { error } = await new Asking2026(url, 'ann', {}).ask('subscriptions/listen', {
    notifications: { taskIds: ['task-1'] },
  });
  expect(error).toMatchObject({
    code: -32021,
    data: { requiredCapabilities: { extensions: { 'io.modelcontextprotocol/tasks': {} } } },
  });
});
