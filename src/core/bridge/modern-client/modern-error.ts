/**
 * Errors of the handshake revisions in the codes of 2026. Codes that now belong to the
 * specification with another meaning are not passed on as they are.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
import { Message } from '../../protocol/message.ts';

const RESOURCE_NOT_FOUND = -32002;
const URL_ELICITATION_REQUIRED = -32042;
const INVALID_PARAMS = -32602;
const INTERNAL_ERROR = -32603;

interface ErrorBody {
  readonly code?: unknown;
  readonly message?: unknown;
  readonly data?: unknown;
}

/** @param uri - of the request, for `resources/read`. */
export function toModernError(message: Message, uri: string | undefined): Message {
  const id = message.id ?? 'null';
  const { code, message: text, data } = (message.value ?? {}) as ErrorBody;
  const isMissing = code === RESOURCE_NOT_FOUND;
  if (isMissing || (code === INVALID_PARAMS && uri !== undefined && data === undefined)) {
    const known = typeof data === 'object' && data !== null ? data : {};
    const named = { ...(uri === undefined ? {} : { uri }), ...known };
    const body = { code: INVALID_PARAMS, message: text, data: named };
    return Message.error(id, JSON.stringify(body));
  }
  if (typeof code === 'number' && code <= -32000 && code >= -32099) {
    const body = { code: INTERNAL_ERROR, message: text, data: { code, message: text, data } };
    return Message.error(id, JSON.stringify(body));
  }
  return message;
}

/** A page the user must visit before the call can succeed. */
export interface UrlElicitation {
  readonly message: string;
  readonly url: string;
}

/**
 * What an error says must be visited first; undefined for every other error.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/client/elicitation#url-elicitation-required-error
 */
export function urlElicitations(message: Message): readonly UrlElicitation[] | undefined {
  const { code, data } = (message.value ?? {}) as ErrorBody;
  if (!message.isError || code !== URL_ELICITATION_REQUIRED) return undefined;
  const { elicitations } = (data ?? {}) as { elicitations?: unknown };
  if (!Array.isArray(elicitations)) return undefined;
  const found = elicitations.filter(isUrlElicitation);
  return found.length > 0 ? found : undefined;
}

function isUrlElicitation(value: unknown): value is UrlElicitation {
  const { url, message } = (value ?? {}) as Partial<UrlElicitation>;
  return typeof url === 'string' && typeof message === 'string';
}
