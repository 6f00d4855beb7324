/**
 * Errors of the stateless revision in the words of the handshake eras.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
import { Message } from '../../protocol/message.ts';

const INVALID_PARAMS = -32602;
const INTERNAL = -32603;
const INVALID_REQUEST = -32600;
/** @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#error-handling */
const RESOURCE_NOT_FOUND = -32002;
const HEADER_MISMATCH = -32020;
const MISSING_CAPABILITY = -32021;
const UNSUPPORTED_VERSION = -32022;

/** @param method - of the request that failed. */
export function legacyError(message: Message, method: string): Message {
  const error = message.value as { code?: unknown; message?: unknown; data?: unknown };
  const id = message.id ?? 'null';
  switch (error.code) {
    case INVALID_PARAMS: {
      const uri = (error.data as { uri?: unknown } | undefined)?.uri;
      if (method !== 'resources/read' || uri === undefined) return message;
      return Message.error(id, JSON.stringify({ ...error, code: RESOURCE_NOT_FOUND }));
    }
    case MISSING_CAPABILITY:
      return failure(id, method, INVALID_REQUEST, missingText(error.data));
    case HEADER_MISMATCH:
    case UNSUPPORTED_VERSION:
      return Message.error(id, errorText(INTERNAL, `The server refused us: ${said(error)}`));
    default:
      return message;
  }
}

/**
 * What cannot be carried across: a tool's result that says so, which its caller reads, else an
 * error.
 */
export function failedAcross(id: string, method: string, text: string): Message {
  return failure(id, method, INTERNAL, text);
}

function failure(id: string, method: string, code: number, text: string): Message {
  if (method !== 'tools/call') return Message.error(id, errorText(code, text));
  const content = [{ type: 'text', text }];
  return Message.result(id, JSON.stringify({ content, isError: true }));
}

function errorText(code: number, message: string): string {
  return JSON.stringify({ code, message });
}

function missingText(data: unknown): string {
  const required = (data as { requiredCapabilities?: unknown } | undefined)?.requiredCapabilities;
  const names = typeof required === 'object' && required !== null ? Object.keys(required) : [];
  const what = names.length === 0 ? 'a capability' : names.join(', ');
  return `This needs ${what}, which the client cannot offer on this connection.`;
}

function said(error: { readonly message?: unknown }): string {
  return typeof error.message === 'string' ? error.message : 'without a reason.';
}
