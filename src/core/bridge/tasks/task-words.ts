/**
 * A task in the words of either side: the experimental one of 2025-11-25, and the extension of
 * 2026. They name the same state differently.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks
 * @see https://modelcontextprotocol.io/extensions/tasks/overview
 */
import type { Refusal } from '../../errors.ts';

export type Members = Readonly<Record<string, unknown>>;

/** Whether a tool may, or must, be called so that a task comes of it. */
export type TaskSupport = 'optional' | 'required';

/** The extension by its name among `extensions`. */
export const TASKS_EXTENSION = 'io.modelcontextprotocol/tasks';
/** What 2025-11-25 marks every message of a task with, in `_meta`. */
export const RELATED_TASK = 'io.modelcontextprotocol/related-task';
/** The revision that has tasks of its own. */
export const LEGACY_TASKS_VERSION = '2025-11-25';

/** What a client is told that may turn tool calls into tasks; lists have no counterpart. */
export const LEGACY_TASKS: Members = { cancel: {}, requests: { tools: { call: {} } } };

/** As `requiredCapabilities` names it. */
export const TASKS_REQUIRED: Members = { extensions: { [TASKS_EXTENSION]: {} } };

const TERMINAL: ReadonlySet<unknown> = new Set(['completed', 'failed', 'cancelled']);

/** Members of a task that one side alone has, besides those that are only named differently. */
const OF_THE_EXTENSION: ReadonlySet<string> = new Set([
  'resultType',
  'inputRequests',
  'requestState',
  'result',
  'error',
  '_meta',
]);

/** Whether a side's capabilities name the extension. */
export function declaresTasks(capabilities: unknown): boolean {
  const { extensions } = membersOfValue(capabilities);
  return isMembers(membersOfValue(extensions)[TASKS_EXTENSION]);
}

/** Whether a server of 2025-11-25 says that it turns tool calls into tasks. */
export function runsToolsAsTasks(capabilities: unknown): boolean {
  const { tasks } = membersOfValue(capabilities);
  const { requests } = membersOfValue(tasks);
  const { tools } = membersOfValue(requests);
  return isMembers(membersOfValue(tools)['call']);
}

export function isTerminal(status: unknown): boolean {
  return TERMINAL.has(status);
}

/** @param task - the state alone, or a result of `tasks/get` or a notification that holds it. */
export function toLegacyTask(task: Members): Members {
  const { ttlMs, pollIntervalMs, ...rest } = task;
  const kept = Object.entries(rest).filter(([name]) => !OF_THE_EXTENSION.has(name));
  return {
    ...Object.fromEntries(kept),
    ttl: ttlMs ?? null,
    ...(pollIntervalMs === undefined ? {} : { pollInterval: pollIntervalMs }),
  };
}

/** The other way round; `_meta` is left to whoever writes the message. */
export function toModernTask(task: Members): Members {
  const { ttl, pollInterval, _meta, ...rest } = task;
  return {
    ...rest,
    ttlMs: ttl ?? null,
    ...(pollInterval === undefined ? {} : { pollIntervalMs: pollInterval }),
  };
}

/** Why its client may not call a tool that has to become a task. */
export function tasksFault(
  support: TaskSupport | undefined,
  hasTasks: boolean,
): Refusal | undefined {
  if (support !== 'required' || hasTasks) return undefined;
  const data = JSON.stringify({ requiredCapabilities: TASKS_REQUIRED });
  return { error: 'MISSING_CAPABILITY', data };
}

/** The task a message of 2025-11-25 belongs to. */
export function relatedTaskOf(params: unknown): string | undefined {
  const related = membersOfValue(membersOfValue(params)['_meta'])[RELATED_TASK];
  const { taskId } = membersOfValue(related);
  return typeof taskId === 'string' ? taskId : undefined;
}

/** The id that a request about a task names. */
export function taskIdOf(params: unknown): string | undefined {
  const { taskId } = membersOfValue(params);
  return typeof taskId === 'string' ? taskId : undefined;
}

export function membersOfValue(value: unknown): Members {
  return isMembers(value) ? value : {};
}

export function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
