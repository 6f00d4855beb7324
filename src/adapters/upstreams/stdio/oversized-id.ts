/**
 * Reads whose answer a line is that cannot be relayed, from its beginning and its end: some servers
 * write the id first, the official TypeScript SDK writes it last, after the result.
 *
 * Only a response counts. A request of the server has an id of its own counting, which must never
 * be taken for one of ours, so the first long member has to be `result` or `error`. What has an id
 * and nothing else is no request, either.
 */
const ID_AT_END =
  /"id"\s*:\s*(-?\d{1,20}|"[^"\\]{0,128}")\s*(?:,\s*"jsonrpc"\s*:\s*"2\.0"\s*)?\}\s*$/;
const WHITESPACE = /[ \t\r\n]/;
const ID_TOKEN = /^(?:-?\d{1,20}|"[^"\\]{0,128}")$/;

/** The id's JSON token, or undefined when the line is no response or its id cannot be read. */
export function oversizedId(head: Buffer, tail: Buffer): string | undefined {
  const start = scanTopLevel(head.toString('utf8'));
  if (!start.isResponse) return undefined;
  return start.id ?? ID_AT_END.exec(tail.toString('utf8'))?.[1];
}

interface Beginning {
  readonly isResponse: boolean;
  readonly id: string | undefined;
}

/**
 * Walks the members of the outermost object up to the first that shows what the message is. `id`
 * and `jsonrpc` are short, so whatever made the line long is `params`, `result` or `error`, and its
 * key is near.
 */
function scanTopLevel(text: string): Beginning {
  let id: string | undefined;
  let at = skipWhitespace(text, 0);
  if (text[at] !== '{') return { isResponse: false, id };
  at = skipWhitespace(text, at + 1);
  while (text[at] === '"') {
    const keyEnd = stringEnd(text, at);
    const key = text.slice(at + 1, keyEnd - 1);
    at = skipWhitespace(text, keyEnd);
    if (text[at] !== ':') break;
    at = skipWhitespace(text, at + 1);
    if (key === 'result' || key === 'error') return { isResponse: true, id };
    if (key !== 'id' && key !== 'jsonrpc') break;
    const valueEnd = scalarEnd(text, at);
    if (key === 'id') id = idToken(text.slice(at, valueEnd));
    at = skipWhitespace(text, valueEnd);
    if (text[at] === '}') return { isResponse: true, id };
    if (text[at] !== ',') break;
    at = skipWhitespace(text, at + 1);
  }
  return { isResponse: false, id: undefined };
}

function idToken(text: string): string | undefined {
  return ID_TOKEN.test(text) ? text : undefined;
}

function skipWhitespace(text: string, from: number): number {
  let at = from;
  while (at < text.length && WHITESPACE.test(text.charAt(at))) at += 1;
  return at;
}

/** The index after the closing quote of the string that opens at `from`. */
function stringEnd(text: string, from: number): number {
  let at = from + 1;
  while (at < text.length && text[at] !== '"') at += text[at] === '\\' ? 2 : 1;
  return at + 1;
}

function scalarEnd(text: string, from: number): number {
  if (text[from] === '"') return stringEnd(text, from);
  let at = from;
  while (at < text.length && !/[\s,}]/.test(text.charAt(at))) at += 1;
  return at;
}
