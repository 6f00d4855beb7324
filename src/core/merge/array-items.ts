/** The items of a JSON array as the texts they came as. */
import { JsonTokens, OPEN_BRACKET, CLOSE_BRACKET } from '../protocol/json-tokens.ts';

/** The text was read once already: nothing is left to bound. */
const UNBOUNDED = {
  depthMax: Infinity,
  keysMax: Infinity,
  stringCharsMax: Infinity,
  batchMessagesMax: Infinity,
};

/** @param text - a valid JSON array, from bracket to bracket; anything else has no items. */
export function itemsOf(text: string): readonly string[] {
  if (text.charCodeAt(0) !== OPEN_BRACKET) return [];
  const tokens = new JsonTokens(text, UNBOUNDED);
  const items: string[] = [];
  let at = tokens.skipSpace(1);
  while (at < text.length && text.charCodeAt(at) !== CLOSE_BRACKET) {
    const end = tokens.skipValue(at, 1);
    if (end <= at) break;
    items.push(text.slice(at, end));
    // The comma, or the closing bracket.
    at = tokens.skipSpace(tokens.skipSpace(end) + 1);
  }
  return items;
}
