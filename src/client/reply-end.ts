/** What the end of a reply says about the server, and about the call that it was to answer. */
import type { Message } from '../core/protocol/message.ts';
import { describeStatus } from './http-status.ts';
import type { ReplyEnd } from './reply.ts';

/**
 * Whether the server may be one of the older transport.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#http-sse-transport-2024-11-05
 */
export function isUnsupported(end: ReplyEnd): boolean {
  if (end.kind !== 'refused' || isModernRefusal(end)) return false;
  return end.status === 400 || end.status === 404 || end.status === 405;
}

/** Whether the error's code is one of those that only the stateless revision has. */
export function isModernRefusal(end: ReplyEnd): boolean {
  const code = codeIn(end);
  return code !== undefined && code <= -32020 && code >= -32099;
}

/**
 * The server's own answer to a call, where the reply that refused it holds one. A 401 speaks of our
 * credential, and a 404 or 405 that names neither the call nor its method of our URL: that is
 * nothing whoever made the call could mend. A server in this process speaks of the caller's own.
 */
export function answerIn(end: ReplyEnd, id: string): Message | undefined {
  if (end.kind !== 'refused' || end.error === undefined) return undefined;
  const isOfUrl = end.status === 404 || end.status === 405;
  const isOfCall = end.error.id === id || codeIn(end) === METHOD_NOT_FOUND || isModernRefusal(end);
  const isOurs = end.status === 401 || (isOfUrl && !isOfCall);
  return isOurs && end.isLocal !== true ? undefined : end.error.withId(id);
}

const METHOD_NOT_FOUND = -32601;

function codeIn(end: ReplyEnd): number | undefined {
  if (end.kind !== 'refused') return undefined;
  const code = (end.error?.value as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' ? code : undefined;
}

/**
 * Whether a stream that was refused may be had a little later: overload passes, and so does the
 * conflict with the stream before, whose break the server has not noticed yet. Whatever else was
 * refused would be refused again.
 */
export function isPassing(status: number): boolean {
  return status === 409 || status === 429 || status >= 500;
}

/** Whether its caller can be told more than that the server is not there. */
export function hasReason(end: ReplyEnd): boolean {
  if (end.kind === 'unsent') return end.hint !== undefined;
  return end.kind === 'refused' && end.error !== undefined;
}

/** For the log, and for whoever has to be told why. */
export function describeEnd(end: ReplyEnd): string {
  if (end.kind === 'refused') return describeStatus(end.status, end.retryAfterMs);
  return end.kind === 'complete' ? 'the reply held no answer' : end.detail;
}
