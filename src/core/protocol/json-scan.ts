/**
 * One pass over the characters of a JSON text before anything is parsed: it keeps the bounds, so
 * that no body can make the parser or a later serialiser misbehave, and notes where the members of
 * a message lie, so that they can travel on as the text they came in.
 *
 * The scan is not a validator. It reads every valid text exactly; of an invalid one it may report
 * anything, and the parser that runs after it refuses the text. It never builds a string or a value
 * on the usual path, and its work grows linearly with the text.
 */
import type { Refusal } from '../errors.ts';
import { isIdToken } from './id-token.ts';
import { MemberPlaces } from './member-places.ts';

/** How large a JSON text may be, in each direction. */
export interface JsonBounds {
  /** Containers inside each other. */
  readonly depthMax: number;
  /** Object members in the whole text. */
  readonly keysMax: number;
  /** Characters of one string or member name, counted as they were sent, escapes included. */
  readonly stringCharsMax: number;
  /** Entries of a top-level array. */
  readonly batchMessagesMax: number;
}

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
  return new Scan(text, bounds).run();
}

const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const QUOTE = 0x22;
const COMMA = 0x2c;
const COLON = 0x3a;
const OPEN_BRACKET = 0x5b;
const BACKSLASH = 0x5c;
const CLOSE_BRACKET = 0x5d;
const UNDERSCORE = 0x5f;
const OPEN_BRACE = 0x7b;
const CLOSE_BRACE = 0x7d;

/** Instead of an index: the scan is over, `failure` says why. */
const FAILED = -1;
/** Most strings end within this many characters; for longer ones a native search is faster. */
const SHORT_STRING_CHARS = 32;
const PROTO = '__proto__';
/** `__proto__` with every character written as an escape of six. */
const PROTO_CHARS_MAX = 54;
const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const RESERVED = new Set(['JSONRPC', 'ID', 'METHOD', 'PARAMS', 'RESULT', 'ERROR']);
const RESERVED_CHARS_MAX = 7;

type Level = 'message' | 'params' | 'result' | 'meta';
type Failure = 'malformed' | 'depth' | 'keys' | 'string' | 'batch';

class Scan {
  readonly text: string;
  readonly bounds: JsonBounds;
  places: MemberPlaces = new MemberPlaces();
  keyCount = 0;
  failure: Failure = 'malformed';

  constructor(text: string, bounds: JsonBounds) {
    this.text = text;
    this.bounds = bounds;
  }

  run(): ScanOutcome {
    const start = this.skipSpace(0);
    const first = this.text.charCodeAt(start);
    if (first === OPEN_BRACE) {
      const end = this.scanObject(start, 1, 'message');
      return end === FAILED ? this.failed(true) : this.ended(end, { kind: 'object', places: this.places });
    }
    if (first === OPEN_BRACKET) return this.scanBatch(start);
    const end = this.skipValue(start, 1);
    return end === FAILED ? this.failed(false) : this.ended(end, { kind: 'scalar' });
  }

  /** Nothing but space may follow the value. */
  ended(end: number, outcome: ScanOutcome): ScanOutcome {
    return this.skipSpace(end) === this.text.length ? outcome : { kind: 'malformed' };
  }

  scanBatch(start: number): ScanOutcome {
    const entries: (MemberPlaces | undefined)[] = [];
    let at = this.skipSpace(start + 1);
    if (this.text.charCodeAt(at) === CLOSE_BRACKET) {
      return this.ended(at + 1, { kind: 'array', entries });
    }
    for (;;) {
      if (entries.length === this.bounds.batchMessagesMax) return this.failedBy('batch');
      const isObject = this.text.charCodeAt(at) === OPEN_BRACE;
      this.places = new MemberPlaces();
      const end = isObject ? this.scanObject(at, 2, 'message') : this.skipValue(at, 2);
      if (end === FAILED) return this.failed(false);
      entries.push(isObject ? this.places : undefined);
      at = this.skipSpace(end);
      const next = this.text.charCodeAt(at);
      if (next === CLOSE_BRACKET) return this.ended(at + 1, { kind: 'array', entries });
      if (next !== COMMA) return { kind: 'malformed' };
      at = this.skipSpace(at + 1);
    }
  }

  failedBy(failure: Failure): ScanOutcome {
    this.failure = failure;
    return this.failed(false);
  }

  failed(isSingle: boolean): ScanOutcome {
    const { failure, bounds } = this;
    if (failure === 'malformed') return { kind: 'malformed' };
    const id = isSingle ? this.idToken() : undefined;
    if (failure === 'batch') {
      const detail = `The batch has more than ${bounds.batchMessagesMax} messages; split it.`;
      return { kind: 'refused', refusal: { error: 'BATCH_TOO_LARGE', detail } };
    }
    const detail = describe(failure, bounds);
    return { kind: 'refused', refusal: { error: 'JSON_TOO_COMPLEX', id, detail } };
  }

  /** The text of the `id` member, if the scan came past it and it may be echoed. */
  idToken(): string | undefined {
    const { idStart, idEnd } = this.places;
    if (idEnd === -1) return undefined;
    const token = this.text.slice(idStart, idEnd);
    return isIdToken(token) ? token : undefined;
  }

  /** Reads an object whose members matter, from its brace on. */
  scanObject(start: number, depth: number, level: Level): number {
    if (depth > this.bounds.depthMax) return this.fail('depth');
    const text = this.text;
    let count = 0;
    let at = this.skipSpace(start + 1);
    if (text.charCodeAt(at) === CLOSE_BRACE) return this.counted(level, 0, at + 1);
    for (;;) {
      if (text.charCodeAt(at) !== QUOTE) return this.fail('malformed');
      const nameEnd = this.skipString(at);
      if (nameEnd === FAILED) return FAILED;
      const colon = this.skipSpace(nameEnd);
      if (text.charCodeAt(colon) !== COLON) return this.fail('malformed');
      if (!this.countKey(at + 1, nameEnd - 1)) return FAILED;
      count++;
      const valueStart = this.skipSpace(colon + 1);
      const valueEnd = this.scanMember(at + 1, nameEnd - 1, valueStart, depth, level);
      if (valueEnd === FAILED) return FAILED;
      at = this.skipSpace(valueEnd);
      const next = text.charCodeAt(at);
      if (next === CLOSE_BRACE) return this.counted(level, count, at + 1);
      if (next !== COMMA) return this.fail('malformed');
      at = this.skipSpace(at + 1);
    }
  }

  counted(level: Level, count: number, end: number): number {
    const places = this.places;
    if (level === 'message') places.memberCount = count;
    else if (level === 'params') places.paramsCount = count;
    else if (level === 'result') places.resultCount = count;
    else places.metaCount = count;
    return end;
  }

  scanMember(nameStart: number, nameEnd: number, at: number, depth: number, level: Level): number {
    const name = this.escapedName(nameStart, nameEnd);
    if (name === undefined) return this.fail('malformed');
    if (name !== '') return this.scanNamed(name, 0, name.length, at, depth, level);
    return this.scanNamed(this.text, nameStart, nameEnd, at, depth, level);
  }

  /** `source` holds the member's name from `start` to `end`. */
  scanNamed(
    source: string,
    start: number,
    end: number,
    at: number,
    depth: number,
    level: Level,
  ): number {
    if (level === 'message') return this.scanMessageMember(source, start, end, at, depth);
    if (level === 'meta') return this.scanMetaMember(source, start, end, at, depth);
    return this.scanPayloadMember(source, start, end, at, depth, level);
  }

  scanMessageMember(source: string, start: number, end: number, at: number, depth: number): number {
    const places = this.places;
    if (isWord(source, start, end, 'params')) {
      places.paramsStart = at;
      return (places.paramsEnd = this.scanPayload(at, depth, 'params'));
    }
    if (isWord(source, start, end, 'result')) {
      places.resultStart = at;
      return (places.resultEnd = this.scanPayload(at, depth, 'result'));
    }
    const valueEnd = this.skipValue(at, depth + 1);
    if (isWord(source, start, end, 'id')) {
      places.idStart = at;
      places.idEnd = valueEnd;
    } else if (isWord(source, start, end, 'method')) {
      places.hasMethod = true;
    } else if (isWord(source, start, end, 'jsonrpc')) {
      places.hasJsonrpc = true;
    } else if (isWord(source, start, end, 'error')) {
      places.errorStart = at;
      places.errorEnd = valueEnd;
    } else if (isNearlyReserved(source, start, end)) {
      places.fault = 'A member differs from a reserved one only in the case of its letters.';
    }
    return valueEnd;
  }

  scanPayload(at: number, depth: number, level: Level): number {
    return this.text.charCodeAt(at) === OPEN_BRACE
      ? this.scanObject(at, depth + 1, level)
      : this.skipValue(at, depth + 1);
  }

  scanPayloadMember(
    source: string,
    start: number,
    end: number,
    at: number,
    depth: number,
    level: Level,
  ): number {
    const places = this.places;
    if (isWord(source, start, end, '_meta')) {
      places.metaStart = at;
      return (places.metaEnd = this.scanPayload(at, depth, 'meta'));
    }
    const valueEnd = this.skipValue(at, depth + 1);
    if (level === 'result') return valueEnd;
    if (isWord(source, start, end, 'progressToken')) {
      places.progressTokenStart = at;
      places.progressTokenEnd = valueEnd;
    } else if (isWord(source, start, end, 'requestId')) {
      places.requestIdStart = at;
      places.requestIdEnd = valueEnd;
    }
    return valueEnd;
  }

  scanMetaMember(source: string, start: number, end: number, at: number, depth: number): number {
    const places = this.places;
    const valueEnd = this.skipValue(at, depth + 1);
    if (isWord(source, start, end, 'progressToken')) {
      places.metaTokenStart = at;
      places.metaTokenEnd = valueEnd;
    } else if (isWord(source, start, end, SUBSCRIPTION_ID)) {
      places.subscriptionStart = at;
      places.subscriptionEnd = valueEnd;
    }
    return valueEnd;
  }

  /** Index after the value at `at`, whose content does not matter. */
  skipValue(at: number, depth: number): number {
    const first = this.text.charCodeAt(at);
    if (first === QUOTE) return this.skipString(at);
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return this.skipContainer(at, depth);
    return this.skipScalar(at);
  }

  /** A container of any depth, without recursion: a string before a colon is a member's name. */
  skipContainer(start: number, depth: number): number {
    const text = this.text;
    const length = text.length;
    const depthMax = this.bounds.depthMax;
    let open = depth;
    if (open > depthMax) return this.fail('depth');
    let at = start + 1;
    while (at < length) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) {
        const end = this.skipString(at);
        if (end === FAILED) return FAILED;
        const next = this.skipSpace(end);
        if (text.charCodeAt(next) === COLON && !this.countKey(at + 1, end - 1)) return FAILED;
        at = next;
        continue;
      }
      if (char === OPEN_BRACE || char === OPEN_BRACKET) {
        if (++open > depthMax) return this.fail('depth');
      } else if (char === CLOSE_BRACE || char === CLOSE_BRACKET) {
        if (open-- === depth) return at + 1;
      }
      at++;
    }
    return this.fail('malformed');
  }

  /** A number or a literal: everything up to what may follow one. */
  skipScalar(start: number): number {
    const text = this.text;
    let at = start;
    for (; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (char === COMMA || char === CLOSE_BRACE || char === CLOSE_BRACKET || isSpace(char)) break;
    }
    return at === start ? this.fail('malformed') : at;
  }

  /** Index after the closing quote of the string whose opening quote is at `start`. */
  skipString(start: number): number {
    const text = this.text;
    const near = Math.min(text.length, start + SHORT_STRING_CHARS);
    let at = start + 1;
    for (; at < near; at++) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) return this.sized(start, at);
      if (char === BACKSLASH) at++;
    }
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote === -1) return this.fail('malformed');
      let run = quote;
      while (run > at && text.charCodeAt(run - 1) === BACKSLASH) run--;
      if (((quote - run) & 1) === 0) return this.sized(start, quote);
      at = quote + 1;
    }
  }

  sized(start: number, quote: number): number {
    return quote - start - 1 > this.bounds.stringCharsMax ? this.fail('string') : quote + 1;
  }

  skipSpace(start: number): number {
    const text = this.text;
    let at = start;
    while (isSpace(text.charCodeAt(at))) at++;
    return at;
  }

  /** Counts a member, and notes a name that would reach an object's prototype. */
  countKey(start: number, end: number): boolean {
    if (++this.keyCount > this.bounds.keysMax) {
      this.failure = 'keys';
      return false;
    }
    if (end - start >= PROTO.length && end - start <= PROTO_CHARS_MAX) {
      const first = this.text.charCodeAt(start);
      if ((first === UNDERSCORE || first === BACKSLASH) && this.isProto(start, end)) {
        this.places.fault = 'A member must not be named __proto__.';
      }
    }
    return true;
  }

  isProto(start: number, end: number): boolean {
    return isWord(this.text, start, end, PROTO) || this.escapedName(start, end) === PROTO;
  }

  /** The name if it was written with escapes, else empty; undefined when it is no JSON. */
  escapedName(start: number, end: number): string | undefined {
    const text = this.text;
    for (let at = start; at < end; at++) {
      if (text.charCodeAt(at) === BACKSLASH) return unescaped(text.slice(start - 1, end + 1));
    }
    return '';
  }

  fail(failure: Failure): number {
    this.failure = failure;
    return FAILED;
  }
}

function isSpace(char: number): boolean {
  return char === SPACE || char === LINE_FEED || char === CARRIAGE_RETURN || char === TAB;
}

function isWord(source: string, start: number, end: number, word: string): boolean {
  return end - start === word.length && source.startsWith(word, start);
}

/** Case is folded both ways, so that the long s and its like count as what they fold to. */
function isNearlyReserved(source: string, start: number, end: number): boolean {
  if (end - start > RESERVED_CHARS_MAX) return false;
  return RESERVED.has(source.slice(start, end).toLowerCase().toUpperCase());
}

function unescaped(token: string): string | undefined {
  try {
    return String(JSON.parse(token));
  } catch {
    return undefined;
  }
}

function describe(failure: Failure, bounds: JsonBounds): string {
  if (failure === 'depth') return `The JSON is nested deeper than ${bounds.depthMax} levels.`;
  if (failure === 'keys') return `The JSON has more than ${bounds.keysMax} members.`;
  return `A string in the JSON is longer than ${bounds.stringCharsMax} characters.`;
}
