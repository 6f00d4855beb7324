/**
 * What was said on a session of the handshake eras that a new one must be told again, so that its
 * loss goes unnoticed: the handshake itself, subscriptions and the logging level.
 */
import { LOG_LEVELS } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { LATEST_LEGACY_VERSION } from '../core/protocol/versions.ts';
import { requestIdOf } from './modern-conversation.ts';

/** More subscriptions than this are not restored. */
const SUBSCRIPTIONS_MAX = 10_000;

export class HandshakeMemory {
  #initialize: string | undefined;
  #level: string | undefined;
  readonly #subscribed = new Set<string>();
  /** URIs by the requests that are to say whether they are subscribed. */
  readonly #asked = new Map<string, string>();
  #capabilities: Readonly<Record<string, unknown>> = {};
  #version: string = LATEST_LEGACY_VERSION;
  readonly #prefix: string;
  #number = 0;
  #handshakeId: string | undefined;

  /** @param nonce - makes ids of ours unlike any other, of `[A-Za-z0-9_-]`. */
  constructor(nonce: string) {
    this.#prefix = `"tidegate-${nonce}-`;
  }

  /** The revision that was agreed on. */
  get version(): string {
    return this.#version;
  }

  /** Whether an id is that of the latest `initialize`. */
  isHandshake(id: string | undefined): boolean {
    return id !== undefined && id === this.#handshakeId;
  }

  /** Notes what passes by towards the server. */
  sent(message: Message): void {
    const { method, payload } = message;
    if (method === 'notifications/cancelled')
      this.#refused(message.token(message.spans.requestId) ?? requestIdOf(message));
    if (message.kind !== 'request' || payload === undefined) return;
    if (method === 'initialize') {
      this.#initialize = payload;
      this.#handshakeId = message.id;
    }
    // Of the rest only what is meant: a client may send any amount beside it.
    if (method === 'logging/setLevel') this.#level = levelOf(message) ?? this.#level;
    else if (method === 'resources/subscribe') this.#subscribe(message.id, uriOf(message));
    else if (method === 'resources/unsubscribe') this.#unsubscribe(uriOf(message));
  }

  /** Notes the answer to a request, from the server or in its place. */
  answered(answer: Message): void {
    const { id = 'null' } = answer;
    if (answer.isError) this.#refused(id);
    else if (this.isHandshake(id)) this.#initialized(answer);
    this.#asked.delete(id);
  }

  #initialized(answer: Message): void {
    const result = answer.value as { protocolVersion?: unknown; capabilities?: unknown };
    if (typeof result.protocolVersion === 'string') this.#version = result.protocolVersion;
    this.#capabilities = (result.capabilities ?? {}) as Readonly<Record<string, unknown>>;
  }

  /** `initialize` once more, under an id of ours; undefined when it never was sent. */
  initializeAgain(): Message | undefined {
    const params = this.#initialize;
    if (params === undefined) return undefined;
    this.#handshakeId = this.#ownId();
    return Message.request(this.#handshakeId, 'initialize', params);
  }

  /** What follows it, in order. */
  restoring(): readonly Message[] {
    const level = this.#level;
    const subscriptions = [...this.#subscribed].map((uri) =>
      this.#request('resources/subscribe', { uri }),
    );
    if (level === undefined) return subscriptions;
    return [this.#request('logging/setLevel', { level }), ...subscriptions];
  }

  /**
   * Look again: one change of each list that the server declares may change, and of each resource
   * that is subscribed.
   */
  changeNotices(): readonly Message[] {
    const lists = ['tools', 'prompts', 'resources']
      .filter((kind) => (this.#capabilities[kind] as Record<string, unknown>)?.['listChanged'])
      .map((kind) => Message.notification(`notifications/${kind}/list_changed`));
    const updates = [...this.#subscribed].map((uri) =>
      Message.notification('notifications/resources/updated', JSON.stringify({ uri })),
    );
    return [...lists, ...updates];
  }

  /** Whether an id is one of ours: nobody waits for its answer but us. */
  isOwn(id: string | undefined): boolean {
    return id?.startsWith(this.#prefix) ?? false;
  }

  #ownId(): string {
    this.#number += 1;
    return `${this.#prefix}${this.#number}"`;
  }

  #request(method: string, params: object): Message {
    return Message.request(this.#ownId(), method, JSON.stringify(params));
  }

  #subscribe(id: string | undefined, uri: string): void {
    if (this.#subscribed.has(uri) || this.#subscribed.size >= SUBSCRIPTIONS_MAX) return;
    this.#subscribed.add(uri);
    if (id !== undefined) this.#asked.set(id, uri);
  }

  #unsubscribe(uri: string): void {
    this.#subscribed.delete(uri);
    for (const [id, each] of this.#asked) if (each === uri) this.#asked.delete(id);
  }

  /** What it asked for is not had: no other session is told of it. */
  #refused(id: string): void {
    const uri = this.#asked.get(id);
    if (uri === undefined) return;
    this.#asked.delete(id);
    this.#subscribed.delete(uri);
  }
}

function levelOf(message: Message): string | undefined {
  const level = (message.value as { level?: unknown } | undefined)?.level;
  return LOG_LEVELS.find((each) => each === level);
}

function uriOf(message: Message): string {
  const uri = (message.value as { uri?: unknown } | undefined)?.uri;
  return typeof uri === 'string' ? uri : '';
}
