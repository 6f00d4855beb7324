/** A client that says exactly the bytes it is told to, over a real socket. */
import { connect } from 'node:net';
import type { Socket } from 'node:net';

const WAIT_MS = 10_000;

export class RawClient {
  readonly socket: Socket;
  received = '';
  bytesReceived = 0;
  isEnded = false;
  isClosed = false;
  errorCode: string | undefined;
  #checks: (() => void)[] = [];

  private constructor(socket: Socket) {
    this.socket = socket;
    socket.on('data', (chunk: Buffer) => {
      this.bytesReceived += chunk.length;
      if (this.received.length < 1_000_000) this.received += chunk.toString('latin1');
      this.#check();
    });
    socket.on('end', () => {
      this.isEnded = true;
      this.#check();
    });
    socket.on('error', (error: NodeJS.ErrnoException) => {
      this.errorCode = error.code;
      this.#check();
    });
    socket.on('close', () => {
      this.isClosed = true;
      this.#check();
    });
  }

  static async open(port: number): Promise<RawClient> {
    const socket = connect({ port, host: '127.0.0.1', allowHalfOpen: true });
    await new Promise<void>((resolve, reject) => {
      socket.once('connect', resolve);
      socket.once('error', reject);
    });
    return new RawClient(socket);
  }

  send(text: string | Buffer): void {
    this.socket.write(text);
  }

  /**
   * Resolves when the condition holds; fails with what was received when it does not within bounds.
   */
  async until(condition: (client: this) => boolean, what: string): Promise<void> {
    if (condition(this)) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => {
        reject(new Error(`Waited in vain for ${what}; received ${this.received.slice(0, 2000)}`));
      }, WAIT_MS);
      this.#checks.push(() => {
        if (!condition(this)) return;
        clearTimeout(timer);
        resolve();
      });
    });
  }

  async untilReceived(text: string): Promise<void> {
    await this.until(() => this.received.includes(text), JSON.stringify(text));
  }

  async untilOver(): Promise<void> {
    await this.until(() => this.isEnded || this.isClosed, 'the end of the connection');
  }

  /** Takes what was received so far away, to look at one reply after another. */
  take(): string {
    const { received } = this;
    this.received = '';
    return received;
  }

  destroy(): void {
    this.socket.destroy();
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

/** A POST with a body of known length. */
export function post(path: string, body: string, headers: readonly string[] = []): string {
  return [
    `POST ${path} HTTP/1.1`,
    'Host: localhost',
    'Content-Type: application/json',
    `Content-Length: ${Buffer.byteLength(body)}`,
    ...headers,
    '',
    body,
  ].join('\r\n');
}

export function get(path: string, headers: readonly string[] = []): string {
  return [`GET ${path} HTTP/1.1`, 'Host: localhost', ...headers, '', ''].join('\r\n');
}

/** The status of the first reply in a text. */
export function statusOf(text: string): number {
  return Number(/^HTTP\/1\.1 (\d{3})/.exec(text)?.[1]);
}

/** The body of a chunked reply, as far as it came. */
export function unchunk(text: string): string {
  let rest = text.slice(text.indexOf('\r\n\r\n') + 4);
  let body = '';
  for (;;) {
    const line = rest.indexOf('\r\n');
    const size = Number.parseInt(rest.slice(0, line), 16);
    if (line === -1 || !(size > 0)) return body;
    body += rest.slice(line + 2, line + 2 + size);
    rest = rest.slice(line + 2 + size + 2);
  }
}
