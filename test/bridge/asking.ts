/**
 * A 2026 client and a scripted server of the handshake revisions that asks in the middle of calls.
 */
import { answerOf, modern, type Said } from '../wire/client-2026.ts';
import type { HandCall, HandConnection } from '../wire/hand-upstream.ts';
import type { Json, WireRequest } from '../wire/wire-reply.ts';
import type { WireServer } from '../wire/wire-server.ts';

export const CAN_ALL = { elicitation: { form: {}, url: {} }, sampling: {}, roots: {} };
export const YES = { action: 'accept', content: { ok: true } };
const FORM = { message: 'Sure?', requestedSchema: { type: 'object', properties: {} } };

export interface Asked {
  readonly resultType: string;
  readonly inputRequests: Readonly<
    Record<string, { readonly method: string; readonly params: Json }>
  >;
  readonly requestState: string;
}

/** A tool call of a client that can be asked everything. */
export function call(id: unknown, params: Json = {}, said: Said = {}): WireRequest {
  const meta = { clientCapabilities: CAN_ALL, ...said.meta };
  return modern(id, 'tools/call', { name: 'later', arguments: {}, ...params }, { ...said, meta });
}

/** The same call again, with answers to what was asked. */
export function retry(
  id: unknown,
  { requestState }: Asked,
  inputResponses: Json,
  params: Json = {},
  said: Said = {},
): WireRequest {
  return call(id, { requestState, inputResponses, ...params }, said);
}

export function elicit(of: HandCall, id: unknown = 'q', params: Json = FORM): void {
  of.ask(id, 'elicitation/create', params);
}

export async function asked(server: WireServer, request: WireRequest): Promise<Asked> {
  const { result } = (await answerOf(await server.fetch(request))) as { result: Asked };
  if (result?.resultType !== 'input_required')
    throw new Error(`Not asked: ${JSON.stringify(result)}`);
  return result;
}

/** What the server was answered to a question of its own, once it was. */
export async function answerTo(connection: HandConnection, id: string): Promise<Json> {
  const found = (): Json | undefined => {
    const message = connection.sent.find((each) => each.kind === 'response' && each.id === id);
    if (message === undefined) return undefined;
    return message.isError ? { error: message.value } : { result: message.value };
  };
  await connection.upstream.until(() => found() !== undefined, `the answer to ${id}`);
  return found() as Json;
}
