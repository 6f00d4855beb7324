/** What a request asks leave for, in the words of policies. */
import type { Message } from '../../core/protocol/message.ts';
import { readFilter } from '../../core/sessions/subscription.ts';
import { isText } from './cedar-value.ts';
import { decodedForms, templateForms, uriForms } from './uri-forms.ts';

export type Action = 'list' | 'call' | 'get' | 'read' | 'subscribe' | 'complete';

export type Target =
  | { readonly kind: 'server' }
  | { readonly kind: 'tool'; readonly name: string }
  | { readonly kind: 'prompt'; readonly name: string }
  | { readonly kind: 'resource'; readonly name: string }
  /** Of a task; it may be followed by whom its call is allowed. */
  | { readonly kind: 'task'; readonly name: string };

export interface Question {
  readonly action: Action;
  readonly target: Target;
  /** Of a tool. */
  readonly arguments?: unknown;
  /** Nothing has to permit it, and nothing may forbid it. */
  readonly passesByDefault?: boolean;
}

/**
 * Whoever is let in may say these: they tell nothing of what a server has. What was allowed once
 * may be given up when it is no more.
 */
const OPEN: ReadonlySet<string> = new Set([
  'initialize',
  'ping',
  'server/discover',
  'logging/setLevel',
  'resources/unsubscribe',
]);

/** Of a list, which holds what else is allowed and nothing more. */
const LIST: Question = { action: 'list', target: { kind: 'server' }, passesByDefault: true };

const LISTS: ReadonlySet<string> = new Set([
  'tools/list',
  'prompts/list',
  'resources/list',
  'resources/templates/list',
  'tasks/list',
]);

/**
 * All of them must be allowed; none is needed where the list is empty.
 * @returns undefined for a request that policies have no words for, or that lacks what they ask.
 */
export function questionsOf(message: Message): readonly Question[] | undefined {
  const method = message.method ?? '';
  if (OPEN.has(method)) return [];
  if (LISTS.has(method)) return [LIST];
  const params = recordOf(message.value);
  switch (method) {
    case 'tools/call':
      return one('call', 'tool', params['name'], params['arguments']);
    case 'prompts/get':
      return one('get', 'prompt', params['name']);
    case 'resources/read':
      return ofUri('read', params['uri']);
    case 'resources/subscribe':
      return ofUri('subscribe', params['uri']);
    case 'completion/complete':
      return completed(recordOf(params['ref']));
    case 'subscriptions/listen':
      return listened(params['notifications']);
    case 'tasks/get':
    case 'tasks/result':
    case 'tasks/update':
    case 'tasks/cancel':
      return one('call', 'task', params['taskId']);
    default:
      return undefined;
  }
}

export function recordOf(value: unknown): Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : {};
}

function one(
  action: Action,
  kind: Exclude<Target['kind'], 'server'>,
  name: unknown,
  given?: unknown,
): readonly Question[] | undefined {
  if (typeof name !== 'string' || !isText(name)) return undefined;
  return [{ action, target: { kind, name }, arguments: given }];
}

function ofUri(
  action: Action,
  uri: unknown,
  formsOf: (text: string) => readonly string[] = uriForms,
): readonly Question[] | undefined {
  if (typeof uri !== 'string' || !isText(uri)) return undefined;
  return [
    ...formsOf(uri).map((name) => ofResource(action, name)),
    ...decodedForms(uri).map((name) => ({ ...ofResource(action, name), passesByDefault: true })),
  ];
}

function ofResource(action: Action, name: string): Question {
  return { action, target: { kind: 'resource', name } };
}

function completed(ref: Readonly<Record<string, unknown>>): readonly Question[] | undefined {
  if (ref['type'] === 'ref/prompt') return one('complete', 'prompt', ref['name']);
  if (ref['type'] !== 'ref/resource') return undefined;
  return ofUri('complete', ref['uri'], templateForms);
}

/** Changes of lists tell nothing but that something changed. */
function listened(notifications: unknown): readonly Question[] | undefined {
  const { uris, taskIds = [] } = readFilter(recordOf(notifications));
  const asked = [
    ...[...uris].map((uri) => ofUri('subscribe', uri)),
    ...[...taskIds].map((taskId) => one('call', 'task', taskId)),
  ];
  return asked.every((each) => each !== undefined) ? asked.flat() : undefined;
}
