/**
 * A server's question to its client as an entry of `inputRequests`, and the client's answer to it.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#inputrequests
 */
import type { QuestionMethod } from './client-capabilities.ts';
import type { UrlElicitation } from './modern-error.ts';

/** A server that wants its question under a name of its own says it in the question's `_meta`. */
export const INPUT_KEY = 'tidegate/inputKey';

const KEY_CHARS_MAX = 128;

export interface InputRequest {
  /** Unique within the call. */
  readonly key: string;
  readonly method: QuestionMethod;
  /** The entry as JSON text. */
  readonly text: string;
}

type Members = Readonly<Record<string, unknown>>;

/**
 * @param isTaken - whether the call has a question under this key.
 * @param number - of the question within its call, for questions without a name.
 */
export function inputRequestOf(
  method: QuestionMethod,
  params: unknown,
  number: number,
  isTaken: (key: string) => boolean,
): InputRequest {
  const { _meta, elicitationId: _id, task: _task, ...rest } = isObject(params) ? params : {};
  const name = isObject(_meta) ? _meta[INPUT_KEY] : undefined;
  const isNamed = typeof name === 'string' && name !== '' && name.length <= KEY_CHARS_MAX;
  const wanted = isNamed && !isTaken(name) ? name : `${KINDS[method]}-${number}`;
  return { key: wanted, method, text: JSON.stringify({ method, params: rest }) };
}

const KINDS: Readonly<Record<QuestionMethod, string>> = {
  'roots/list': 'roots',
  'sampling/createMessage': 'sampling',
  'elicitation/create': 'elicitation',
};

/** An error that asks for visits, as questions. */
export function inputRequestsOf(visits: readonly UrlElicitation[]): string {
  const entries = visits.map(({ message, url }, index) => [
    `visit-${index + 1}`,
    { method: 'elicitation/create', params: { mode: 'url', message, url } },
  ]);
  return JSON.stringify(Object.fromEntries(entries));
}

/**
 * The usable answers of a retry, by key. A value that is no answer to its question counts as
 * missing, so that it is asked for again.
 */
export function readAnswers(inputResponses: unknown): ReadonlyMap<string, Members> {
  const entries = isObject(inputResponses) ? Object.entries(inputResponses) : [];
  return new Map(entries.filter((entry): entry is [string, Members] => isObject(entry[1])));
}

export function isAnswer(method: QuestionMethod, answer: Members): boolean {
  switch (method) {
    case 'roots/list':
      return Array.isArray(answer['roots']);
    case 'sampling/createMessage':
      return typeof answer['role'] === 'string' && isContent(answer['content']);
    default:
      return ['accept', 'decline', 'cancel'].includes(answer['action'] as string);
  }
}

function isContent(value: unknown): boolean {
  return typeof value === 'object' && value !== null;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
