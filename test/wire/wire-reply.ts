/**
 * One HTTP request and its reply as it arrives: status, headers as sent, body, and the blocks of an
 * event stream.
 */
import { request } from 'node:http';
import type { ClientRequest, IncomingMessage } from 'node:http';
import { Signal } from './signal.ts';

export type Json = { readonly [key: string]: unknown };

export interface WireRequest {
  readonly method?: string;
  readonly path: string;
  readonly headers?: Readonly<Record<string, string | readonly string[] | undefined>>;
  readonly body?: string | Uint8Array;
}

/** What stands between two blank lines of an event stream. */
export interface Block {
  readonly text: string;
  readonly isComment: boolean;
  readonly event: string | undefined;
  readonly id: string | undefined;
  readonly retry: string | undefined;
  readonly data: string | undefined;
}

export class WireReply {
  text = '';
  readonly blocks: Block[] = [];
  isEnded = false;
  /** The connection broke before the reply was whole. */
  isBroken = false;
  readonly #request: ClientRequest;
  readonly #signal = new Signal();
  #incoming: IncomingMessage | undefined;
  #unparsed = '';

  constructor(port: number, { method = 'GET', path, headers = {}, body }: WireRequest) {
    const sent: Record<string, string | string[]> = {};
    for (const [name, value] of Object.entries(headers)) {
      if (value !== undefined) sent[name] = typeof value === 'string' ? value : [...value];
    }
    this.#request = request({ host: '127.0.0.1', port, method, path, headers: sent, agent: false });
    this.#request.on('response', (incoming) => this.#began(incoming));
    this.#request.on('error', () => this.#ended(true));
    this.#request.end(body);
  }

  /** Resolves with itself when the head has come. */
  async head(): Promise<this> {
    await this.until(() => this.#incoming !== undefined, 'the head of a reply');
    return this;
  }

  get hasHead(): boolean {
    return this.#incoming !== undefined;
  }

  get status(): number {
    return this.#incoming?.statusCode ?? 0;
  }

  /** The value of a header; several lines joined with a comma. */
  header(name: string): string | undefined {
    const value = this.#incoming?.headers[name.toLowerCase()];
    return Array.isArray(value) ? value.join(', ') : value;
  }

  /**
   * Head and body as one text, but for the date: equal texts mean that nothing tells two replies
   * apart.
   */
  get bytes(): string {
    const raw = this.#incoming?.rawHeaders ?? [];
    const lines = [`${this.status} ${this.#incoming?.statusMessage ?? ''}`];
    for (let i = 0; i < raw.length; i += 2) {
      if (raw[i]?.toLowerCase() !== 'date') lines.push(`${raw[i]}: ${raw[i + 1]}`);
    }
    return `${lines.join('\n')}\n\n${this.text}`;
  }

  /** Resolves with itself when the reply is whole. */
  async whole(): Promise<this> {
    await this.until(() => this.isEnded, 'the end of a reply');
    return this;
  }

  async json(): Promise<Json> {
    return JSON.parse((await this.whole()).text) as Json;
  }

  /** The events that carry a JSON-RPC message, so far. */
  get messages(): readonly Json[] {
    return this.messageBlocks.map(({ data }) => JSON.parse(data ?? '') as Json);
  }

  get messageBlocks(): readonly Block[] {
    return this.blocks.filter(
      ({ data, event }) =>
        data !== undefined && data !== '' && (event === undefined || event === 'message'),
    );
  }

  /** The message at this place of the stream, once it is there. */
  async message(index: number): Promise<Json> {
    await this.until(() => this.messageBlocks.length > index, `message ${index} of a stream`);
    return this.messages[index] as Json;
  }

  async block(index: number): Promise<Block> {
    await this.until(() => this.blocks.length > index, `block ${index} of a stream`);
    return this.blocks[index] as Block;
  }

  /** The id a reader that lost this stream now would come back with. */
  get lastEventId(): string {
    return this.blocks.findLast(({ id }) => id !== undefined)?.id ?? '';
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const state = (): string =>
      `Status ${this.status}; ${this.isEnded ? 'over' : 'open'}; got ${this.text.slice(0, 2000)}`;
    await this.#signal.until(condition, what, state);
  }

  /** Cuts the connection, as a client does that dies or loses its network. */
  leave(): void {
    this.#request.destroy();
  }

  #began(incoming: IncomingMessage): void {
    this.#incoming = incoming;
    const isStream = incoming.headers['content-type'] === 'text/event-stream';
    incoming.setEncoding('utf8');
    incoming.on('data', (chunk: string) => {
      this.text += chunk;
      if (isStream) this.#parse(chunk);
      this.#signal.fire();
    });
    incoming.on('end', () => this.#ended(false));
    incoming.on('error', () => this.#ended(true));
    incoming.on('close', () => this.#ended(!incoming.complete));
    this.#signal.fire();
  }

  #ended(isBroken: boolean): void {
    if (this.isEnded) return;
    this.isEnded = true;
    this.isBroken = isBroken;
    this.#signal.fire();
  }

  #parse(chunk: string): void {
    this.#unparsed += chunk;
    for (;;) {
      const end = this.#unparsed.indexOf('\n\n');
      if (end < 0) return;
      this.blocks.push(blockOf(this.#unparsed.slice(0, end)));
      this.#unparsed = this.#unparsed.slice(end + 2);
    }
  }
}

function blockOf(text: string): Block {
  const lines = text.split('\n');
  const field = (name: string): string | undefined => {
    const values = lines.filter((line) => line.startsWith(`${name}:`));
    if (values.length === 0) return undefined;
    return values.map((line) => line.slice(name.length + 1).replace(/^ /, '')).join('\n');
  };
  return {
    text,
    isComment: lines.every((line) => line.startsWith(':')),
    event: field('event'),
    id: field('id'),
    retry: field('retry'),
    data: field('data'),
  };
}
