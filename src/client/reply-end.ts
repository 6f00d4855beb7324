/** What the end of a reply says about the server of a handshake era. */
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
  if (end.kind !== 'refused') return false;
  const code = (end.error?.value as { code?: unknown } | undefined)?.code;
  return typeof code === 'number' && code <= -32020 && code >= -32099;
}

/** Whether its caller can be told more than that the server is not there. */
export function hasReason(end: ReplyEnd): boolean {
  if (end.kind === 'unsent') return end.hint !== undefined;
  return end.kind === 'refused' && end.error !== undefined;
}

/** For the log. */
export function describeEnd(end: ReplyEnd): string {
  if (end.kind === 'refused') return `HTTP status ${end.status}`;
  return end.kind === 'complete' ? 'the reply held no answer' : end.detail;
}
