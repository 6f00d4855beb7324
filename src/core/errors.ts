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

const entry = (
  httpStatus: number,
  rpcCode: number,
  retryable: boolean,
  message: string,
): ErrorEntry => ({ httpStatus, rpcCode, retryable, message });

export const ERRORS = {
  PARSE_ERROR: entry(400, -32700, false, 'The body is not valid JSON.'),
  BODY_NOT_UTF8: entry(400, -32700, false, 'The body is not valid UTF-8.'),
  INVALID_REQUEST: entry(400, -32600, false, 'The body is not a JSON-RPC 2.0 message.'),
  JSON_TOO_COMPLEX: entry(400, -32600, false, 'The JSON exceeds a bound of this server.'),
  BATCH_NOT_ALLOWED: entry(400, -32600, false, 'This protocol revision has no batches; send one message.'),
  BATCH_TOO_LARGE: entry(400, -32600, false, 'The batch has too many messages; split it.'),
  ALREADY_INITIALIZED: entry(400, -32600, false, 'This session is initialized; open a new one without a session id.'),
  NOT_INITIALIZED: entry(400, -32600, false, 'Send initialize first.'),
  SESSION_REQUIRED: entry(400, -32600, false, 'Send the Mcp-Session-Id header that initialize returned.'),
  SESSION_ID_MISSING: entry(400, -32600, false, 'Add the sessionId that the endpoint event gave.'),
  SESSION_NOT_FOUND: entry(404, -32001, false, 'Session not found; initialize a new one.'),
  UNKNOWN_EVENT: entry(400, -32600, false, 'Last-Event-ID is not known here; open the stream without it.'),
  PROTOCOL_VERSION_UNKNOWN: entry(400, -32600, false, 'MCP-Protocol-Version names no revision served here.'),
  UNSUPPORTED_PROTOCOL_VERSION: entry(400, -32022, false, 'Unsupported protocol version; use one of data.supported.'),
  LEGACY_ONLY: entry(400, -32600, false, 'This server speaks the initialize handshake; use a legacy revision.'),
  HEADER_MISMATCH: entry(400, -32020, false, 'A header is missing, malformed or differs from the body.'),
  MISSING_CAPABILITY: entry(400, -32021, false, 'Declare the client capabilities in data.requiredCapabilities.'),
  INVALID_PARAMS: entry(400, -32602, false, 'The params are not valid for this method.'),
  METHOD_NOT_FOUND: entry(404, -32601, false, 'This method does not exist in this revision.'),
  ROUTE_NOT_FOUND: entry(404, -32600, false, 'Nothing is served at this path.'),
  METHOD_NOT_ALLOWED: entry(405, -32600, false, 'This HTTP method is not served here; see the Allow header.'),
  NOT_ACCEPTABLE: entry(406, -32600, false, 'Accept application/json or text/event-stream.'),
  STREAM_NOT_ACCEPTABLE: entry(406, -32600, false, 'Accept text/event-stream.'),
  UNSUPPORTED_MEDIA_TYPE: entry(415, -32600, false, 'Send Content-Type: application/json without an encoding.'),
  BODY_TOO_LARGE: entry(413, -32600, false, 'The body is larger than this server takes.'),
  HOST_NOT_ALLOWED: entry(403, -32600, false, 'The Host header is not one this server answers to.'),
  ORIGIN_NOT_ALLOWED: entry(403, -32600, false, 'This origin may not call this server from a browser.'),
  HOST_MALFORMED: entry(400, -32600, false, 'The Host header is malformed or repeated.'),
  HEADER_REPEATED: entry(400, -32600, false, 'A header that may occur once occurs more than once.'),
  UNAUTHORIZED: entry(401, -32600, false, 'Send a valid credential in the Authorization header.'),
  FORBIDDEN: entry(403, -32600, false, 'This credential does not allow that.'),
  TOO_MANY_SESSIONS: entry(429, -32003, true, 'Too many sessions; end some or retry later.'),
  TOO_MANY_STREAMS: entry(429, -32003, true, 'Too many open streams; close some or retry later.'),
  TOO_MANY_REQUESTS: entry(429, -32003, true, 'Too many requests in flight; retry when some have ended.'),
  SHUTTING_DOWN: entry(503, -32004, true, 'The server is shutting down; retry in a moment.'),
  UPSTREAM_UNAVAILABLE: entry(502, -32010, true, 'upstream unavailable'),
  UPSTREAM_BUSY: entry(503, -32010, true, 'upstream unavailable: it is not reading its input; retry later.'),
  UPSTREAM_MESSAGE_TOO_LARGE: entry(502, -32010, false, 'The upstream sent a message larger than this server relays.'),
  ANSWER_EVICTED: entry(200, -32011, true, 'The answer fell out of the event log before it was fetched.'),
  CALL_TIMED_OUT: entry(504, -32013, true, 'The call exceeded the longest duration this server allows.'),
  NO_ORIGINATING_REQUEST: entry(200, -32603, false, 'No originating request: this question belongs to no one client.'),
  INTERNAL: entry(500, -32603, false, 'Internal error.'),
} as const satisfies Record<string, ErrorEntry>;

export type ErrorCode = keyof typeof ERRORS;

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
}

/**
 * The JSON-RPC error response for a refusal.
 * @param id - the JSON token of the request's id; without one the reply has `"id":null` as JSON-RPC 2.0 section 5 asks.
 */
export function errorResponse(refusal: Refusal): string {
  const { rpcCode, message } = ERRORS[refusal.error];
  const text = JSON.stringify(refusal.detail ?? message);
  const data = refusal.data === undefined ? '' : `,"data":${refusal.data}`;
  return `{"jsonrpc":"2.0","id":${refusal.id ?? 'null'},"error":{"code":${rpcCode},"message":${text}${data}}}`;
}
