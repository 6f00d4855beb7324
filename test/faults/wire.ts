/** Says exactly the bytes it is told to, one request after another, and reads one reply to each. */
import { connect, type Socket } from 'node:net';
import { within } from './clients.ts';

export interface WireAnswer {
  readonly status: number;
  /** Status line and headers, in lower case. */
  readonly head: string;
  /** The same as they came. */
  readonly rawHead: string;
  readonly body: string;
}

export class Wire {
  readonly #port: number;
  #socket: Socket | undefined;
  #received = Buffer.alloc(0);
  #isOver = false;
  #wake: () => void = () => {};

  constructor(port: number) {
    this.#port = port;
  }

  /** A connection that was closed after the last reply is opened anew. */
  async ask(request: string | Buffer): Promise<WireAnswer> {
    const socket = this.#open();
    socket.write(request);
    for (;;) {
      const answer = this.#take();
      if (answer !== undefined) {
        if (this.#isOver || /\r\nconnection: close\r\n/.test(answer.head)) this.close();
        return answer;
      }
      if (this.#isOver) {
        const shown = request.toString('latin1').slice(0, 300);
        throw new Error(`No reply to ${shown}, only ${this.#received.toString('latin1')}`);
      }
      await within(
        new Promise<void>((resolve) => {
          this.#wake = resolve;
        }),
        'a reply',
        () => request.toString('latin1').slice(0, 300),
      );
    }
  }

  /** Sends and leaves at once, politely or not. */
  async abandon(request: string | Buffer, isReset: boolean): Promise<void> {
    const socket = this.#open();
    await new Promise<void>((resolve) => socket.write(request, () => resolve()));
    if (isReset) socket.resetAndDestroy();
    this.close();
  }

  close(): void {
    this.#socket?.destroy();
    this.#socket = undefined;
  }

  #open(): Socket {
    if (this.#socket !== undefined) return this.#socket;
    const socket = connect({ port: this.#port, host: '127.0.0.1', noDelay: true });
    this.#socket = socket;
    this.#received = Buffer.alloc(0);
    this.#isOver = false;
    const over = (): void => {
      if (this.#socket !== socket) return;
      this.#isOver = true;
      this.#wake();
    };
    socket.on('data', (chunk: Buffer) => {
      this.#received = Buffer.concat([this.#received, chunk]);
      this.#wake();
    });
    socket.on('error', over);
    socket.on('end', over);
    socket.on('close', over);
    return socket;
  }

  #take(): WireAnswer | undefined {
    const end = this.#received.indexOf('\r\n\r\n');
    if (end === -1) return undefined;
    const rawHead = this.#received.toString('latin1', 0, end + 2);
    const head = rawHead.toLowerCase();
    const status = Number(head.slice(9, 12));
    const from = end + 4;
    const length = this.#lengthOf(head, from);
    if (this.#received.length < from + length) return undefined;
    const body = this.#received.toString('utf8', from, from + length);
    this.#received = this.#received.subarray(from + length);
    return status === 100 ? this.#take() : { status, head, rawHead, body };
  }

  /** A reply that took its time came as a stream: to the end of its last chunk. */
  #lengthOf(head: string, from: number): number {
    if (!head.includes('\r\ntransfer-encoding: chunked\r\n')) {
      return Number(/\r\ncontent-length: (\d+)\r\n/.exec(head)?.[1] ?? 0);
    }
    const last = this.#received.indexOf('\r\n0\r\n\r\n', from);
    return last === -1 ? Infinity : last + 7 - from;
  }
}
