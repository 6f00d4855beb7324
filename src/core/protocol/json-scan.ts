/**
 * One pass over a JSON text before anything is parsed: it keeps the bounds, so that no body can
 * make the parser or a later serialiser misbehave, and notes where the members of a message lie, so
 * that they can travel on as the text they came in.
 */
import type { Refusal } from '../errors.ts';
import { isIdToken } from './id-token.ts';
import {
  CLOSE_BRACE,
  CLOSE_BRACKET,
  COLON,
  COMMA,
  FAILED,
  isWord,
  type JsonBounds,
  type JsonFailure,
  JsonTokens,
  nameOf,
  OPEN_BRACE,
  OPEN_BRACKET,
  QUOTE,
} from './json-tokens.ts';
import { MemberPlaces } from './member-places.ts';
import { folded, isParamVariant, isReadInside } from './param-names.ts';

/** Result of a scan. Nothing of it may be believed before the text was parsed without an error. */
export type ScanOutcome =
  | { readonly kind: 'object'; readonly places: MemberPlaces }
  /** Places for every entry; undefined for an entry that is no object. */
  | { readonly kind: 'array'; readonly entries: readonly (MemberPlaces | undefined)[] }
  /** No container at the top: no message, if it is JSON at all. */
  | { readonly kind: 'scalar' }
  /** Surely not JSON. */
  | { readonly kind: 'malformed' }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

/** Scans one JSON text. Never throws. */
export function scanJson(text: string, bounds: JsonBounds): ScanOutcome {
  return new MessageScan(text, bounds).run();
}

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const RESERVED: ReadonlySet<string> = new Set([
  'JSONRPC',
  'ID',
  'METHOD',
  'PARAMS',
  'RESULT',
  'ERROR',
]);
const RESERVED_CHARS_MAX = 7;

/** Which object is read: a whole message, or one inside it whose members matter. */
type Level = 'message' | 'params' | 'result' | 'meta';

class MessageScan {
  readonly #text: string;
  readonly #tokens: JsonTokens;
  readonly #bounds: JsonBounds;
  #places: MemberPlaces = new MemberPlaces();

  constructor(text: string, bounds: JsonBounds) {
    this.#text = text;
    this.#bounds = bounds;
    this.#tokens = new JsonTokens(text, bounds);
  }

  run(): ScanOutcome {
    const start = this.#tokens.skipSpace(0);
    const first = this.#text.charCodeAt(start);
    if (first === OPEN_BRACE) {
      const end = this.#message(start, 1);
      if (end === FAILED) return this.#failed(this.#idToken());
      return this.#ended(end, { kind: 'object', places: this.#places });
    }
    if (first === OPEN_BRACKET) return this.#batch(start);
    const end = this.#tokens.skipValue(start, 1);
    return end === FAILED ? this.#failed() : this.#ended(end, { kind: 'scalar' });
  }

  /** Nothing but space may follow the value. */
  #ended(end: number, outcome: ScanOutcome): ScanOutcome {
    return this.#tokens.skipSpace(end) === this.#text.length ? outcome : { kind: 'malformed' };
  }

  #batch(start: number): ScanOutcome {
    const tokens = this.#tokens;
    const entries: (MemberPlaces | undefined)[] = [];
    let at = tokens.skipSpace(start + 1);
    if (this.#text.charCodeAt(at) === CLOSE_BRACKET) {
      return this.#ended(at + 1, { kind: 'array', entries });
    }
    for (;;) {
      if (entries.length === this.#bounds.batchMessagesMax) return this.#tooLong();
      const isObject = this.#text.charCodeAt(at) === OPEN_BRACE;
      this.#places = new MemberPlaces();
      const end = isObject ? this.#message(at, 2) : tokens.skipValue(at, 2);
      if (end === FAILED) return this.#failed();
      entries.push(isObject ? this.#places : undefined);
      at = tokens.skipSpace(end);
      const next = this.#text.charCodeAt(at);
      if (next === CLOSE_BRACKET) return this.#ended(at + 1, { kind: 'array', entries });
      if (next !== COMMA) return { kind: 'malformed' };
      at = tokens.skipSpace(at + 1);
    }
  }

  #message(start: number, depth: number): number {
    this.#tokens.hasProto = false;
    const end = this.#object(start, depth, 'message');
    if (this.#tokens.hasProto) this.#places.fault = 'A member must not be named __proto__.';
    return end;
  }

  /** Reads an object whose members matter. */
  #object(start: number, depth: number, level: Level): number {
    const tokens = this.#tokens;
    const text = this.#text;
    if (!tokens.isWithinDepth(depth)) return tokens.fail('depth');
    let count = 0;
    let at = tokens.skipSpace(start + 1);
    if (text.charCodeAt(at) === CLOSE_BRACE) return this.#counted(level, 0, at + 1);
    for (;;) {
      if (text.charCodeAt(at) !== QUOTE) return tokens.fail('malformed');
      const nameEnd = tokens.skipName(at);
      const isEscaped = tokens.isNameEscaped;
      if (nameEnd === FAILED) return FAILED;
      const colon = tokens.skipSpace(nameEnd);
      if (text.charCodeAt(colon) !== COLON) return tokens.fail('malformed');
      if (!tokens.countKey(at + 1, nameEnd - 1)) return FAILED;
      count++;
      const valueStart = tokens.skipSpace(colon + 1);
      const valueEnd = isEscaped
        ? this.#escapedMember(at, nameEnd, valueStart, depth + 1, level)
        : this.#member(text, at + 1, nameEnd - 1, valueStart, depth + 1, level);
      if (valueEnd === FAILED) return FAILED;
      at = tokens.skipSpace(valueEnd);
      const next = text.charCodeAt(at);
      if (next === CLOSE_BRACE) return this.#counted(level, count, at + 1);
      if (next !== COMMA) return tokens.fail('malformed');
      at = tokens.skipSpace(at + 1);
    }
  }

  #counted(level: Level, count: number, end: number): number {
    const places = this.#places;
    if (level === 'message') places.memberCount = count;
    else if (level === 'params') places.paramsCount = count;
    else if (level === 'result') places.resultCount = count;
    else places.metaCount = count;
    return end;
  }

  /** A name written with escapes counts as what it stands for. */
  #escapedMember(start: number, end: number, at: number, depth: number, level: Level): number {
    const name = nameOf(this.#text.slice(start, end));
    if (name === undefined) return this.#tokens.fail('malformed');
    return this.#member(name, 0, name.length, at, depth, level);
  }

  /** The member's name is what `source` holds from `start` to `end`; its value begins at `at`. */
  #member(
    source: string,
    start: number,
    end: number,
    at: number,
    depth: number,
    level: Level,
  ): number {
    const innerLevel = innerLevelOf(source, start, end, level);
    const isInner = innerLevel !== undefined && this.#text.charCodeAt(at) === OPEN_BRACE;
    const keysBefore = this.#tokens.keysLeft;
    const valueEnd = isInner
      ? this.#object(at, depth, innerLevel)
      : this.#tokens.skipValue(at, depth);
    if (level === 'message') this.#noteMessageMember(source, start, end, at, valueEnd);
    else if (level === 'meta') this.#noteMetaMember(source, start, end, at, valueEnd);
    else this.#notePayloadMember(source, start, end, at, valueEnd);
    if (level === 'params') {
      this.#noteParam(source, start, end, keysBefore - this.#tokens.keysLeft);
    }
    return valueEnd;
  }

  #noteMessageMember(
    source: string,
    start: number,
    end: number,
    at: number,
    valueEnd: number,
  ): void {
    const places = this.#places;
    if (isWord(source, start, end, 'params')) {
      places.paramsStart = at;
      places.paramsEnd = valueEnd;
    } else if (isWord(source, start, end, 'id')) {
      this.#noteId(at, valueEnd);
    } else if (isWord(source, start, end, 'method')) {
      places.hasMethod = true;
    } else if (isWord(source, start, end, 'result')) {
      places.resultStart = at;
      places.resultEnd = valueEnd;
    } else if (isWord(source, start, end, 'error')) {
      places.errorStart = at;
      places.errorEnd = valueEnd;
    } else if (!isWord(source, start, end, 'jsonrpc') && isNearlyReserved(source, start, end)) {
      places.fault = 'A member differs from a reserved one only in the case of its letters.';
    }
  }

  /** Of two ids neither can be trusted, so neither is echoed. */
  #noteId(at: number, valueEnd: number): void {
    const places = this.#places;
    const isRepeated = places.idStart !== -1;
    places.idStart = at;
    places.idEnd = isRepeated ? -1 : valueEnd;
  }

  #notePayloadMember(
    source: string,
    start: number,
    end: number,
    at: number,
    valueEnd: number,
  ): void {
    const places = this.#places;
    if (isWord(source, start, end, '_meta')) {
      places.metaStart = at;
      places.metaEnd = valueEnd;
    } else if (isWord(source, start, end, 'progressToken')) {
      places.progressTokenStart = at;
      places.progressTokenEnd = valueEnd;
    } else if (isWord(source, start, end, 'requestId')) {
      places.requestIdStart = at;
      places.requestIdEnd = valueEnd;
    }
  }

  #noteParam(source: string, start: number, end: number, keys: number): void {
    const places = this.#places;
    if (isReadInside(source, start, end)) places.insideCount += keys;
    else if (isParamVariant(source, start, end)) places.hasParamVariant = true;
  }

  #noteMetaMember(source: string, start: number, end: number, at: number, valueEnd: number): void {
    const places = this.#places;
    if (isWord(source, start, end, 'progressToken')) {
      places.metaTokenStart = at;
      places.metaTokenEnd = valueEnd;
    } else if (isWord(source, start, end, SUBSCRIPTION_ID)) {
      places.subscriptionStart = at;
      places.subscriptionEnd = valueEnd;
    }
  }

  /** The text of the `id` member, if the scan came past it and it may be echoed. */
  #idToken(): string | undefined {
    const { idStart, idEnd } = this.#places;
    if (idEnd === -1) return undefined;
    const token = this.#text.slice(idStart, idEnd);
    return isIdToken(token) && nameOf(token) !== undefined ? token : undefined;
  }

  #failed(id?: string): ScanOutcome {
    const failure = this.#tokens.failure;
    if (failure === 'malformed') return { kind: 'malformed' };
    const detail = describe(failure, this.#bounds);
    return { kind: 'refused', refusal: { error: 'JSON_TOO_COMPLEX', id, detail } };
  }

  #tooLong(): ScanOutcome {
    const detail = `The batch has more than ${this.#bounds.batchMessagesMax} messages; split it.`;
    return { kind: 'refused', refusal: { error: 'BATCH_TOO_LARGE', detail } };
  }
}

/** Which members of an object are read member by member themselves. */
function innerLevelOf(source: string, start: number, end: number, level: Level): Level | undefined {
  if (level === 'message') {
    if (isWord(source, start, end, 'params')) return 'params';
    return isWord(source, start, end, 'result') ? 'result' : undefined;
  }
  return level !== 'meta' && isWord(source, start, end, '_meta') ? 'meta' : undefined;
}

function isNearlyReserved(source: string, start: number, end: number): boolean {
  if (end - start > RESERVED_CHARS_MAX) return false;
  return RESERVED.has(folded(source.slice(start, end)));
}

function describe(failure: JsonFailure, bounds: JsonBounds): string {
  if (failure === 'depth') return `The JSON is nested deeper than ${bounds.depthMax} levels.`;
  if (failure === 'keys') return `The JSON has more than ${bounds.keysMax} members.`;
  return `A string in the JSON is longer than ${bounds.stringCharsMax} characters.`;
}
