/** One request of a 2026 client, towards the bridge that serves it. */
import type { Refusal } from '../../core/errors.ts';
import { bridgedCapabilities } from '../../core/bridge/modern-client/client-capabilities.ts';
import { declaresTasks } from '../../core/bridge/tasks/task-words.ts';
import type { Visitor } from '../../core/gate.ts';
import type { RequestHead } from '../../core/ports.ts';
import { META, type Envelope } from '../../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../../core/protocol/message.ts';
import type { Filter, Subscription } from '../../core/sessions/subscription.ts';
import type { CallEntry } from '../call-entry.ts';
import type { Instance } from '../instance.ts';
import type { CallOwner, UpstreamCall } from '../upstream-call.ts';
import type { Listener } from '../listener.ts';
import type { ModernUpstream } from '../modern-upstream.ts';
import { OUR_IDENTITY } from '../our-identity.ts';
import type { BridgeClient } from './bridge-client.ts';
import type { BridgeSession } from './bridge-session.ts';
import type { ModernOverLegacy } from './modern-over-legacy.ts';

export class ModernClient implements ModernUpstream {
  readonly #bridge: ModernOverLegacy;
  readonly #client: BridgeClient;
  readonly #message: Message;
  /** Of the call that the request goes on with. */
  readonly #joined: BridgeSession | undefined;

  constructor(bridge: ModernOverLegacy, visitor: Visitor, message: Message) {
    this.#bridge = bridge;
    this.#message = message;
    const { _meta } = (message.value ?? {}) as { _meta?: Record<string, unknown> };
    const capabilities = bridgedCapabilities(_meta?.[META.clientCapabilities]);
    this.#client = {
      visitor,
      principal: visitor.principal,
      capabilities,
      capabilitiesText: JSON.stringify(capabilities),
      clientInfo: _meta?.[META.clientInfo] ?? OUR_IDENTITY,
      hasTasks: declaresTasks(_meta?.[META.clientCapabilities]),
    };
    this.#joined = bridge.joinedSession(this.#client, message);
  }

  /** Why there is no session for it. */
  get refusal(): Refusal | undefined {
    const session = this.#bridge.sessionFor(this.#client);
    return 'error' in session ? session : undefined;
  }

  get isDown(): boolean {
    // A call may have been answered before its session went.
    return this.#joined === undefined && this.#session?.isDown === true;
  }

  /** Where a call would be made now: another may come before it. */
  get conversation(): Instance | undefined {
    const session = this.#joined ?? this.#bridge.freeSession(this.#client, this.#message);
    return session?.instance;
  }

  get isChosenLater(): boolean {
    return this.#joined === undefined;
  }

  get tellsOfTasks(): boolean {
    return this.#bridge.carriesTasks(this.#client);
  }

  get infoText(): string {
    // Whatever is there: a listen that ends starts nothing.
    return this.#bridge.hub.primary?.server?.infoText ?? '';
  }

  whenReady(then: () => void): void {
    const session = this.#session;
    if (session === undefined) then();
    else session.whenToolsKnown(then);
  }

  checkParams(message: Message, head: RequestHead): Refusal | undefined {
    const session = this.#session;
    session?.headers.refresh(session.instance);
    return session?.headers.check(message, head);
  }

  request(
    owner: CallOwner,
    message: Message,
    envelope: Envelope,
    entry?: CallEntry,
  ): UpstreamCall | Refusal {
    return this.#bridge.request(this.#client, owner, message, { envelope, entry });
  }

  cancel(call: UpstreamCall, reason: string): void {
    this.#bridge.cancel(call, reason);
  }

  listen(filter: Filter, listener: Listener): Subscription {
    return this.#bridge.listen(this.#client, filter, listener);
  }

  unlisten(subscription: Subscription): void {
    this.#bridge.unlisten(subscription);
  }

  get #session(): BridgeSession | undefined {
    if (this.#joined !== undefined) return this.#joined;
    const session = this.#bridge.sessionFor(this.#client);
    return 'error' in session ? undefined : session;
  }
}
