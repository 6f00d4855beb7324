/**
 * Clients of the stateless revision, said by hand: every header and every member is the test's to
 * choose.
 */
import type { Headers } from './conversation.ts';
import { postOf } from './conversation.ts';
import type { Json, WireReply, WireRequest } from './wire-reply.ts';
import type { WireServer } from './wire-server.ts';

export const VERSION = '2026-07-28';
export const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

const META = 'io.modelcontextprotocol/';
const NAMED: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
};

export interface Said {
  /** Added to the headers a good client sends; undefined leaves one out. */
  readonly headers?: Headers;
  /**
   * Added to `_meta`; undefined leaves a member out. Short names get the specification's prefix.
   */
  readonly meta?: Json;
  /** Who calls. */
  readonly token?: string;
}

/** A request with everything the revision asks for, but for what the test says otherwise. */
export function modern(
  id: unknown,
  method: string,
  params: Json = {},
  said: Said = {},
): WireRequest {
  const body = { jsonrpc: '2.0', id, method, params: { ...params, _meta: metaOf(said.meta) } };
  return postOf('/mcp', body, headersOf(method, params, said));
}

/** The text of a body as it is, with the headers of a good client. */
export function modernText(method: string, params: Json, text: string): WireRequest {
  return postOf('/mcp', text, headersOf(method, params, {}));
}

/** A call of a tool that answers when the test says so. */
export function callLater(id: unknown, said: Said = {}, name = 'later'): WireRequest {
  return modern(id, 'tools/call', { name, arguments: {} }, said);
}

export function callNow(id: unknown, said: Said = {}): WireRequest {
  return callLater(id, said, 'now');
}

export function listenTo(id: unknown, notifications: Json, said: Said = {}): WireRequest {
  return modern(id, 'subscriptions/listen', { notifications }, said);
}

export function metaOf(more: Json = {}): Json {
  const meta: Record<string, unknown> = {
    [`${META}protocolVersion`]: VERSION,
    [`${META}clientInfo`]: { name: 'wire', version: '1.0.0' },
    [`${META}clientCapabilities`]: {},
  };
  for (const [name, value] of Object.entries(more)) {
    const isBare = name.includes('/') || name === 'progressToken';
    meta[isBare ? name : META + name] = value;
  }
  return meta;
}

/** The one message of a reply, be it JSON or the last of a stream. */
export async function answerOf(reply: WireReply): Promise<Json> {
  await reply.whole();
  const isStream = reply.header('content-type') === 'text/event-stream';
  return isStream ? (reply.messages.at(-1) as Json) : (JSON.parse(reply.text) as Json);
}

/** The first text of a tool's answer. */
export async function textOf(reply: WireReply): Promise<string> {
  const { result } = (await answerOf(reply)) as { result: { content: { text: string }[] } };
  return result.content[0]?.text ?? '';
}

export async function errorOf(reply: WireReply): Promise<{
  readonly id: unknown;
  readonly code: number;
  readonly message: string;
  readonly data: Json;
}> {
  const { id, error } = (await answerOf(reply)) as { id: unknown; error: Json };
  return { id, ...error } as never;
}

/** Opens a listen and waits for its acknowledgment. */
export async function listening(
  server: WireServer,
  id: unknown,
  notifications: Json,
  said: Said = {},
): Promise<WireReply> {
  const reply = server.send(listenTo(id, notifications, said));
  await reply.message(0);
  return reply;
}

/** The id a message of a listen stream is stamped with. */
export function stampOf(message: Json): unknown {
  const body = (message['params'] ?? message['result']) as { _meta: Json };
  return body._meta[SUBSCRIPTION_ID];
}

function headersOf(method: string, params: Json, { headers, token }: Said): Headers {
  const source = NAMED[method];
  const name = source === undefined ? undefined : params[source];
  return {
    'mcp-protocol-version': VERSION,
    'mcp-method': method,
    'mcp-name': typeof name === 'string' ? name : undefined,
    authorization: token === undefined ? undefined : `Bearer ${token}`,
    ...headers,
  };
}
