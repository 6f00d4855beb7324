/** Tasks of a server that several principals share, where everybody speaks the same era. */
import { join } from 'node:path';
import { Client } from '@modelcontextprotocol/sdk/client/index.js';
import { StreamableHTTPClientTransport } from '@modelcontextprotocol/sdk/client/streamableHttp.js';
import { CallToolResultSchema } from '@modelcontextprotocol/sdk/types.js';
import { describe, expect, it, onTestFinished } from 'vitest';
import { stdio } from 'tidegate';
import { ROOT } from '../source-files.ts';
import { Asking2026 } from './asking-2026.ts';
import { bearer, type Name, served } from './people.ts';

const child = (era: 'legacy' | 'modern'): string =>
  join(ROOT, `test/fixtures/tasks/${era}-child.mjs`);
const SHARED = ['tenant', 'shared'] as const;

async function clientOf(url: string, name: Name): Promise<Client> {
  const client = new Client({ name, version: '1' });
  const requestInit = { headers: bearer(name) };
  await client.connect(new StreamableHTTPClientTransport(new URL(url), { requestInit }));
  onTestFinished(() => client.close());
  await client.listTools();
  return client;
}

async function finishedTask({ experimental: { tasks } }: Client): Promise<string> {
  let taskId = '';
  const call = { name: 'must', arguments: {} };
  for await (const message of tasks.callToolStream(call, CallToolResultSchema, { task: {} })) {
    if (message.type === 'taskCreated') ({ taskId } = message.task);
  }
  return taskId;
}

async function failureOf(asked: Promise<unknown>): Promise<string> {
  return asked.then(
    () => 'no failure',
    (error: unknown) => String(error),
  );
}

describe('a task of 2025-11-25', () => {
  it.each(SHARED)('V30: is its maker’s alone with isolation %s', async (isolation) => {
    const url = await served({ upstream: stdio(process.execPath, [child('legacy')]), isolation });
    const [ann, bob] = [await clientOf(url, 'ann'), await clientOf(url, 'bob')];
    const taskId = await finishedTask(ann);
    const { tasks } = bob.experimental;
    for (const id of [taskId, 'task-of-nobody']) {
      const failures = [
        await failureOf(tasks.getTask(id)),
        await failureOf(tasks.getTaskResult(id, CallToolResultSchema)),
        await failureOf(tasks.cancelTask(id)),
      ];
      for (const each of failures) expect(each).toBe('McpError: MCP error -32602: Task not found.');
    }
    expect((await tasks.listTasks()).tasks).toEqual([]);
    expect(await ann.experimental.tasks.getTask(taskId)).toMatchObject({ status: 'completed' });
    const listed = await (await clientOf(url, 'ann')).experimental.tasks.listTasks();
    expect(listed.tasks.map((task) => task.taskId)).toEqual([taskId]);
  });
});

describe('a task of the extension', () => {
  it.each(SHARED)('V30: is its maker’s alone with isolation %s', async (isolation) => {
    const url = await served({ upstream: stdio(process.execPath, [child('modern')]), isolation });
    const [ann, bob] = [new Asking2026(url, 'ann'), new Asking2026(url, 'bob')];
    const { result } = await ann.ask('tools/call', { name: 'ask', arguments: {} });
    const { taskId } = result as { taskId: string };
    const heard = await ann.listen({ taskIds: [taskId] });
    expect(heard.acknowledged).toEqual({ taskIds: [taskId] });
    const inputResponses = { who: { action: 'accept', content: { name: 'Eve' } } };
    for (const id of [taskId, 'task-of-nobody']) {
      const answers = [
        await bob.ask('tasks/get', { taskId: id }),
        await bob.ask('tasks/update', { taskId: id, inputResponses }),
        await bob.ask('tasks/cancel', { taskId: id }),
      ];
      for (const { error } of answers) {
        expect(error).toMatchObject({ code: -32602 });
        expect(error?.['message']).toContain('Task not found.');
      }
      expect((await bob.listen({ taskIds: [id] })).acknowledged).toEqual({});
    }
    await heard.until(({ status }) => status === 'input_required');
    const answer = { who: { action: 'accept', content: { name: 'Ada' } } };
    await ann.ask('tasks/update', { taskId, inputResponses: answer });
    const done = await heard.until(({ status }) => status === 'completed');
    expect(done).toMatchObject({ result: { content: [{ text: 'Hello, Ada!' }] } });
  });
});
