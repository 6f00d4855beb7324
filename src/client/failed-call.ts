/** The answers we give in a server's place when it gives none. */
import { CONNECTION_LOST_TEXT } from '../core/connection-lost.ts';
import { errorResponse, type Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import type { ReplyEnd } from './reply.ts';
import { answerIn, describeEnd } from './reply-end.ts';

/** A refusal as the error response of one request. */
export function failedCall(id: string, refusal: Refusal): Message {
  const text = errorResponse({ ...refusal, id });
  const answer = Message.error(id, text.slice(text.indexOf('"error":') + '"error":'.length, -1));
  // Whoever looks at the server is told what it did, and not that it gave this answer.
  return refusal.detail === undefined ? answer : answer.because(refusal.detail);
}

/** How much the server did is unknown, so the call is not repeated: whoever made it decides. */
export const CONNECTION_LOST: Refusal = {
  error: 'INTERNAL',
  detail: CONNECTION_LOST_TEXT,
};

/** The server answered with something that is no answer. */
export const BAD_REPLY: Refusal = {
  error: 'INTERNAL',
  detail: 'the upstream sent a reply that is not of this protocol',
};

export const UNAVAILABLE: Refusal = { error: 'UPSTREAM_UNAVAILABLE' };

/** The server was not reached or refused the request: with what may be said about it. */
export function unavailable(end: ReplyEnd): Refusal {
  const hint = end.kind === 'refused' ? `${describeEnd(end)}.` : reasonOf(end);
  if (hint === undefined) return UNAVAILABLE;
  return { ...UNAVAILABLE, detail: `upstream unavailable: ${hint}` };
}

/** The answer to a call that the server refused as a whole. */
export function refusedAnswer(id: string, end: ReplyEnd): Message {
  const answer = answerIn(end, id) ?? failedCall(id, unavailable(end));
  const reason = reasonOf(end);
  return reason === undefined ? answer : answer.because(reason);
}

function reasonOf(end: ReplyEnd): string | undefined {
  if (end.kind === 'unsent') return end.hint;
  return end.kind === 'refused' ? describeEnd(end) : undefined;
}

/** It forgot the session of the call, and then the one that was opened in its place. */
export const FORGETFUL = 'it does not know a session that it opened a moment ago';
export const SESSION_LOST: Refusal = {
  ...UNAVAILABLE,
  detail: `upstream unavailable: ${FORGETFUL}.`,
};

/**
 * Methods that only look: sent again over a new connection when a kept one turns out to be dead.
 */
export function isRepeatable(method: string | undefined): boolean {
  return method !== undefined && LOOKING.has(method);
}

const LOOKING: ReadonlySet<string> = new Set([
  'completion/complete',
  'initialize',
  'notifications/initialized',
  'ping',
  'prompts/get',
  'prompts/list',
  'resources/list',
  'resources/read',
  'resources/templates/list',
  'server/discover',
  'subscriptions/listen',
  'tasks/get',
  'tools/list',
]);
