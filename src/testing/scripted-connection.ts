/**
 * One conversation of a scripted upstream: the handshake, its calls, its subscriptions and its end.
 */
import type {
  SendOutcome,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { markerOf } from './canary.ts';
import { ScriptedCall } from './scripted-call.ts';
import {
  textOf,
  type JsonObject,
  type ScriptedConversation,
  type ScriptedStage,
} from './scripted-stage.ts';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';
const SERVER_INFO = { name: 'scripted', version: '1.0.0' };
const CAPABILITIES = {
  tools: { listChanged: true },
  resources: { subscribe: true, listChanged: true },
  logging: {},
};
const LEGACY_VERSIONS = ['2024-11-05', '2025-03-26', '2025-06-18', '2025-11-25'];
const TOOL = { name: 'script', inputSchema: { type: 'object' } };

export class ScriptedConnection implements UpstreamConnection, ScriptedConversation {
  readonly stage: ScriptedStage;
  readonly number: number;
  readonly era: UpstreamEra;
  readonly #events: UpstreamEvents;
  readonly #seenIds = new Set<string>();
  readonly #calls = new Map<string, ScriptedCall>();
  /** Questions to the client that wait for an answer, by their id's token. */
  readonly #questions = new Map<string, (answer: Message | undefined) => void>();
  readonly #subscribed = new Set<string>();
  readonly #listens = new Map<string, JsonObject>();
  #isClosed = false;
  #isClosing = false;
  #isInitialized = false;
  #arriveAt = 0;
  #questionCount = 0;

  constructor(stage: ScriptedStage, number: number, era: UpstreamEra, events: UpstreamEvents) {
    this.stage = stage;
    this.number = number;
    this.era = era;
    this.#events = events;
  }

  /* What the engine calls. */

  send(message: Message): SendOutcome {
    const { clock, random, options } = this.stage;
    if (this.#isClosed || this.#isClosing) return 'closed';
    if (this.#seenIds.size > 0 && random.chance(options.fullRate)) return 'full';
    this.#judge(message);
    this.#arriveAt = Math.max(this.#arriveAt, clock.now() + random.int(...options.latencyMs));
    clock.after(this.#arriveAt - clock.now(), () => {
      if (!this.#isClosed) this.#receive(message);
    });
    return 'sent';
  }

  close(): void {
    if (this.#isClosed || this.#isClosing) return;
    this.#isClosing = true;
    this.later(() => this.end('closed', 'asked to'));
  }

  /* What the test and the calls use. */

  /** Whether it ended, or was asked to. */
  get isClosing(): boolean {
    return this.#isClosed || this.#isClosing;
  }

  failToStart(): void {
    this.later(() => this.end('start-failed', 'spawn failed'));
  }

  /** Dies: nothing follows, and nothing in flight is answered. */
  crash(): void {
    this.end('exited', 'crashed');
  }

  end(cause: 'closed' | 'start-failed' | 'exited', detail: string): void {
    if (this.#isClosed) return;
    this.#isClosed = true;
    this.#calls.clear();
    this.#events.onClosed(cause, detail);
  }

  /** Runs a step after a random latency, unless the connection has ended by then. */
  later(step: () => void, range: readonly [number, number] = this.stage.options.latencyMs): void {
    this.stage.clock.after(this.stage.random.int(...range), () => {
      if (!this.#isClosed) step();
    });
  }

  emit(message: Message, relatedTo?: string): void {
    if (this.#isClosed) return;
    const isTelling = this.stage.kind === 'in-process' && relatedTo !== undefined;
    this.#events.onMessage(message, isTelling ? relatedTo : undefined);
  }

  answer(id: string, result: JsonObject): void {
    this.#calls.delete(id);
    this.emit(Message.result(id, JSON.stringify(result)), id);
  }

  refuse(id: string, code: number, message: string): void {
    this.#calls.delete(id);
    this.emit(Message.error(id, JSON.stringify({ code, message })), id);
  }

  oversized(id: string): void {
    this.#calls.delete(id);
    if (!this.#isClosed) this.#events.onOversized(this.stage.random.chance(0.8) ? id : undefined);
  }

  closeStreamOf(id: string): void {
    if (!this.#isClosed && this.stage.kind === 'in-process') this.#events.onCloseStream(id);
  }

  /** A question to the client; `done` gets undefined after a minute without an answer. */
  ask(relatedTo: string, text: string, done: (answer: Message | undefined) => void): void {
    this.#questionCount += 1;
    const id = JSON.stringify(`ask-${this.#questionCount}`);
    const params = { message: text, requestedSchema: { type: 'object', properties: {} } };
    this.#questions.set(id, done);
    this.emit(Message.request(id, 'elicitation/create', JSON.stringify(params)), relatedTo);
    this.later(() => this.#answered(id, undefined), [60_000, 60_000]);
  }

  /** Tells everyone who asked for it that a list has changed. */
  announceTools(): void {
    this.#publish('notifications/tools/list_changed', 'toolsListChanged', {});
  }

  /** Tells the subscribers of one resource that it changed; of a random one without `uri`. */
  announceResource(uri?: string): void {
    const known = [...this.#subscribed, ...[...this.#listens.values()].flatMap(urisOf)];
    if (known.length === 0) return;
    const changed = uri ?? this.stage.random.pick(known);
    this.#publish('notifications/resources/updated', 'resourceSubscriptions', { uri: changed });
  }

  /** Ends one listen stream gracefully, as a server that shuts down does. */
  endListen(): void {
    const id = [...this.#listens.keys()][0];
    if (id === undefined) return;
    this.#listens.delete(id);
    const subscription: unknown = JSON.parse(id);
    this.answer(id, { resultType: 'complete', _meta: { [SUBSCRIPTION_ID]: subscription } });
  }

  /* Inside. */

  #judge(message: Message): void {
    const { stage } = this;
    if (message.kind === 'request') {
      if (!/^(0|[1-9]\d*)$/.test(message.id ?? '')) stage.violate(`request id ${message.id}`);
      if (this.#seenIds.has(message.id ?? '')) stage.violate(`repeated id ${message.id}`);
      this.#seenIds.add(message.id ?? '');
    }
    try {
      JSON.parse(message.toText());
    } catch {
      stage.violate(`text that is not JSON: ${message.toText().slice(0, 120)}`);
    }
  }

  #receive(message: Message): void {
    const params = (message.value ?? {}) as JsonObject;
    if (message.kind === 'response') this.#answered(message.id ?? '', message);
    else if (message.kind === 'notification') this.#notified(message.method ?? '', params);
    else if (!this.stage.options.eras.includes(this.era)) {
      this.refuse(message.id ?? '', -32601, 'Method not found');
    } else this.#request(message.id ?? '', message.method ?? '', params);
  }

  #request(id: string, method: string, params: JsonObject): void {
    const isLegacy = this.era === 'legacy';
    if (isLegacy && method !== 'initialize' && method !== 'ping' && !this.#isInitialized) {
      this.stage.violate(`${method} before initialize`);
    }
    if (isLegacy && method === 'initialize') this.#initialize(id, params);
    else if (!isLegacy && method === 'server/discover') this.#discover(id);
    else if (!isLegacy && method === 'subscriptions/listen') this.#listen(id, params);
    else if (isLegacy && method === 'resources/subscribe') this.#subscribe(id, params, true);
    else if (isLegacy && method === 'resources/unsubscribe') this.#subscribe(id, params, false);
    else if (isLegacy && (method === 'ping' || method === 'logging/setLevel')) {
      this.later(() => this.answer(id, {}));
    } else if (method === 'tools/list') this.later(() => this.answer(id, this.#tools()));
    else if (method === 'tools/call') this.#call(id, params);
    else this.later(() => this.refuse(id, -32601, 'Method not found'));
  }

  #initialize(id: string, params: JsonObject): void {
    if (this.#isInitialized) this.stage.violate('a second initialize');
    this.#isInitialized = true;
    const asked = textOf(params, 'protocolVersion');
    const protocolVersion = LEGACY_VERSIONS.includes(asked) ? asked : '2025-11-25';
    const result = { protocolVersion, capabilities: CAPABILITIES, serverInfo: SERVER_INFO };
    this.later(() => this.answer(id, result));
  }

  #discover(id: string): void {
    const result = {
      resultType: 'complete',
      supportedVersions: ['2026-07-28'],
      capabilities: CAPABILITIES,
      _meta: { 'io.modelcontextprotocol/serverInfo': SERVER_INFO },
      ttlMs: 0,
      cacheScope: 'public',
    };
    this.later(() => this.answer(id, result));
  }

  #tools(): JsonObject {
    const tools = [TOOL];
    return this.era === 'legacy'
      ? { tools }
      : { tools, resultType: 'complete', ttlMs: 0, cacheScope: 'public' };
  }

  #subscribe(id: string, params: JsonObject, isWanted: boolean): void {
    const uri = textOf(params, 'uri');
    if (isWanted) this.#subscribed.add(uri);
    else this.#subscribed.delete(uri);
    this.later(() => this.answer(id, {}));
  }

  #listen(id: string, params: JsonObject): void {
    const wanted = (params['notifications'] ?? {}) as JsonObject;
    this.#listens.set(id, wanted);
    const rest = { notifications: wanted };
    this.emit(stamped('notifications/subscriptions/acknowledged', id, rest), id);
  }

  #call(id: string, params: JsonObject): void {
    const call = new ScriptedCall(this, id, params);
    this.#calls.set(id, call);
    call.begin();
  }

  #notified(method: string, params: JsonObject): void {
    if (method !== 'notifications/cancelled') return;
    const id = JSON.stringify(params['requestId']);
    if (this.#listens.delete(id)) return;
    this.#calls.get(id)?.cancel();
    this.#calls.delete(id);
  }

  #answered(id: string, answer: Message | undefined): void {
    const done = this.#questions.get(id);
    if (done === undefined) {
      const isLate = Number(id.slice('"ask-'.length, -1)) <= this.#questionCount;
      if (answer !== undefined && !isLate) this.stage.violate(`an answer to no question: ${id}`);
      return;
    }
    this.#questions.delete(id);
    done(answer);
  }

  #publish(method: string, filter: string, params: JsonObject): void {
    const marked = { ...params, _meta: { marker: markerOf(this.stage.nextMarker()) } };
    if (this.era === 'legacy') {
      this.emit(Message.notification(method, JSON.stringify(marked)));
      return;
    }
    for (const [id, wanted] of this.#listens) {
      const uri = params['uri'];
      const isWanted =
        uri === undefined
          ? wanted[filter] === true
          : urisOf(wanted).includes(textOf(params, 'uri'));
      const own = { ...params, marker: markerOf(this.stage.nextMarker()) };
      if (isWanted) this.emit(stamped(method, id, own), id);
    }
  }
}

function urisOf(filter: JsonObject): readonly string[] {
  const uris = filter['resourceSubscriptions'];
  return Array.isArray(uris) ? uris.map(String) : [];
}

/** A notification with the subscription id in its `_meta`, and the spans that say where. */
function stamped(method: string, id: string, params: JsonObject): Message {
  const before = '{"_meta":';
  const meta = `{${JSON.stringify(SUBSCRIPTION_ID)}:${id}}`;
  const rest = JSON.stringify(params).slice(1);
  const payload = `${before}${meta}${rest === '}' ? '' : ','}${rest}`;
  const end = before.length + meta.length;
  return new Message('notification', undefined, method, false, payload, {
    meta: { start: before.length, end },
    subscriptionId: { start: end - 1 - id.length, end: end - 1 },
  });
}
