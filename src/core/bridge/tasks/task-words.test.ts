import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import {
  declaresTasks,
  isTerminal,
  relatedTaskOf,
  runsToolsAsTasks,
  toLegacyTask,
  toModernTask,
} from './task-words.ts';

const STATUSES = ['working', 'input_required', 'completed', 'failed', 'cancelled'] as const;

const modernTask = fc.record(
  {
    taskId: fc.string(),
    status: fc.constantFrom(...STATUSES),
    statusMessage: fc.string(),
    createdAt: fc.constant('2026-07-28T10:00:00Z'),
    lastUpdatedAt: fc.constant('2026-07-28T10:00:01Z'),
    ttlMs: fc.oneof(fc.constant(null), fc.nat()),
    pollIntervalMs: fc.nat(),
  },
  { requiredKeys: ['taskId', 'status', 'createdAt', 'lastUpdatedAt', 'ttlMs'] },
);

describe('a task in the words of either side', () => {
  it('is the same task again when it comes back', () => {
    fc.assert(
      fc.property(modernTask, (task) => {
        expect(toModernTask(toLegacyTask(task))).toEqual(task);
      }),
    );
  });

  it('names its durations as each side does', () => {
    const task = { taskId: 'a', status: 'working', ttlMs: 60_000, pollIntervalMs: 500 };
    expect(toLegacyTask(task)).toEqual({
      taskId: 'a',
      status: 'working',
      ttl: 60_000,
      pollInterval: 500,
    });
    expect(toLegacyTask({ taskId: 'a', ttlMs: null })).toEqual({ taskId: 'a', ttl: null });
  });

  it('leaves behind what only the extension tells with a state', () => {
    const told = { taskId: 'a', status: 'completed', ttlMs: 1, result: {}, resultType: 'complete' };
    expect(toLegacyTask({ ...told, inputRequests: {}, error: {}, _meta: {} })).toEqual({
      taskId: 'a',
      status: 'completed',
      ttl: 1,
    });
  });
});

it.each([
  [{ extensions: { 'io.modelcontextprotocol/tasks': {} } }, true],
  [{ extensions: { 'io.modelcontextprotocol/tasks': true } }, false],
  [{ tasks: {} }, false],
  [undefined, false],
])('%j declares the extension: %s', (capabilities, is) => {
  expect(declaresTasks(capabilities)).toBe(is);
});

it.each([
  [{ tasks: { requests: { tools: { call: {} } } } }, true],
  [{ tasks: { requests: { sampling: { createMessage: {} } } } }, false],
  [{ tasks: { list: {} } }, false],
  [{}, false],
])('%j runs tools as tasks: %s', (capabilities, is) => {
  expect(runsToolsAsTasks(capabilities)).toBe(is);
});

it('knows the states that are final', () => {
  expect(STATUSES.filter(isTerminal)).toEqual(['completed', 'failed', 'cancelled']);
});

it('knows the task a message is marked with', () => {
  const _meta = { 'io.modelcontextprotocol/related-task': { taskId: 'a' } };
  expect(relatedTaskOf({ _meta })).toBe('a');
  expect(relatedTaskOf({ taskId: 'a' })).toBeUndefined();
  expect(relatedTaskOf(undefined)).toBeUndefined();
});
