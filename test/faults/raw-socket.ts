/** A client that reads as slowly as it is told to, over a socket of its own. */
import { connect, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';
import { within } from './clients.ts';

const FAST_BYTES = 65_536;

export class RawSocket {
  /** The beginning and the end of what came, as text. */
  head = '';
  tail = '';
  bytes = 0;
  isClosed = false;
  readonly #socket: Socket;
  #pace: 'fast' | 'slow' | 'stopped' = 'fast';
  #timer: NodeJS.Timeout | undefined;
  #checks: (() => void)[] = [];

  private constructor(port: number) {
    this.#socket = connect({
      port,
      host: '127.0.0.1',
      onread: {
        buffer: () => Buffer.alloc(this.#pace === 'fast' ? FAST_BYTES : 1),
        callback: (count, buffer) => this.#read(Buffer.from(buffer.subarray(0, count))),
      },
    });
    this.#socket.on('error', () => {});
    this.#socket.on('close', () => {
      this.isClosed = true;
      this.#check();
    });
  }

  static async open(port: number): Promise<RawSocket> {
    const raw = new RawSocket(port);
    onTestFinished(() => raw.destroy());
    await within(
      new Promise<void>((resolve) => raw.#socket.once('connect', () => resolve())),
      'a connection',
    );
    return raw;
  }

  send(text: string): void {
    if (!this.isClosed) this.#socket.write(text);
  }

  /** Reads one byte a second from now on. */
  readSlowly(): void {
    this.#pace = 'slow';
    this.#timer = setInterval(() => this.#socket.resume(), 1000);
  }

  stopReading(): void {
    this.#pace = 'stopped';
    this.#socket.pause();
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const isSo = new Promise<void>((resolve) => {
      this.#checks.push(() => {
        if (condition()) resolve();
      });
      this.#check();
    });
    await within(
      isSo,
      what,
      () => `${this.isClosed ? 'Closed' : 'Open'}: ${this.tail.slice(-500)}`,
    );
  }

  /** Waits for text among the last of what came. */
  async received(text: string): Promise<void> {
    await this.until(() => this.tail.includes(text), text);
  }

  destroy(): void {
    clearInterval(this.#timer);
    this.#socket.destroy();
  }

  #read(chunk: Buffer): boolean {
    this.bytes += chunk.length;
    const text = chunk.toString('latin1');
    if (this.head.length < 4096) this.head += text;
    this.tail = (this.tail + text).slice(-100_000);
    this.#check();
    return this.#pace === 'fast';
  }

  #check(): void {
    for (const check of this.#checks) check();
  }
}

export function requestText(
  method: string,
  path: string,
  headers: Readonly<Record<string, string>>,
  body = '',
): string {
  const lines = Object.entries({ host: 'localhost', ...headers });
  if (body !== '') lines.push(['content-length', String(Buffer.byteLength(body))]);
  const text = lines.map(([name, value]) => `${name}: ${value}\r\n`).join('');
  return `${method} ${path} HTTP/1.1\r\n${text}\r\n${body}`;
}
