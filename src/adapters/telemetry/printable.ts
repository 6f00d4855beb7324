/**
 * Text as it may stand in a log or on a terminal: one line, no escape sequences, no reordering,
 * bounded. Control characters (C0, DEL, C1), line and paragraph separators and bidirectional
 * controls become `\u…`.
 * @param charsMax - what is longer is cut there, with an ellipsis. Default 2,000.
 */
export function printable(text: string, charsMax = 2000): string {
  const kept = text.length > charsMax ? `${text.slice(0, charsMax)}…` : text;
  return kept.replace(UNPRINTABLE, (character) => {
    const code = character.charCodeAt(0).toString(16).padStart(4, '0');
    return `\\u${code}`;
  });
}

const UNPRINTABLE =
  /[\p{Cc}\p{Zl}\p{Zp}\u061c\u200e\u200f\u202a-\u202e\u2066-\u2069\ud800-\udfff]/gu;
