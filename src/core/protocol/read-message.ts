/**
 * From the text of a body or a line to messages: scanned for bounds, parsed once for validity and
 * for its values, and cut into the texts that travel on unchanged.
 * @see https://www.jsonrpc.org/specification
 */
import type { Refusal } from '../errors.ts';
import type { Limits } from '../limits.ts';
import { ownPart } from '../own-text.ts';
import { isIdToken } from './id-token.ts';
import { scanJson } from './json-scan.ts';
import type { JsonBounds } from './json-tokens.ts';
import type { MemberPlaces } from './member-places.ts';
import { Message, type MessageKind, type PayloadSpans, type Span } from './message.ts';
import { hasParamNames } from './param-names.ts';

export type ReadMessage =
  | { readonly kind: 'message'; readonly message: Message }
  /** An array of messages, in order; whether the revision has them is for the caller to say. */
  | { readonly kind: 'batch'; readonly entries: readonly (Message | Refusal)[] }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** What a client may send. */
export function clientBounds(limits: Limits): JsonBounds {
  return {
    depthMax: limits.jsonDepthMax,
    keysMax: limits.jsonKeysMax,
    stringCharsMax: limits.jsonStringCharsMax,
    batchMessagesMax: limits.batchMessagesMax,
  };
}

/** What an upstream may send: more, because its operator chose it, but not without end. */
export const UPSTREAM_BOUNDS: JsonBounds = {
  depthMax: 512,
  keysMax: 1_000_000,
  stringCharsMax: 10 * 1024 * 1024,
  batchMessagesMax: 1000,
};

const NOT_A_MESSAGE = 'The body is neither a JSON-RPC message nor a batch of them.';

/** Reads one JSON text. Never throws: whatever is wrong with it is a refusal. */
export function readMessage(text: string, bounds: JsonBounds): ReadMessage {
  const scan = scanJson(text, bounds);
  if (scan.kind === 'refused') return scan;
  const parsed = scan.kind === 'malformed' ? undefined : parse(text);
  if (parsed === undefined || scan.kind === 'malformed') return refused({ error: 'PARSE_ERROR' });
  if (scan.kind === 'scalar') return refused(invalid(NOT_A_MESSAGE));
  if (scan.kind === 'array') return readBatch(text, scan.entries, parsed.value);
  const message = messageOf(text, scan.places, parsed.value as Members);
  return message instanceof Message ? { kind: 'message', message } : refused(message);
}

/** A parsed message: its members are unknown until each was looked at. */
type Members = Readonly<Record<string, unknown>>;

function parse(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function readBatch(
  text: string,
  entries: readonly (MemberPlaces | undefined)[],
  parsed: unknown,
): ReadMessage {
  if (entries.length === 0) return refused(invalid('The batch is empty.'));
  const values = parsed as readonly Members[];
  return {
    kind: 'batch',
    entries: entries.map((places, index) => {
      const members = values[index];
      if (places === undefined || members === undefined) return invalid(NOT_A_MESSAGE);
      return messageOf(text, places, members);
    }),
  };
}

function messageOf(text: string, places: MemberPlaces, members: Members): Message | Refusal {
  const id = idTokenOf(text, places);
  const fault = faultOf(places, members, id);
  if (fault !== undefined) return invalid(fault, isEchoable(id) ? id : undefined);
  if (places.hasMethod) return callOf(text, places, members, id);
  return responseOf(text, places, members, id ?? 'null');
}

function idTokenOf(text: string, places: MemberPlaces): string | undefined {
  if (places.idEnd === -1) return undefined;
  return ownPart(text, places.idStart, places.idEnd);
}

function isEchoable(id: string | undefined): boolean {
  return id !== undefined && isIdToken(id);
}

function faultOf(
  places: MemberPlaces,
  members: Members,
  id: string | undefined,
): string | undefined {
  if (places.fault !== undefined) return places.fault;
  if (hasRepeats(places, members)) return 'A member occurs more than once.';
  if (members['jsonrpc'] !== '2.0') return 'Set "jsonrpc" to "2.0".';
  return places.hasMethod ? callFaultOf(places, members, id) : responseFaultOf(places, members, id);
}

function callFaultOf(
  places: MemberPlaces,
  members: Members,
  id: string | undefined,
): string | undefined {
  const { method } = members;
  if (typeof method !== 'string') return '"method" must be a string.';
  if (places.hasParamVariant && hasParamNames(method)) {
    return 'A member of params differs from a known one only in the case of its letters.';
  }
  if (places.resultEnd !== -1 || places.errorEnd !== -1) {
    return 'A message has either "method" or one of "result" and "error".';
  }
  if (id !== undefined && !isIdToken(id)) return 'An id is a string or an integer.';
  if (places.paramsEnd !== -1 && !isObject(members['params'])) return '"params" must be an object.';
  return undefined;
}

function responseFaultOf(
  places: MemberPlaces,
  members: Members,
  id: string | undefined,
): string | undefined {
  const isError = places.errorEnd !== -1;
  if (isError === (places.resultEnd !== -1) || places.paramsEnd !== -1) {
    return 'A message has "method", or exactly one of "result" and "error".';
  }
  if (!isObject(members[isError ? 'error' : 'result'])) {
    return isError ? '"error" must be an object.' : '"result" must be an object.';
  }
  const mayLackId = isError && (id === undefined || id === 'null');
  return mayLackId || isEchoable(id) ? undefined : 'An id is a string or an integer.';
}

function callOf(
  text: string,
  places: MemberPlaces,
  members: Members,
  id: string | undefined,
): Message {
  const kind: MessageKind = id === undefined ? 'notification' : 'request';
  const method = members['method'] as string;
  const { paramsStart: start, paramsEnd: end } = places;
  if (end === -1) return new Message(kind, id, method, false, undefined);
  const spans = callSpans(places, kind);
  const value = { value: members['params'] };
  return new Message(kind, id, method, false, ownPart(text, start, end), spans, value);
}

function responseOf(text: string, places: MemberPlaces, members: Members, id: string): Message {
  if (places.errorEnd !== -1) {
    const payload = ownPart(text, places.errorStart, places.errorEnd);
    const value = { value: members['error'] };
    return new Message('response', id, undefined, true, payload, undefined, value);
  }
  const start = places.resultStart;
  const payload = ownPart(text, start, places.resultEnd);
  const spans = {
    meta: span(places.metaStart, places.metaEnd, start),
    subscriptionId: span(places.subscriptionStart, places.subscriptionEnd, start),
  };
  const value = { value: members['result'] };
  return new Message('response', id, undefined, false, payload, spans, value);
}

function callSpans(places: MemberPlaces, kind: MessageKind): PayloadSpans {
  const start = places.paramsStart;
  const isRequest = kind === 'request';
  return {
    progressToken: isRequest
      ? span(places.metaTokenStart, places.metaTokenEnd, start)
      : span(places.progressTokenStart, places.progressTokenEnd, start),
    requestId: isRequest ? undefined : span(places.requestIdStart, places.requestIdEnd, start),
    meta: span(places.metaStart, places.metaEnd, start),
    subscriptionId: span(places.subscriptionStart, places.subscriptionEnd, start),
  };
}

/** A range of the text as a range of the payload that begins at `origin`. */
function span(start: number, end: number, origin: number): Span | undefined {
  return end === -1 ? undefined : { start: start - origin, end: end - origin };
}

/**
 * Parsers disagree about which of two equal names counts, so that a policy and a server could see
 * different messages. A parsed object that has fewer members than the text had names tells.
 */
function hasRepeats(places: MemberPlaces, members: Members): boolean {
  if (places.memberCount !== Object.keys(members).length) return true;
  const { params, result } = members;
  if (isObject(params)) {
    if (hasPayloadRepeats(params, places.paramsCount, places)) return true;
    if (places.insideCount !== membersInside(params)) return true;
  }
  return isObject(result) && hasPayloadRepeats(result, places.resultCount, places);
}

function hasPayloadRepeats(payload: Members, count: number, places: MemberPlaces): boolean {
  if (Object.keys(payload).length !== count) return true;
  const meta = payload['_meta'];
  return isObject(meta) && Object.keys(meta).length !== places.metaCount;
}

/** The same members as `MemberPlaces.insideCount`, as they were parsed. */
function membersInside({ arguments: given, ref, notifications }: Members): number {
  return membersWithin(given) + membersWithin(ref) + membersWithin(notifications);
}

function membersWithin(value: unknown): number {
  if (typeof value !== 'object' || value === null) return 0;
  const isArray = Array.isArray(value);
  const inner: readonly unknown[] = isArray ? value : Object.values(value);
  let count = isArray ? 0 : inner.length;
  for (const each of inner) if (typeof each === 'object') count += membersWithin(each);
  return count;
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

function invalid(detail: string, id?: string): Refusal {
  return { error: 'INVALID_REQUEST', detail, id };
}

function refused(refusal: Refusal): ReadMessage {
  return { kind: 'refused', refusal };
}
