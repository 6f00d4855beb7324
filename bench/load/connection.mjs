/**
 * One keep-alive HTTP/1.1 connection on a raw socket, for load that costs as little as possible: bytes
 * land in one shared buffer, requests are strings built once, one request is in flight at a time.
 */
import { connect } from 'node:net';

// Every socket of the process reads into this buffer and is done with it before the next one reads.
const INPUT = Buffer.allocUnsafeSlow(256 * 1024);

/** The `endpoint` event of a 2024 stream, wherever in it the data stands. */
export const ENDPOINT = /event: endpoint\r?\n(?:(?:id|retry):.*\r?\n)*data: *(\S+)\r?\n/;

/**
 * Opens a socket; `onText` gets what arrives, one character a byte. `localAddress` is the peer's as
 * the server sees it.
 */
export function openSocket(port, onText, onClose, localAddress) {
  const callback = (size) => {
    onText(INPUT.latin1Slice(0, size), size);
    return true;
  };
  const socket = connect({
    host: '127.0.0.1',
    port,
    localAddress,
    noDelay: true,
    onread: { buffer: INPUT, callback },
  });
  socket.on('error', () => {});
  socket.on('close', onClose);
  return socket;
}

/** A request whose every part but body and length is known beforehand. */
export function requestText(port, method, path, headers, body) {
  let head = `${method} ${path} HTTP/1.1\r\nhost: 127.0.0.1:${port}\r\n`;
  for (const [name, value] of Object.entries(headers)) head += `${name}: ${value}\r\n`;
  if (body === undefined) return `${head}\r\n`;
  return `${head}content-length: ${body.length}\r\n\r\n${body}`;
}

/** Sends requests one after the other and hands back each whole reply. */
export class Connection {
  #port;
  #localAddress;
  #socket;
  #text = '';
  #onReply = undefined;
  #onFail = undefined;

  constructor(port, localAddress) {
    this.#port = port;
    this.#localAddress = localAddress;
    this.#open();
  }

  /** `onReply(status, head, body)`; `onFail()` when the connection ends first. */
  send(text, onReply, onFail) {
    // Servers with a short keep-alive have hung up while others were measured.
    if (this.#socket.destroyed || this.#socket.readyState === 'writeOnly') this.#open();
    this.#onReply = onReply;
    this.#onFail = onFail;
    this.#socket.write(text, 'latin1');
  }

  request(text) {
    return new Promise((resolve, reject) => {
      const onReply = (status, head, body) => resolve({ status, head, body });
      this.send(text, onReply, () => reject(new Error('connection closed before the reply')));
    });
  }

  close() {
    this.#socket.resetAndDestroy();
  }

  #receive(text) {
    this.#text = this.#text === '' ? text : this.#text + text;
    const reply = takeReply(this.#text);
    if (reply === undefined) return;
    this.#text = '';
    const onReply = this.#onReply;
    this.#onReply = this.#onFail = undefined;
    onReply?.(reply.status, reply.head, reply.body);
  }

  #open() {
    const socket = openSocket(
      this.#port,
      (text) => this.#receive(text),
      () => {
        if (socket === this.#socket) this.#fail();
      },
      this.#localAddress,
    );
    this.#socket = socket;
    this.#text = '';
  }

  #fail() {
    const onFail = this.#onFail;
    this.#onReply = this.#onFail = undefined;
    onFail?.();
  }
}

/** The reply that `text` begins with, or `undefined` while it is not whole. */
function takeReply(text) {
  const headEnd = text.indexOf('\r\n\r\n');
  if (headEnd < 0) return undefined;
  const head = text.slice(0, headEnd);
  const status = Number(text.slice(9, 12));
  const start = headEnd + 4;
  const length = /\ncontent-length: *(\d+)/i.exec(head);
  if (length !== null) {
    const end = start + Number(length[1]);
    return text.length < end ? undefined : { status, head, body: text.slice(start, end) };
  }
  if (!/\ntransfer-encoding: *chunked/i.test(head)) return { status, head, body: '' };
  let body = '';
  for (let at = start; ;) {
    const lineEnd = text.indexOf('\r\n', at);
    if (lineEnd < 0) return undefined;
    const size = Number.parseInt(text.slice(at, lineEnd), 16);
    const next = lineEnd + 2 + size + 2;
    if (text.length < next) return undefined;
    if (size === 0) return { status, head, body };
    body += text.slice(lineEnd + 2, next - 2);
    at = next;
  }
}
