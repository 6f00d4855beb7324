/**
 * The members of one JSON object as the texts they came as, so that some can be dropped, added or
 * replaced while numbers and strings of the others keep every character.
 */
import { COLON, JsonTokens, QUOTE, nameOf, type JsonBounds } from './json-tokens.ts';

export interface ObjectMember {
  readonly name: string;
  /** Name and value as they came. */
  readonly text: string;
  /** The value as it came. */
  readonly value: string;
}

/** The text was read once already: nothing is left to bound. */
const UNBOUNDED: JsonBounds = {
  depthMax: Infinity,
  keysMax: Infinity,
  stringCharsMax: Infinity,
  batchMessagesMax: Infinity,
};

/** @param text - a valid JSON object, from brace to brace. */
export function membersOf(text: string): readonly ObjectMember[] {
  const tokens = new JsonTokens(text, UNBOUNDED);
  const members: ObjectMember[] = [];
  let at = tokens.skipSpace(1);
  while (text.charCodeAt(at) === QUOTE) {
    const nameEnd = tokens.skipName(at);
    const isEscaped = tokens.isNameEscaped;
    const colon = tokens.skipSpace(nameEnd);
    if (text.charCodeAt(colon) !== COLON) break;
    const start = tokens.skipSpace(colon + 1);
    const end = tokens.skipValue(start, 1);
    if (end < start) break;
    const name = isEscaped
      ? (nameOf(text.slice(at, nameEnd)) ?? '')
      : text.slice(at + 1, nameEnd - 1);
    members.push({ name, text: text.slice(at, end), value: text.slice(start, end) });
    at = tokens.skipSpace(tokens.skipSpace(end) + 1);
  }
  return members;
}

/** The object of these member texts, each a name and its value. */
export function objectText(members: readonly string[]): string {
  return `{${members.join(',')}}`;
}
