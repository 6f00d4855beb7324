/**
 * A desktop host at the other end of our standard streams: lines of JSON-RPC in, lines out.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/stdio
 */
import type { Readable, Writable } from 'node:stream';
import { LineSplitter } from '../adapters/upstreams/stdio/line-splitter.ts';
import { errorResponse, type Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../core/protocol/read-message.ts';

export interface HostPipeEvents {
  onMessage(message: Message): void;
  /** The host says no more, and may still read. Once. */
  onInputEnd(): void;
  /** The host does not read what we write, or cannot be heard. The last event, once. */
  onGone(): void;
}

/** Bytes that may wait for a host that does not read. */
const WAITING_BYTES_MAX = 64 * 1024 * 1024;
const BREAKS = /[\r\n]/g;

export class HostPipe {
  readonly #output: Writable;
  readonly #events: HostPipeEvents;
  #isInputOver = false;
  #isGone = false;

  constructor(input: Readable, output: Writable, lineBytesMax: number, events: HostPipeEvents) {
    this.#output = output;
    this.#events = events;
    const splitter = new LineSplitter(lineBytesMax, {
      onLine: (source, start, end) => this.#line(source.toString('utf8', start, end)),
      onOversized: () => this.#refuse({ error: 'BODY_TOO_LARGE' }),
    });
    input.on('data', (chunk: Buffer) => {
      if (!this.#isGone) splitter.push(chunk);
    });
    input.on('end', () => {
      this.#isInputOver = true;
      // Whoever writes requests by hand may not end the last line.
      splitter.end();
      if (!this.#isGone) this.#events.onInputEnd();
    });
    input.on('error', () => this.#gone());
    input.on('close', () => {
      if (!this.#isInputOver) this.#gone();
    });
    output.on('error', () => this.#gone());
  }

  /** Calls `done` when the host has taken what was sent to it, or never will. */
  whenTaken(done: () => void): void {
    this.#output.write('', () => done());
  }

  send(message: Message): void {
    this.#write(message.toText());
  }

  #line(text: string): void {
    const outcome = readMessage(text, UPSTREAM_BOUNDS);
    if (outcome.kind === 'message') this.#events.onMessage(outcome.message);
    else if (outcome.kind === 'refused') this.#refuse(outcome.refusal);
    else {
      for (const entry of outcome.entries) {
        if (entry instanceof Message) this.#events.onMessage(entry);
        else this.#refuse(entry);
      }
    }
  }

  #refuse(refusal: Refusal): void {
    this.#write(errorResponse(refusal));
  }

  #write(text: string): void {
    if (this.#isGone) return;
    // Line breaks can only be white space between tokens, where a blank says the same.
    this.#output.write(`${text.replace(BREAKS, ' ')}\n`);
    if (this.#output.writableLength > WAITING_BYTES_MAX) this.#gone();
  }

  #gone(): void {
    if (this.#isGone) return;
    this.#isGone = true;
    this.#events.onGone();
  }
}
