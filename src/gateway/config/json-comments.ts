/**
 * A JSON text with its comments blanked: hosts that keep their servers in JSON allow them, and YAML
 * does not know their form. Everything stays where it was. A text that is no JSON object is
 * returned as it is: in YAML `//` means nothing.
 */
export function withoutJsonComments(text: string): string {
  if (!OBJECT.test(text) || !text.includes('/')) return text;
  return text.replace(STRING_OR_COMMENT, (found) =>
    found.startsWith('"') ? found : found.replace(/[^\r\n]/g, ' '),
  );
}

/** No text matches these in two ways: one that does not match at all is done with as soon. */
const OBJECT = /^(?:\s|\/\/[^\n]*\n|\/\*(?:[^*]|\*(?!\/))*\*\/)*\{/;
/** A string that is not closed ends with its line: no comment in it is one. */
const STRING_OR_COMMENT = /"(?:[^"\\\n]|\\[^\n])*"?|\/\/[^\r\n]*|\/\*(?:[^*]|\*(?!\/))*(?:\*\/)?/g;
