/**
 * What a server of the stateless revision asks for before it can answer, read from its result.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr#inputrequiredresult
 */
import type { Message } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';
import type { LegacyClient } from './legacy-client.ts';

/** One question of a round. */
export interface InputRequest {
  /** The server's name for it. */
  readonly key: string;
  readonly method: string;
  /** JSON text; undefined when it has none. */
  readonly params: string | undefined;
  /** Whether it sends the user to a page, outside of the client. */
  readonly isUrl: boolean;
}

export interface InputRound {
  readonly requests: readonly InputRequest[];
  /** The JSON token of the state to send back, exactly as it came. */
  readonly requestState: string | undefined;
}

/** A round that cannot be played, and why. */
export interface UnplayableRound {
  readonly fault: string;
}

/** Requests whose answer may be a question. */
const MAY_ASK: ReadonlySet<string> = new Set(['tools/call', 'prompts/get', 'resources/read']);

/** Questions of one round: a person must answer them. */
const REQUESTS_MAX = 32;

type Members = Readonly<Record<string, unknown>>;

export function isInputRequired(message: Message): boolean {
  return (message.value as { resultType?: unknown }).resultType === 'input_required';
}

/**
 * Reads a round and checks all of it before anything of it is asked.
 * @param method - of the request that was answered so.
 */
export function readRound(
  message: Message,
  method: string,
  client: LegacyClient,
): InputRound | UnplayableRound {
  if (!MAY_ASK.has(method)) return { fault: `The server must not ask for input in ${method}.` };
  const result = message.value as Members;
  const members = membersOf(message.payload ?? '{}');
  const requests: InputRequest[] = [];
  if (isMembers(result['inputRequests'])) {
    const asked = members.find(({ name }) => name === 'inputRequests')?.value ?? '{}';
    const entries = membersOf(asked);
    if (entries.length > REQUESTS_MAX) return { fault: 'The server asks for too much at once.' };
    for (const { name, value } of entries) {
      const request = readRequest(name, value, result['inputRequests'][name], client);
      if ('fault' in request) return request;
      requests.push(request);
    }
  }
  const hasState = typeof result['requestState'] === 'string';
  if (requests.length === 0 && !hasState) {
    return { fault: 'The server asked for input without saying which.' };
  }
  const state = members.find(({ name }) => name === 'requestState')?.value;
  return { requests, requestState: hasState ? state : undefined };
}

function readRequest(
  key: string,
  text: string,
  entry: unknown,
  client: LegacyClient,
): InputRequest | UnplayableRound {
  const { method, params = {} } = isMembers(entry) ? entry : {};
  if (typeof method !== 'string' || !isMembers(params)) {
    return { fault: `The server asked for input that cannot be understood: ${key}.` };
  }
  if (!client.canAnswer(method, params)) {
    return { fault: `The server asks for ${method}, which this client did not offer: ${key}.` };
  }
  const isUrl = method === 'elicitation/create' && params['mode'] === 'url';
  return {
    key,
    method,
    params: membersOf(text).find(({ name }) => name === 'params')?.value,
    isUrl,
  };
}

/** A page is named so that the client can be told when it is done with. */
export function withElicitationId(params: string, elicitationId: string): string {
  const others = membersOf(params).filter(({ name }) => name !== 'elicitationId');
  const texts = others.map(({ text }) => text);
  return objectText([`"elicitationId":${JSON.stringify(elicitationId)}`, ...texts]);
}

function isMembers(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
