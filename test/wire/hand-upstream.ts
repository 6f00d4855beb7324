/**
 * A server whose every step the test takes: it says what it was sent, and answers when it is told
 * to. Only the handshake, `ping` and the tool `now` are answered by themselves.
 */
import type {
  SendOutcome,
  Upstream,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../src/core/ports.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../src/core/protocol/read-message.ts';
import { Signal } from './signal.ts';
import type { Json } from './wire-reply.ts';

const LEGACY = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];

export interface HandUpstreamOptions {
  /** `in-process` tells which call a message belongs to, `stdio` cannot. Default `in-process`. */
  readonly kind?: 'stdio' | 'in-process' | 'http';
  readonly capabilities?: Json;
  /**
   * Whether the test answers `initialize` itself, on all conversations but the first, which probes.
   */
  readonly holdsInitialize?: boolean;
  /** Whether conversations cannot be started, from the first on. */
  readonly isBroken?: boolean;
}

export class HandUpstream implements Upstream {
  readonly kind: 'stdio' | 'in-process' | 'http';
  readonly name = 'hand';
  readonly options: HandUpstreamOptions;
  /** Conversations that were used for more than a handshake of our probe, in order. */
  readonly connections: HandConnection[] = [];
  /** Requests that wait for the test, of all conversations, in order. */
  readonly calls: HandCall[] = [];
  readonly signal: Signal = new Signal();
  /** While set, conversations cannot be started. */
  isBroken: boolean;
  isClosed = false;

  constructor(options: HandUpstreamOptions = {}) {
    this.options = options;
    this.kind = options.kind ?? 'in-process';
    this.isBroken = options.isBroken ?? false;
  }

  connect(era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    const connection = new HandConnection(this, era, events);
    this.connections.push(connection);
    if (this.isBroken) queueMicrotask(() => connection.die('start-failed'));
    return connection;
  }

  close(): Promise<void> {
    this.isClosed = true;
    for (const connection of this.connections) connection.close();
    return Promise.resolve();
  }

  /** The call at this place, of one method or of all, once it is there. */
  async call(index: number, method?: string): Promise<HandCall> {
    const found = (): readonly HandCall[] =>
      this.calls.filter((call) => method === undefined || call.method === method);
    const state = (): string => `There are ${this.calls.map((call) => call.method).join(', ')}.`;
    await this.until(() => found().length > index, `call ${index} of ${method ?? 'any'}`, state);
    return found()[index] as HandCall;
  }

  /** The conversation that serves the newest session. */
  get newest(): HandConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('There is no conversation yet.');
    return connection;
  }

  get open(): readonly HandConnection[] {
    return this.connections.filter(({ isOver }) => !isOver);
  }

  async until(condition: () => boolean, what: string, state?: () => string): Promise<void> {
    await this.signal.until(condition, what, state);
  }
}

export class HandConnection implements UpstreamConnection {
  readonly upstream: HandUpstream;
  readonly era: UpstreamEra;
  /** Everything it was sent, in order. */
  readonly sent: Message[] = [];
  readonly #events: UpstreamEvents;
  isOver = false;
  /** While set, there is no room for what it is sent. */
  isFull = false;

  constructor(upstream: HandUpstream, era: UpstreamEra, events: UpstreamEvents) {
    this.upstream = upstream;
    this.era = era;
    this.#events = events;
  }

  send(message: Message): SendOutcome {
    if (this.isOver) return 'closed';
    if (this.isFull) return 'full';
    this.sent.push(message);
    queueMicrotask(() => {
      if (!this.isOver) this.#received(message);
      this.upstream.signal.fire();
    });
    return 'sent';
  }

  close(): void {
    queueMicrotask(() => this.die('closed'));
  }

  /** Ends by itself: nothing in flight is answered. */
  die(cause: UpstreamClosedCause = 'exited'): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#events.onClosed(cause, 'it ended');
    this.upstream.signal.fire();
  }

  /** A notification, or with an id a request, of the server. */
  say(
    method: string,
    params?: Json,
    { id, relatedTo }: { id?: unknown; relatedTo?: string } = {},
  ): void {
    this.raw({ jsonrpc: '2.0', id, method, params }, relatedTo);
  }

  raw(message: Json, relatedTo?: string): void {
    const read = readMessage(JSON.stringify(message), UPSTREAM_BOUNDS);
    if (read.kind !== 'message') throw new Error('Not a message.');
    if (this.upstream.kind === 'stdio') this.#events.onMessage(read.message);
    else this.#events.onMessage(read.message, relatedTo);
  }

  closeStreamOf(id: string): void {
    this.#events.onCloseStream(id);
  }

  /** An answer that is larger than a message may be. */
  oversized(id: string): void {
    this.#events.onOversized(id);
  }

  methods(): readonly string[] {
    return this.sent.map(({ method }) => method ?? 'response');
  }

  #received(message: Message): void {
    if (message.kind === 'notification') this.#cancelled(message);
    if (message.kind !== 'request') return;
    const call = new HandCall(this, message);
    const { method, params } = call;
    const { capabilities, holdsInitialize } = this.upstream.options;
    if (this.era === 'modern') return call.fail(-32601, 'Method not found');
    const isProbe = this.upstream.connections.indexOf(this) < 2;
    if (method === 'initialize' && !(holdsInitialize === true && !isProbe)) {
      const asked = String(params['protocolVersion']);
      return call.answer({
        protocolVersion: LEGACY.includes(asked) ? asked : '2025-11-25',
        capabilities: capabilities ?? { tools: { listChanged: true }, logging: {} },
        serverInfo: { name: 'hand', version: '1.0.0' },
      });
    }
    if (method === 'ping') return call.answer({});
    if (params['name'] === 'now') return call.say('now');
    this.upstream.calls.push(call);
  }

  #cancelled(message: Message): void {
    if (message.method !== 'notifications/cancelled') return;
    const id = JSON.stringify((message.value as Json)['requestId']);
    for (const call of this.upstream.calls) {
      if (call.connection === this && call.id === id) call.isCancelled = true;
    }
  }
}

/** A request that waits for the test. */
export class HandCall {
  readonly connection: HandConnection;
  readonly id: string;
  readonly method: string;
  readonly params: Json;
  isCancelled = false;

  constructor(connection: HandConnection, message: Message) {
    this.connection = connection;
    this.id = message.id ?? '';
    this.method = message.method ?? '';
    this.params = (message.value ?? {}) as Json;
  }

  answer(result: Json): void {
    this.connection.raw({ jsonrpc: '2.0', id: JSON.parse(this.id), result }, this.id);
  }

  /** Answers with one text. */
  say(text: string): void {
    this.answer({ content: [{ type: 'text', text }] });
  }

  fail(code: number, message: string): void {
    const error = { code, message };
    this.connection.raw({ jsonrpc: '2.0', id: JSON.parse(this.id), error }, this.id);
  }

  notify(method: string, params: Json): void {
    this.connection.say(method, params, { relatedTo: this.id });
  }

  log(data: string): void {
    this.notify('notifications/message', { level: 'info', data });
  }

  progress(progress: number): void {
    const { progressToken } = (this.params['_meta'] ?? {}) as { progressToken?: unknown };
    this.notify('notifications/progress', { progressToken, progress });
  }

  ask(id: unknown, method: string, params: Json): void {
    this.connection.say(method, params, { id, relatedTo: this.id });
  }

  closeStream(): void {
    this.connection.closeStreamOf(this.id);
  }
}
