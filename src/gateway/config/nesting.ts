/**
 * How deep a file's collections lie in each other, seen before they are composed: composing goes
 * down one call a level, and a stack that overflows inside a regular expression ends the process.
 */
import { Lexer } from 'yaml';

/** Far beyond any config, far below what a stack holds. */
export const NESTING_MAX = 64;
/** A block collection inside another one begins further right. */
const INDENT_MAX = 128;

/** The offset where the file nests too deep, or undefined. */
export function tooDeepAt(text: string): number | undefined {
  let offset = 0;
  let lineStart = 0;
  let depth = 0;
  let indicators = 0;
  for (const token of new Lexer().lex(text)) {
    // Tokens of no width begin with a control character and are not in the text.
    const isText = !(token.length === 1 && CONTROLS.has(token));
    if (token === '{' || token === '[') depth += 1;
    else if (token === '}' || token === ']') depth = Math.max(0, depth - 1);
    else if (depth === 0 && (token === '-' || token === '?' || token === ':')) {
      indicators += 1;
      if (indicators > NESTING_MAX || indentOf(text, lineStart) > INDENT_MAX) return offset;
    }
    if (depth > NESTING_MAX) return offset;
    const lineEnd = token.lastIndexOf('\n');
    if (lineEnd !== -1) {
      lineStart = offset + lineEnd + 1;
      indicators = 0;
    }
    if (isText) offset += token.length;
  }
  return undefined;
}

/** Byte order mark, document, flow end and scalar marks of the lexer. */
const CONTROLS: ReadonlySet<string> = new Set(['\u0002', '\u0018', '\u001f']);

function indentOf(text: string, lineStart: number): number {
  return (/^ */.exec(text.slice(lineStart, lineStart + INDENT_MAX + 1))?.[0] ?? '').length;
}
