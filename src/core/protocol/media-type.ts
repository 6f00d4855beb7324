/**
 * Reads `Accept` and `Content-Type` as RFC 9110 defines them, for the two media types of MCP.
 * @see https://www.rfc-editor.org/rfc/rfc9110.html#section-12.5.1
 */
export interface Accepted {
  readonly json: boolean;
  readonly eventStream: boolean;
}

const BOTH: Accepted = { json: true, eventStream: true };
const TOKEN = /^[!#$%&'*+.^_`|~0-9a-z-]+$/;
const ZERO_WEIGHT = /^0?(?:\.0*)?$/;

/** How exactly a range names a media type; the most exact one that matches decides. */
const ANY = 1;
const ANY_SUBTYPE = 2;
const EXACT = 3;

/** What of JSON and event streams the client takes. No header means anything goes. */
export function acceptOf(header: string | undefined): Accepted {
  if (
    header === undefined ||
    header === 'application/json, text/event-stream' ||
    header === 'text/event-stream, application/json' ||
    header === '*/*'
  ) {
    return BOTH;
  }
  const ranges = splitOutsideQuotes(header.toLowerCase(), ',').filter((range) => range !== '');
  if (ranges.length === 0) return BOTH;
  return {
    json: isAccepted(ranges, 'application', 'json'),
    eventStream: isAccepted(ranges, 'text', 'event-stream'),
  };
}

function isAccepted(ranges: readonly string[], type: string, subtype: string): boolean {
  let best = 0;
  let isWanted = false;
  for (const range of ranges) {
    const [name = '', ...parameters] = splitOutsideQuotes(range, ';');
    const exactness = exactnessOf(name, type, subtype);
    if (exactness === 0 || exactness < best) continue;
    const hasWeight = !parameters.some(isZeroWeight);
    isWanted = exactness > best ? hasWeight : isWanted || hasWeight;
    best = exactness;
  }
  return isWanted;
}

function exactnessOf(name: string, type: string, subtype: string): number {
  if (name === '*/*' || name === '*') return ANY;
  if (name === `${type}/*`) return ANY_SUBTYPE;
  return name === `${type}/${subtype}` ? EXACT : 0;
}

function isZeroWeight(parameter: string): boolean {
  const [name = '', value = ''] = parameter.split('=', 2);
  const weight = value.trim();
  return name.trim() === 'q' && weight !== '' && weight !== '.' && ZERO_WEIGHT.test(weight);
}

/**
 * Whether a body of this type is JSON we can read: `application/json`, in UTF-8 if it says so.
 * JSON between systems is UTF-8 (RFC 8259, section 8.1).
 */
export function isJsonContentType(header: string | undefined): boolean {
  if (header === undefined) return false;
  if (header === 'application/json') return true;
  const [name, ...parameters] = splitOutsideQuotes(header.toLowerCase(), ';');
  return name === 'application/json' && parameters.every(isHarmlessParameter);
}

/** A trailing `;` is tolerated; a parameter without a name or value is not. */
function isHarmlessParameter(parameter: string): boolean {
  if (parameter === '') return true;
  const at = parameter.indexOf('=');
  if (at < 1 || !TOKEN.test(parameter.slice(0, at))) return false;
  const raw = parameter.slice(at + 1);
  const isQuoted = raw.length > 1 && raw.startsWith('"') && raw.endsWith('"');
  const value = isQuoted ? raw.slice(1, -1) : raw;
  if (!isQuoted && !TOKEN.test(value)) return false;
  return parameter.slice(0, at) !== 'charset' || value === 'utf-8' || value === 'utf8';
}

/** The trimmed parts between separators that are not inside a quoted string. */
function splitOutsideQuotes(text: string, separator: string): string[] {
  if (!text.includes('"')) return text.split(separator).map(trimmed);
  const parts: string[] = [];
  let start = 0;
  let isQuoted = false;
  for (let i = 0; i < text.length; i++) {
    const char = text[i];
    if (isQuoted && char === '\\') i++;
    else if (char === '"') isQuoted = !isQuoted;
    else if (char === separator && !isQuoted) {
      parts.push(text.slice(start, i).trim());
      start = i + 1;
    }
  }
  parts.push(text.slice(start).trim());
  return parts;
}

function trimmed(part: string): string {
  return part.trim();
}
