/** A request as it is written on a connection. */
import type { Socket } from 'node:net';
import type { OutboundRequest } from '../../core/outbound.ts';

/** A body longer than this, in characters, is not copied together with its head. */
const JOINED_CHARS_MAX = 16_384;

const NAME = /^[!#$%&'*+\-.^_`|~0-9a-z]+$/;
const PLAIN_VALUE = /^[\t\u0020-\u007e]*$/;
const VALUE = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** What says where a message ends and what becomes of its connection is for us to say. */
const OURS: ReadonlySet<string> = new Set([
  'connection',
  'content-length',
  'expect',
  'host',
  'keep-alive',
  'te',
  'trailer',
  'transfer-encoding',
  'upgrade',
]);

interface HeaderLines {
  readonly text: string;
  /** Whether every character is one byte in UTF-8, too. */
  readonly isPlain: boolean;
}

/** Of lists that do not change: a conversation sends most of its requests with one. */
const KNOWN = new WeakMap<readonly string[], HeaderLines>();

export class RequestText {
  readonly #head: string;
  readonly #body: string;
  /** Whether every character of the head is one byte in UTF-8, too. */
  readonly #isPlain: boolean;

  private constructor(head: string, body: string, isPlain: boolean) {
    this.#head = head;
    this.#body = body;
    this.#isPlain = isPlain;
  }

  /**
   * @param path - what the request line names.
   * @param lines - header lines that come first, each with its end: `Host` among them.
   * @param isLast - whether the connection shall carry no other request.
   * @returns undefined when a header is none, or not for those who ask to set.
   */
  static of(
    { method, headers, body = '' }: OutboundRequest,
    path: string,
    lines: string,
    isLast: boolean,
  ): RequestText | undefined {
    const own = linesOf(headers);
    if (own === undefined) return undefined;
    const connection = isLast ? 'close' : 'keep-alive';
    let head = `${method} ${path} HTTP/1.1\r\n${lines}connection: ${connection}\r\n${own.text}`;
    const hasLength = body !== '' || method === 'POST';
    head += hasLength ? `content-length: ${Buffer.byteLength(body)}\r\n\r\n` : '\r\n';
    return new RequestText(head, body, own.isPlain);
  }

  writeTo(socket: Socket): void {
    if (this.#isPlain && this.#body.length <= JOINED_CHARS_MAX) {
      socket.write(this.#head + this.#body, 'utf8');
      return;
    }
    socket.cork();
    socket.write(this.#head, 'latin1');
    if (this.#body !== '') socket.write(this.#body, 'utf8');
    socket.uncork();
  }
}

function linesOf(headers: readonly string[]): HeaderLines | undefined {
  const known = KNOWN.get(headers);
  if (known !== undefined) return known;
  const lines = newLines(headers);
  if (lines !== undefined && Object.isFrozen(headers)) KNOWN.set(headers, lines);
  return lines;
}

function newLines(headers: readonly string[]): HeaderLines | undefined {
  const names: string[] = [];
  const values: string[] = [];
  let isPlain = true;
  for (let i = 0; i + 1 < headers.length; i += 2) {
    const name = (headers[i] ?? '').toLowerCase();
    const value = headers[i + 1] ?? '';
    if (!NAME.test(name) || OURS.has(name)) return undefined;
    if (!PLAIN_VALUE.test(value)) {
      if (!VALUE.test(value)) return undefined;
      isPlain = false;
    }
    // Of several values of one name the last wins: ours come after the operator's.
    const known = names.indexOf(name);
    if (known === -1) {
      names.push(name);
      values.push(value);
    } else {
      values[known] = value;
    }
  }
  let text = '';
  for (let i = 0; i < names.length; i += 1) text += `${names[i]}: ${values[i]}\r\n`;
  return { text, isPlain };
}
