/**
 * Texts that keep nothing else alive. The engine lets a part of a text point into the whole, and
 * joins two texts by pointing at both: whoever sends them would choose how much is kept for a
 * little that is.
 */

/** A part that is kept may keep this many characters around it. */
const AROUND_CHARS_MAX = 1024;
/** Bytes the engine holds for each two texts that are joined, until the whole is written out. */
const JOINT_BYTES = 32;

/** A part of a text, without the whole where that is much longer. */
export function ownPart(text: string, start: number, end: number): string {
  return ownText(text.slice(start, end), text.length);
}

/** @param wholeChars - characters of what the text may be a part of. */
export function ownText(part: string, wholeChars: number): string {
  return wholeChars - part.length < AROUND_CHARS_MAX ? part : written(part);
}

/** A text that is joined from pieces, whose number is their sender's choice. */
export class JoinedText {
  #text = '';
  #joints = 0;

  get length(): number {
    return this.#text.length;
  }

  add(piece: string): void {
    this.#text += piece;
    this.#joints += 1;
    // So the joints never take more than the text, and what is written is a fixed multiple of it.
    if (this.#joints * JOINT_BYTES < this.#text.length + AROUND_CHARS_MAX) return;
    this.#text = written(this.#text);
    this.#joints = 0;
  }

  /** All of it; nothing is left. */
  take(): string {
    const text = this.#text;
    this.#text = '';
    this.#joints = 0;
    return text;
  }
}

/** The same characters in one place of their own. */
function written(text: string): string {
  return ` ${text}`.slice(1);
}
