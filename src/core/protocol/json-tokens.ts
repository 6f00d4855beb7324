/**
 * Walks over the tokens of a JSON text without building anything from them, and keeps the bounds on
 * the way. Positions are indices of the text; `FAILED` in place of one ends the walk.
 *
 * It is no validator: every valid text is walked exactly, of an invalid one anything may be said,
 * and a parser has the last word. Work grows linearly with the text.
 */

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

export type JsonFailure = 'malformed' | 'depth' | 'keys' | 'string';

/** In place of an index: the walk is over, `failure` says why. */
export const FAILED = -1;

export const QUOTE = 0x22;
export const COMMA = 0x2c;
export const COLON = 0x3a;
export const OPEN_BRACKET = 0x5b;
export const CLOSE_BRACKET = 0x5d;
export const OPEN_BRACE = 0x7b;
export const CLOSE_BRACE = 0x7d;
const TAB = 0x09;
const LINE_FEED = 0x0a;
const CARRIAGE_RETURN = 0x0d;
const SPACE = 0x20;
const BACKSLASH = 0x5c;
const UNDERSCORE = 0x5f;
/** The one bit in which a bracket differs from the brace of its side. */
const BRACKET_TO_BRACE = 0x20;

/** Most strings end within this many characters; for longer ones a native search is faster. */
const SHORT_STRING_CHARS = 32;
const PROTO = '__proto__';
/** `__proto__` with every character written as an escape of six. */
const PROTO_CHARS_MAX = 54;

export class JsonTokens {
  readonly text: string;
  failure: JsonFailure = 'malformed';
  /** Whether the name skipped last holds escapes. */
  isNameEscaped = false;
  /** Whether a member was named `__proto__`, however it was spelt, since this was last cleared. */
  hasProto = false;
  readonly #depthMax: number;
  readonly #stringCharsMax: number;
  #keysLeft: number;

  constructor(text: string, bounds: JsonBounds) {
    this.text = text;
    this.#depthMax = bounds.depthMax;
    this.#stringCharsMax = bounds.stringCharsMax;
    this.#keysLeft = bounds.keysMax;
  }

  /** Members that may still follow; the difference between two places is what lies between. */
  get keysLeft(): number {
    return this.#keysLeft;
  }

  fail(failure: JsonFailure): number {
    this.failure = failure;
    return FAILED;
  }

  /** Whether a container may open at this depth; the outermost has depth 1. */
  isWithinDepth(depth: number): boolean {
    return depth <= this.#depthMax;
  }

  skipSpace(start: number): number {
    return this.text.charCodeAt(start) > SPACE ? start : this.#spaceEnd(start);
  }

  /** Index after the value that begins at `start`. */
  skipValue(start: number, depth: number): number {
    const first = this.text.charCodeAt(start);
    if (first === QUOTE) return this.skipString(start);
    if (first === OPEN_BRACE || first === OPEN_BRACKET) return this.#skipContainer(start, depth);
    return this.#skipScalar(start);
  }

  /** The same as `skipString` for a member's name; notes whether it was written with escapes. */
  skipName(start: number): number {
    const text = this.text;
    const length = text.length;
    this.isNameEscaped = false;
    for (let at = start + 1; at < length; at++) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) return this.#sized(start, at);
      if (char !== BACKSLASH) continue;
      this.isNameEscaped = true;
      at++;
    }
    return this.fail('malformed');
  }

  /** Index after the closing quote of the string whose opening quote is at `start`. */
  skipString(start: number): number {
    const text = this.text;
    const near = Math.min(text.length, start + SHORT_STRING_CHARS);
    let at = start + 1;
    for (; at < near; at++) {
      const char = text.charCodeAt(at);
      if (char === QUOTE) return this.#sized(start, at);
      if (char === BACKSLASH) at++;
    }
    for (;;) {
      const quote = text.indexOf('"', at);
      if (quote === -1) return this.fail('malformed');
      let run = quote;
      while (run > at && text.charCodeAt(run - 1) === BACKSLASH) run--;
      if (((quote - run) & 1) === 0) return this.#sized(start, quote);
      at = quote + 1;
    }
  }

  /** Counts the member whose name lies between `start` and `end`; false when there are too many. */
  countKey(start: number, end: number): boolean {
    if (--this.#keysLeft < 0) {
      this.failure = 'keys';
      return false;
    }
    if (end - start >= PROTO.length && end - start <= PROTO_CHARS_MAX) {
      const first = this.text.charCodeAt(start);
      if ((first === UNDERSCORE || first === BACKSLASH) && this.#isProto(start, end)) {
        this.hasProto = true;
      }
    }
    return true;
  }

  #spaceEnd(start: number): number {
    const text = this.text;
    let at = start;
    while (isSpace(text.charCodeAt(at))) at++;
    return at;
  }

  /** A container of any depth, without recursion: only a member's name is followed by a colon. */
  #skipContainer(start: number, depth: number): number {
    const text = this.text;
    const length = text.length;
    const depthMax = this.#depthMax;
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
      const folded = char | BRACKET_TO_BRACE;
      if (folded === OPEN_BRACE) {
        if (++open > depthMax) return this.fail('depth');
      } else if (folded === CLOSE_BRACE) {
        if (open-- === depth) return at + 1;
      }
      at++;
    }
    return this.fail('malformed');
  }

  /** A number or a literal: everything up to what may follow one. */
  #skipScalar(start: number): number {
    const text = this.text;
    let at = start;
    for (; at < text.length; at++) {
      const char = text.charCodeAt(at);
      if (char === COMMA || char === CLOSE_BRACE || char === CLOSE_BRACKET || isSpace(char)) break;
    }
    return at === start ? this.fail('malformed') : at;
  }

  #sized(start: number, quote: number): number {
    return quote - start - 1 > this.#stringCharsMax ? this.fail('string') : quote + 1;
  }

  #isProto(start: number, end: number): boolean {
    return (
      isWord(this.text, start, end, PROTO) || nameOf(this.text.slice(start - 1, end + 1)) === PROTO
    );
  }
}

/** Whether `source` holds exactly this word from `start` to `end`. */
export function isWord(source: string, start: number, end: number, word: string): boolean {
  return end - start === word.length && source.startsWith(word, start);
}

function isSpace(char: number): boolean {
  return char === SPACE || char === LINE_FEED || char === CARRIAGE_RETURN || char === TAB;
}

/** What a member's name stands for, from its token; undefined when it is no JSON. */
export function nameOf(token: string): string | undefined {
  try {
    return String(JSON.parse(token));
  } catch {
    return undefined;
  }
}
