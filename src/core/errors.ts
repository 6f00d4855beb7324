/**
 * The one registry of what we refuse and how we say it.
 *
 * A peer's fault is a value (`Refusal`), never a throw. Codes -32020 and beyond belong to the
 * specification; ours lie in -32019…-32000. A message tells the peer what to do and never who else
 * exists. `docs/reference/errors.md` is checked against this table.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/index#error-codes
 */
export interface ErrorEntry {
  /** HTTP status when the reply is still undecided. */
  readonly httpStatus: number;
  readonly rpcCode: number;
  /** Whether the same request may succeed later, unchanged. */
  readonly retryable: boolean;
  /** One sentence that tells the peer what to do. */
  readonly message: string;
}

export const ERRORS = {
  PARSE_ERROR: {
    httpStatus: 400,
    rpcCode: -32700,
    retryable: false,
    message: 'The body is not valid JSON.',
  },
  BODY_NOT_UTF8: {
    httpStatus: 400,
    rpcCode: -32700,
    retryable: false,
    message: 'The body is not valid UTF-8.',
  },
  INVALID_REQUEST: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'The body is not a JSON-RPC 2.0 message.',
  },
  JSON_TOO_COMPLEX: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'The JSON exceeds a bound of this server.',
  },
  BATCH_NOT_ALLOWED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'This protocol revision has no batches; send one message.',
  },
  BATCH_TOO_LARGE: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'The batch has too many messages; split it.',
  },
  ALREADY_INITIALIZED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'This session is initialized; open a new one without a session id.',
  },
  NOT_INITIALIZED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'Send initialize first.',
  },
  SESSION_REQUIRED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'Send the Mcp-Session-Id header that initialize returned.',
  },
  SESSION_ID_MISSING: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'Add the sessionId that the endpoint event gave.',
  },
  SESSION_NOT_FOUND: {
    httpStatus: 404,
    rpcCode: -32001,
    retryable: false,
    message: 'Session not found; initialize a new one.',
  },
  SESSION_ENDED: {
    httpStatus: 200,
    rpcCode: -32001,
    retryable: false,
    message: 'The session ended before the answer; initialize a new one.',
  },
  UNKNOWN_EVENT: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'Last-Event-ID is not known here; open the stream without it.',
  },
  STREAM_COMPLETE: {
    httpStatus: 405,
    rpcCode: -32600,
    retryable: false,
    message: 'This stream is complete and was sent in full; there is nothing to come back for.',
  },
  PROTOCOL_VERSION_UNKNOWN: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'MCP-Protocol-Version names no revision served here.',
  },
  UNSUPPORTED_PROTOCOL_VERSION: {
    httpStatus: 400,
    rpcCode: -32022,
    retryable: false,
    message: 'Unsupported protocol version; use one of data.supported.',
  },
  LEGACY_ONLY: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'This server speaks the initialize handshake; use a legacy revision.',
  },
  HEADER_MISMATCH: {
    httpStatus: 400,
    rpcCode: -32020,
    retryable: false,
    message: 'A header is missing, malformed or differs from the body.',
  },
  MISSING_CAPABILITY: {
    httpStatus: 400,
    rpcCode: -32021,
    retryable: false,
    message: 'Declare the client capabilities in data.requiredCapabilities.',
  },
  INVALID_PARAMS: {
    httpStatus: 400,
    rpcCode: -32602,
    retryable: false,
    message: 'The params are not valid for this method.',
  },
  METHOD_NOT_FOUND: {
    httpStatus: 404,
    rpcCode: -32601,
    retryable: false,
    message: 'This method does not exist in this revision.',
  },
  ROUTE_NOT_FOUND: {
    httpStatus: 404,
    rpcCode: -32600,
    retryable: false,
    message: 'Nothing is served at this path.',
  },
  METHOD_NOT_ALLOWED: {
    httpStatus: 405,
    rpcCode: -32600,
    retryable: false,
    message: 'This HTTP method is not served here; see the Allow header.',
  },
  NOT_ACCEPTABLE: {
    httpStatus: 406,
    rpcCode: -32600,
    retryable: false,
    message: 'Accept application/json or text/event-stream.',
  },
  STREAM_NOT_ACCEPTABLE: {
    httpStatus: 406,
    rpcCode: -32600,
    retryable: false,
    message: 'Accept text/event-stream.',
  },
  UNSUPPORTED_MEDIA_TYPE: {
    httpStatus: 415,
    rpcCode: -32600,
    retryable: false,
    message: 'Send Content-Type: application/json without an encoding.',
  },
  BODY_TOO_LARGE: {
    httpStatus: 413,
    rpcCode: -32600,
    retryable: false,
    message: 'The body is larger than this server takes.',
  },
  BODY_TOO_SLOW: {
    httpStatus: 408,
    rpcCode: -32600,
    retryable: true,
    message: 'The body came too slowly; send it again.',
  },
  BODY_READ_BEFORE: {
    httpStatus: 500,
    rpcCode: -32603,
    retryable: false,
    message: 'Something read the body first; mount the handler before whatever reads bodies.',
  },
  HOST_NOT_ALLOWED: {
    httpStatus: 403,
    rpcCode: -32600,
    retryable: false,
    message: 'The Host header is not one this server answers to.',
  },
  ORIGIN_NOT_ALLOWED: {
    httpStatus: 403,
    rpcCode: -32600,
    retryable: false,
    message: 'This origin may not call this server from a browser.',
  },
  HOST_MALFORMED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'The Host header is malformed or repeated.',
  },
  HEADER_REPEATED: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'A header that may occur once occurs more than once.',
  },
  UNAUTHORIZED: {
    httpStatus: 401,
    rpcCode: -32600,
    retryable: false,
    message: 'Send a valid credential in the Authorization header.',
  },
  CREDENTIAL_IN_URL: {
    httpStatus: 400,
    rpcCode: -32600,
    retryable: false,
    message: 'A URL may hold no access token; send it in the Authorization header.',
  },
  CREDENTIAL_UNVERIFIABLE: {
    httpStatus: 503,
    rpcCode: -32004,
    retryable: true,
    message: 'The credential cannot be verified now; retry later.',
  },
  CREDENTIAL_EXPIRED: {
    httpStatus: 401,
    rpcCode: -32600,
    retryable: true,
    message: 'The credential ended before the answer; call again with a fresh one.',
  },
  FORBIDDEN: {
    httpStatus: 403,
    rpcCode: -32600,
    retryable: false,
    message: 'This credential does not allow that.',
  },
  TOO_MANY_SESSIONS: {
    httpStatus: 429,
    rpcCode: -32003,
    retryable: true,
    message: 'Too many sessions; end some or retry later.',
  },
  TOO_MANY_STREAMS: {
    httpStatus: 429,
    rpcCode: -32003,
    retryable: true,
    message: 'Too many open streams; close some or retry later.',
  },
  TOO_MANY_INSTANCES: {
    httpStatus: 429,
    rpcCode: -32003,
    retryable: true,
    message: 'Too many upstream instances; end some sessions or retry later.',
  },
  TOO_MANY_REQUESTS: {
    httpStatus: 429,
    rpcCode: -32003,
    retryable: true,
    message: 'Too many requests in flight; retry when some have ended.',
  },
  RATE_LIMITED: {
    httpStatus: 429,
    rpcCode: -32003,
    retryable: true,
    message: 'Too much at a time; retry after the seconds in Retry-After.',
  },
  SHUTTING_DOWN: {
    httpStatus: 503,
    rpcCode: -32004,
    retryable: true,
    message: 'The server is shutting down; retry in a moment.',
  },
  AUDIT_UNAVAILABLE: {
    httpStatus: 503,
    rpcCode: -32004,
    retryable: true,
    message: 'Calls cannot be recorded now, and must be; retry later.',
  },
  UPSTREAM_UNAVAILABLE: {
    httpStatus: 502,
    rpcCode: -32010,
    retryable: true,
    message: 'upstream unavailable',
  },
  UPSTREAM_BUSY: {
    httpStatus: 503,
    rpcCode: -32010,
    retryable: true,
    message: 'upstream unavailable: it is not reading its input; retry later.',
  },
  UPSTREAM_MESSAGE_TOO_LARGE: {
    httpStatus: 502,
    rpcCode: -32010,
    retryable: false,
    message: 'The upstream sent an answer that cannot be relayed: too large, or no valid message.',
  },
  ANSWER_EVICTED: {
    httpStatus: 200,
    rpcCode: -32011,
    retryable: true,
    message: 'The answer fell out of the event log before it was fetched.',
  },
  CALL_TIMED_OUT: {
    httpStatus: 504,
    rpcCode: -32013,
    retryable: true,
    message: 'The call exceeded the longest duration this server allows.',
  },
  NO_ORIGINATING_REQUEST: {
    httpStatus: 200,
    rpcCode: -32603,
    retryable: false,
    message: 'No originating request: this question belongs to no one client.',
  },
  REQUEST_STATE_INVALID: {
    httpStatus: 200,
    rpcCode: -32602,
    retryable: false,
    message: 'requestState invalid or expired; make the request again without it.',
  },
  TOO_MANY_ROUNDS: {
    httpStatus: 200,
    rpcCode: -32603,
    retryable: false,
    message: 'The server asked its client too many times for one call.',
  },
  ANSWER_DECLINED: {
    httpStatus: 200,
    rpcCode: -32603,
    retryable: false,
    message: 'The user declined what the server requires first.',
  },
  CLIENT_GONE: {
    httpStatus: 200,
    rpcCode: -32603,
    retryable: true,
    message: 'The client is gone: nobody is left to ask.',
  },
  INTERNAL: { httpStatus: 500, rpcCode: -32603, retryable: false, message: 'Internal error.' },
} as const;

export type ErrorCode = keyof typeof ERRORS;

const ENTRIES: Readonly<Record<ErrorCode, ErrorEntry>> = ERRORS;

/** A refusal as a value: which entry, and what this one request needs said besides. */
export interface Refusal {
  readonly error: ErrorCode;
  /** The JSON token of the request's id, when it could be read. */
  readonly id?: string | undefined;
  /** Replaces the entry's sentence; must not hold secrets or anything about others. */
  readonly detail?: string | undefined;
  /** JSON text for `error.data`. */
  readonly data?: string | undefined;
  /** Further response headers, flat: name, value, name, value. */
  readonly headers?: readonly string[] | undefined;
  /**
   * Of `FORBIDDEN`: every scope the operation needs. Becomes, with what the credential has, the
   * challenge of the reply.
   * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#runtime-insufficient-scope-errors
   */
  readonly scopes?: readonly string[] | undefined;
}

/**
 * The JSON-RPC error response for a refusal.
 * @param id - the JSON token of the request's id; without one the reply has `"id":null` as JSON-RPC
 * 2.0 section 5 asks.
 */
export function errorResponse({ error, id, detail, data }: Refusal): string {
  const isPlain = id === undefined && detail === undefined && data === undefined;
  const known = isPlain ? plainTexts.get(error) : undefined;
  if (known !== undefined) return known;
  const { rpcCode, message } = ENTRIES[error];
  const more = data === undefined ? '' : `,"data":${data}`;
  const fields = `"code":${rpcCode},"message":${JSON.stringify(detail ?? message)}${more}`;
  const text = `{"jsonrpc":"2.0","id":${id ?? 'null'},"error":{${fields}}}`;
  if (isPlain) plainTexts.set(error, text);
  return text;
}

/** A stranger may be refused as often as he likes: always in the same words. */
const plainTexts = new Map<ErrorCode, string>();
