/**
 * The head of a reply in HTTP/1.1: its status, its fields, and how its body ends. What two readers
 * could read in two ways is no head at all.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-6.3
 */
import type { OutboundHead } from '../../core/outbound.ts';

/** Bytes of a head, and of what follows a body in chunks. */
export const HEAD_BYTES_MAX = 16_384;

/** Bytes that are to come, chunks that say their own size, or all until the connection ends. */
export type BodyLength = number | 'chunks' | 'until-closed';

const STATUS_LINE = /^HTTP\/1\.([01]) ([1-9][0-9]{2})(?: [\t\u0020-\u007e\u0080-\u00ff]*)?$/;
const NAME = /^[!#$%&'*+\-.^_`|~0-9A-Za-z]+$/;
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;
/** More digits than these are no number that is exact. */
const LENGTH = /^[0-9]{1,15}$/;
const CLOSE = /(?:^|,)[ \t]*close[ \t]*(?:,|$)/i;
const KEEP_SECONDS = /(?:^|[,; \t])timeout=([0-9]{1,9})/i;
const SPACE = 0x20;
const TAB = 0x09;

export class ReplyHead implements OutboundHead {
  readonly status: number;
  readonly length: BodyLength;
  /** Whether the connection carries no reply after this one. */
  readonly isLast: boolean;
  /** Milliseconds the server says it keeps the connection without use; undefined if it does not. */
  readonly keepMs: number | undefined;
  /** Flat: name in lower case, value. */
  readonly #fields: readonly string[];

  constructor(
    status: number,
    fields: readonly string[],
    length: BodyLength,
    isLast: boolean,
    keepMs: number | undefined,
  ) {
    this.status = status;
    this.#fields = fields;
    this.length = length;
    this.isLast = isLast;
    this.keepMs = keepMs;
  }

  header(name: string): string | undefined {
    const fields = this.#fields;
    let value: string | undefined;
    for (let i = 0; i < fields.length; i += 2) {
      if (fields[i] !== name) continue;
      value = value === undefined ? fields[i + 1] : `${value}, ${fields[i + 1]}`;
    }
    return value;
  }
}

/**
 * @param text - begins with the head, one character a byte.
 * @param end - where its last line ends, the line break included.
 * @returns undefined when it is none.
 */
export function readReplyHead(text: string, end: number): ReplyHead | undefined {
  let lineEnd = text.indexOf('\r\n');
  const first = STATUS_LINE.exec(text.slice(0, lineEnd));
  if (first === null) return undefined;
  const fields: string[] = [];
  for (let at = lineEnd + 2; at < end; at = lineEnd + 2) {
    lineEnd = text.indexOf('\r\n', at);
    const colon = text.indexOf(':', at);
    if (colon === -1 || colon > lineEnd) return undefined;
    const name = text.slice(at, colon);
    const value = trimmed(text, colon + 1, lineEnd);
    if (!NAME.test(name) || !VALUE.test(value)) return undefined;
    fields.push(name.toLowerCase(), value);
  }
  return headOf(Number(first[2]), first[1] === '0', fields);
}

/** Whether a line is a field: what follows a body in chunks has to be some, too. */
export function isField(line: string): boolean {
  const colon = line.indexOf(':');
  return colon !== -1 && NAME.test(line.slice(0, colon)) && VALUE.test(line.slice(colon + 1));
}

function headOf(status: number, isOld: boolean, fields: readonly string[]): ReplyHead | undefined {
  let length: string | undefined;
  let coding: string | undefined;
  let connection = '';
  let keep = '';
  for (let i = 0; i < fields.length; i += 2) {
    const value = fields[i + 1] ?? '';
    switch (fields[i]) {
      case 'content-length':
        if (length !== undefined || !LENGTH.test(value)) return undefined;
        length = value;
        break;
      case 'transfer-encoding':
        if (coding !== undefined) return undefined;
        coding = value.toLowerCase();
        break;
      case 'connection':
        connection = `${connection},${value}`;
        break;
      case 'keep-alive':
        keep = value;
        break;
      default:
    }
  }
  // Chunks are the one coding that may come unasked; with a length beside it, replies are smuggled.
  if (coding !== undefined && (coding !== 'chunked' || length !== undefined || isOld)) {
    return undefined;
  }
  const body = bodyLength(status, coding, length);
  const isLast = isOld || body === 'until-closed' || (connection !== '' && CLOSE.test(connection));
  const seconds = keep === '' ? undefined : KEEP_SECONDS.exec(keep)?.[1];
  return new ReplyHead(
    status,
    fields,
    body,
    isLast,
    seconds === undefined ? undefined : Number(seconds) * 1000,
  );
}

function bodyLength(
  status: number,
  coding: string | undefined,
  length: string | undefined,
): BodyLength {
  if (status < 200 || status === 204 || status === 304) return 0;
  if (coding !== undefined) return 'chunks';
  return length === undefined ? 'until-closed' : Number(length);
}

/** Without the blanks around it; others than these two belong to the value. */
function trimmed(text: string, from: number, to: number): string {
  let start = from;
  let end = to;
  while (start < end && isBlank(text.charCodeAt(start))) start += 1;
  while (end > start && isBlank(text.charCodeAt(end - 1))) end -= 1;
  return text.slice(start, end);
}

function isBlank(code: number): boolean {
  return code === SPACE || code === TAB;
}
