/**
 * Values of `Mcp-Name` and `Mcp-Param-*`: visible ASCII as it is, anything else as the base64 of
 * its UTF-8 between two markers.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#value-encoding
 */
const PREFIX = '=?base64?';
const SUFFIX = '?=';
const PLAIN = /^[\t\x20-\x7e]*$/;
const OUTER_SPACE = /^[ \t]|[ \t]$/;
const BASE64 =
  /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/][AQgw]==|[A-Za-z0-9+/]{2}[AEIMQUYcgkosw048]=)?$/;
const ALPHABET = 'ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/';

/**
 * The value a header stands for, outer whitespace removed (RFC 9110, section 5.5). Undefined when
 * it holds characters a header may not hold, or markers around what is not canonical base64 of
 * valid UTF-8.
 */
export function decodeHeaderValue(raw: string): string | undefined {
  const value = trimOuter(raw);
  if (!PLAIN.test(value)) return undefined;
  if (!isMarked(value)) return value;
  if (value.length < PREFIX.length + SUFFIX.length) return undefined;
  return decodeBase64(value.slice(PREFIX.length, -SUFFIX.length));
}

/** The header value for a text. A lone surrogate has no UTF-8 and is sent as U+FFFD. */
export function encodeHeaderValue(value: string): string {
  const isPlain = PLAIN.test(value) && !OUTER_SPACE.test(value) && !isMarked(value);
  return isPlain && value !== '' ? value : `${PREFIX}${encodeBase64(value)}${SUFFIX}`;
}

/** Without spaces and tabs at either end; nothing else is whitespace in a header. */
export function trimOuter(value: string): string {
  let start = 0;
  let end = value.length;
  while (start < end && isOuterSpace(value.charCodeAt(start))) start++;
  while (end > start && isOuterSpace(value.charCodeAt(end - 1))) end--;
  return value.slice(start, end);
}

function isOuterSpace(char: number): boolean {
  return char === 0x20 || char === 0x09;
}

function isMarked(value: string): boolean {
  return value.startsWith(PREFIX) && value.endsWith(SUFFIX);
}

function decodeBase64(text: string): string | undefined {
  if (!BASE64.test(text)) return undefined;
  const length = text.endsWith('==') ? text.length - 2 : text.length - (text.endsWith('=') ? 1 : 0);
  const bytes = new Uint8Array((length * 3) >> 2);
  let bits = 0;
  let at = 0;
  for (let i = 0; i < length; i++) {
    bits = ((bits << 6) | ALPHABET.indexOf(text.charAt(i))) & 0xffff;
    const left = ((i + 1) * 6) & 7;
    if (left < 6) bytes[at++] = (bits >> left) & 0xff;
  }
  try {
    return new TextDecoder('utf-8', { fatal: true, ignoreBOM: true }).decode(bytes);
  } catch {
    return undefined;
  }
}

function encodeBase64(value: string): string {
  const bytes = new TextEncoder().encode(value);
  let text = '';
  for (let i = 0; i < bytes.length; i += 3) {
    const left = bytes.length - i;
    const bits = ((bytes[i] ?? 0) << 16) | ((bytes[i + 1] ?? 0) << 8) | (bytes[i + 2] ?? 0);
    text += ALPHABET.charAt(bits >> 18) + ALPHABET.charAt((bits >> 12) & 63);
    text += left > 1 ? ALPHABET.charAt((bits >> 6) & 63) : '=';
    text += left > 2 ? ALPHABET.charAt(bits & 63) : '=';
  }
  return text;
}
