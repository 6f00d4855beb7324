/**
 * A server of the stateless revision whose every step the test takes. By itself it answers only
 * `server/discover`, `tools/list`, the tool `now`, and it acknowledges listens with what it is made
 * to honour.
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
import { HandUpstream } from './hand-upstream.ts';
import { Signal } from './signal.ts';
import type { Json } from './wire-reply.ts';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const SERVER_INFO = { 'io.modelcontextprotocol/serverInfo': { name: 'modern', version: '1.0.0' } };
const CAPABILITIES = {
  tools: { listChanged: true },
  prompts: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
};

export interface ModernUpstreamOptions {
  /** `in-process` tells which call a message belongs to, `stdio` cannot. Default `in-process`. */
  readonly kind?: 'stdio' | 'in-process';
  /** Whether it answers `initialize` too. Default true. */
  readonly isDual?: boolean;
  /** What `tools/list` says. */
  readonly tools?: readonly Json[];
  /** Which kinds of a listen it honours. Default: all that were asked for. */
  readonly honours?: (asked: Json) => Json;
  /** Whether the test acknowledges listens itself. */
  readonly holdsListens?: boolean;
  /**
   * Whether the test answers `server/discover` itself, on all conversations but the one that
   * probes.
   */
  readonly holdsDiscover?: boolean;
  /** Whether it does so on that one, too: until then nobody knows what the server speaks. */
  readonly holdsProbe?: boolean;
}

export class ModernUpstream implements Upstream {
  readonly kind: 'stdio' | 'in-process';
  readonly name = 'modern';
  readonly options: ModernUpstreamOptions;
  /** Serves conversations of the handshake eras. */
  readonly legacy: HandUpstream;
  /** Modern conversations, in order; the first one probes. */
  readonly connections: ModernConnection[] = [];
  /** Requests that wait for the test, of all conversations, in order. */
  readonly calls: ModernRequest[] = [];
  /** Listens of ours, in order. */
  readonly listens: ModernListen[] = [];
  readonly signal: Signal = new Signal();
  isProbed = false;
  /** While set, conversations cannot be started. */
  isDown = false;

  constructor(options: ModernUpstreamOptions = {}) {
    this.options = options;
    this.kind = options.kind ?? 'in-process';
    this.legacy = new HandUpstream({ kind: this.kind });
  }

  connect(era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    if (era === 'legacy') {
      if (this.options.isDual !== false) return this.legacy.connect(era, events);
      queueMicrotask(() => events.onClosed('exited', 'it knows no handshake'));
      return { send: () => 'closed', close: () => {} };
    }
    const connection = new ModernConnection(this, events, this.connections.length === 0);
    this.connections.push(connection);
    if (this.isDown) queueMicrotask(() => connection.die('start-failed'));
    return connection;
  }

  async close(): Promise<void> {
    for (const connection of this.connections) connection.close();
    await this.legacy.close();
  }

  /** The call at this place, of one method or of all, once it is there. */
  async call(index: number, method?: string): Promise<ModernRequest> {
    const found = (): readonly ModernRequest[] =>
      this.calls.filter((call) => method === undefined || call.method === method);
    await this.until(() => found().length > index, `call ${index} of ${method ?? 'any'}`);
    return found()[index] as ModernRequest;
  }

  async listen(index: number): Promise<ModernListen> {
    await this.until(() => this.listens.length > index, `listen ${index}`);
    return this.listens[index] as ModernListen;
  }

  /** Tells every listen that asked for it, as a server does whose lists change. */
  publish(method: string, kind: string, params: Json = {}): void {
    for (const listen of this.listens) if (listen.wants(kind, params)) listen.say(method, params);
  }

  get newest(): ModernConnection {
    const connection = this.connections.at(-1);
    if (connection === undefined) throw new Error('There is no conversation yet.');
    return connection;
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await this.signal.until(condition, what, () => this.#state());
  }

  #state(): string {
    const calls = this.calls.map(({ method }) => method).join(', ');
    return `Calls: ${calls}. Listens: ${this.listens.length}.`;
  }
}

export class ModernConnection implements UpstreamConnection {
  readonly upstream: ModernUpstream;
  /** Everything it was sent, in order. */
  readonly sent: Message[] = [];
  readonly #events: UpstreamEvents;
  readonly #isProbe: boolean;
  isOver = false;
  /** While set, there is no room for what it is sent. */
  isFull = false;

  constructor(upstream: ModernUpstream, events: UpstreamEvents, isProbe: boolean) {
    this.upstream = upstream;
    this.#events = events;
    this.#isProbe = isProbe;
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
    for (const listen of this.upstream.listens)
      if (listen.connection === this) listen.isOver = true;
    this.#events.onClosed(cause, 'it ended');
    this.upstream.signal.fire();
  }

  /** Any message of the server. */
  raw(message: Json, relatedTo?: string): void {
    const read = readMessage(JSON.stringify(message), UPSTREAM_BOUNDS);
    if (read.kind !== 'message') throw new Error('Not a message.');
    const isTelling = this.upstream.kind === 'in-process';
    this.#events.onMessage(read.message, isTelling ? relatedTo : undefined);
  }

  /** An answer that is too large, or none that can be read. */
  unreadable(id: string): void {
    this.#events.onOversized(id);
  }

  /** What it was told in answer to a question of its own. */
  answers(): readonly Message[] {
    return this.sent.filter(({ kind }) => kind === 'response');
  }

  #received(message: Message): void {
    if (message.method === 'notifications/cancelled') this.#cancelled(message);
    if (message.kind !== 'request') return;
    const { upstream } = this;
    const request = new ModernRequest(this, message);
    const { holdsDiscover, holdsProbe, tools } = upstream.options;
    const isHeld = this.#isProbe ? holdsProbe : holdsDiscover;
    if (request.method === 'server/discover' && isHeld !== true) {
      request.discover();
    } else if (request.method === 'tools/list' && request.isOurs) {
      request.answer({ tools: tools ?? [], ttlMs: 0, cacheScope: 'public' });
    } else if (request.method === 'subscriptions/listen') {
      upstream.listens.push(new ModernListen(request));
    } else if (request.params['name'] === 'now') {
      request.say('now');
    } else {
      upstream.calls.push(request);
    }
  }

  #cancelled(message: Message): void {
    const { requestId } = message.value as { readonly requestId: unknown };
    const id = JSON.stringify(requestId);
    for (const call of [...this.upstream.calls, ...this.upstream.listens]) {
      if (call.connection === this && call.id === id) call.isCancelled = true;
    }
  }
}

/** A request that waits for the test. */
export class ModernRequest {
  readonly connection: ModernConnection;
  readonly id: string;
  readonly method: string;
  readonly params: Json;
  isCancelled = false;

  constructor(connection: ModernConnection, message: Message) {
    this.connection = connection;
    this.id = message.id ?? '';
    this.method = message.method ?? '';
    this.params = (message.value ?? {}) as Json;
  }

  get meta(): Json {
    return (this.params['_meta'] ?? {}) as Json;
  }

  /** Whether the gate asks for itself, not for a client. */
  get isOurs(): boolean {
    const info = this.meta['io.modelcontextprotocol/clientInfo'] as { name?: string } | undefined;
    return info?.name === 'tidegate';
  }

  discover(): void {
    const about = { supportedVersions: ['2026-07-28'], capabilities: CAPABILITIES };
    this.answer({ ...about, ttlMs: 0, cacheScope: 'public' });
  }

  answer(result: Json): void {
    const body = { resultType: 'complete', _meta: SERVER_INFO, ...result };
    this.connection.raw({ jsonrpc: '2.0', id: JSON.parse(this.id), result: body }, this.id);
  }

  /** Answers with one text. */
  say(text: string): void {
    this.answer({ content: [{ type: 'text', text }] });
  }

  fail(code: number, message: string, data?: unknown): void {
    const error = { code, message, ...(data === undefined ? {} : { data }) };
    this.connection.raw({ jsonrpc: '2.0', id: JSON.parse(this.id), error }, this.id);
  }

  notify(method: string, params: Json): void {
    this.connection.raw({ jsonrpc: '2.0', method, params }, this.id);
  }

  log(data: string, level = 'info'): void {
    this.notify('notifications/message', { level, data });
  }

  progress(progress: number): void {
    const { progressToken } = this.meta;
    this.notify('notifications/progress', { progressToken, progress });
  }
}

/** A listen of the gate's, as the server sees it. */
export class ModernListen {
  readonly connection: ModernConnection;
  readonly id: string;
  readonly asked: Json;
  isOver = false;
  #isCancelled = false;
  readonly #request: ModernRequest;

  constructor(request: ModernRequest) {
    this.#request = request;
    this.connection = request.connection;
    this.id = request.id;
    this.asked = (request.params['notifications'] ?? {}) as Json;
    if (this.connection.upstream.options.holdsListens !== true) this.acknowledge();
  }

  get isCancelled(): boolean {
    return this.#isCancelled;
  }

  set isCancelled(isCancelled: boolean) {
    this.#isCancelled = isCancelled;
    this.isOver ||= isCancelled;
  }

  acknowledge(): void {
    const { honours } = this.connection.upstream.options;
    const notifications = honours === undefined ? this.asked : honours(this.asked);
    this.say('notifications/subscriptions/acknowledged', { notifications });
  }

  wants(kind: string, params: Json): boolean {
    if (this.isOver) return false;
    const wanted = this.asked[kind];
    return Array.isArray(wanted) ? wanted.includes(params['uri']) : wanted === true;
  }

  /** A notification stamped with this listen's id. */
  say(method: string, params: Json = {}): void {
    const stamp = { _meta: { [SUBSCRIPTION_ID]: JSON.parse(this.id) as unknown } };
    this.#request.notify(method, { ...stamp, ...params });
  }

  /** The server ends it in good order. */
  end(): void {
    this.isOver = true;
    this.#request.answer({ _meta: { [SUBSCRIPTION_ID]: JSON.parse(this.id) as unknown } });
  }

  fail(code: number, message: string): void {
    this.isOver = true;
    this.#request.fail(code, message);
  }
}
