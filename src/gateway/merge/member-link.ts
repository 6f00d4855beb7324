/**
 * One server of a merged connection, spoken to on behalf of its principal. It is present once it
 * has said what it is; one that fails is asked again with backoff, and nobody waits for it.
 */
import { ApplicationOutbound } from '../../adapters/outbound/application-outbound.ts';
import { SendMeter } from '../../client/client-context.ts';
import { failedCall, UNAVAILABLE } from '../../client/failed-call.ts';
import { ModernConversation } from '../../client/modern-conversation.ts';
import { ERRORS } from '../../core/errors.ts';
import type { Origin } from '../../core/grant.ts';
import type { Principal, SendOutcome } from '../../core/ports.ts';
import { Message } from '../../core/protocol/message.ts';
import { Backoff } from '../../server/backoff.ts';
import { OUR_ENVELOPE } from '../../server/our-envelope.ts';
import type { MergedMember, MergeParts } from './merge-parts.ts';

/** `asking`: not heard yet. `absent`: it failed, or takes long. `closed`: it is merged no more. */
export type LinkState = 'asking' | 'present' | 'absent' | 'closed';

export interface LinkEvents {
  /** A message of the client's request of this id: a notification, or the answer. */
  message(link: MemberLink, id: string, message: Message): void;
  /** The answer to a request of the client was too large. */
  oversized(link: MemberLink, id: string): void;
  /** It is heard for the first time, is gone, or is back. */
  changed(link: MemberLink): void;
}

/** A request of our own. */
interface OwnRequest {
  readonly method: string;
  readonly params: string;
  /** Whose request it is asked for; absent for nobody's. */
  readonly origin?: Origin | undefined;
}

type Asked = (answer: Message) => void;

export class MemberLink {
  readonly member: MergedMember;
  state: LinkState = 'asking';
  /** What it said of itself last. */
  discovered: Readonly<Record<string, unknown>> = {};
  readonly #parts: MergeParts;
  readonly #events: LinkEvents;
  readonly #outbound: ApplicationOutbound;
  readonly #meter: SendMeter;
  readonly #backoff: Backoff;
  /** Requests of our own, by id. */
  readonly #asked = new Map<string, Asked>();
  /** Ids of the client's requests that are in flight here. */
  readonly #relayed = new Set<string>();
  #conversation: ModernConversation | undefined;
  #number = 0;
  #isChecking = false;
  #isRetired = false;
  #disarm: () => void = () => {};

  constructor(member: MergedMember, parts: MergeParts, caller: Principal, events: LinkEvents) {
    this.member = member;
    this.#parts = parts;
    this.#events = events;
    this.#outbound = new ApplicationOutbound(member.app, caller);
    this.#meter = new SendMeter(parts.limits.upstreamQueueBytesMax);
    this.#backoff = new Backoff(parts.random);
    this.#check();
  }

  get name(): string {
    return this.member.name;
  }

  get capabilities(): Readonly<Record<string, unknown>> {
    const { capabilities } = this.discovered;
    return typeof capabilities === 'object' && capabilities !== null ? { ...capabilities } : {};
  }

  /** Whether it is merged no more and nothing is in flight. */
  get isOver(): boolean {
    return this.#isRetired && this.#relayed.size === 0;
  }

  /** Sends a request of the client under the id it has here, too. */
  send(request: Message): SendOutcome {
    const id = request.id ?? 'null';
    const outcome = this.#open().send(request);
    if (outcome === 'sent') this.#relayed.add(id);
    return outcome;
  }

  /** The client gave up the request of this id. */
  cancel(id: string): void {
    if (!this.#relayed.delete(id)) return;
    this.#tellCancelled(id);
    this.#closeIfDone();
  }

  /**
   * Asks on our own account.
   * @param done - called once with the answer, unless given up before.
   * @returns what gives it up.
   */
  ask({ method, params, origin }: OwnRequest, done: Asked): () => void {
    this.#number += 1;
    const id = `"merged-${this.#number}"`;
    this.#asked.set(id, done);
    const asked = origin === undefined ? undefined : { ...origin, method };
    const request = Message.request(id, method, params).sentFor(asked);
    const outcome = this.#open().send(request);
    if (outcome !== 'sent') queueMicrotask(() => this.#answered(id, failedCall(id, UNAVAILABLE)));
    return () => {
      if (this.#asked.delete(id)) this.#tellCancelled(id);
    };
  }

  /** Something failed there as it does when a server is down: is it? */
  suspect(): void {
    if (this.state === 'present') this.#check();
  }

  /** It is merged no more; calls in flight go on until they end. */
  retire(): void {
    this.#isRetired = true;
    this.#disarm();
    this.state = 'closed';
    this.#asked.clear();
    this.#closeIfDone();
  }

  close(): void {
    this.#isRetired = true;
    this.state = 'closed';
    this.#disarm();
    this.#asked.clear();
    this.#relayed.clear();
    this.#closeConversation();
  }

  #check(): void {
    if (this.#isChecking || this.state === 'closed') return;
    this.#isChecking = true;
    const { clock, limits } = this.#parts;
    const params = JSON.stringify({ _meta: OUR_ENVELOPE });
    const giveUp = this.ask({ method: 'server/discover', params }, (answer) => {
      this.#isChecking = false;
      this.#disarm();
      if (answer.isError) this.#failed();
      else this.#heard(answer);
    });
    // Who starts slowly is not waited for, and is heard when it has started.
    const disarmWait = clock.after(limits.mergedWaitMsMax, () => {
      if (this.state === 'asking') this.#turn('absent');
    });
    const disarmEnd = clock.after(limits.upstreamStartMsMax, () => {
      giveUp();
      this.#isChecking = false;
      this.#failed();
    });
    this.#disarm = () => {
      disarmWait();
      disarmEnd();
    };
  }

  #heard(answer: Message): void {
    this.discovered = answer.value as Readonly<Record<string, unknown>>;
    this.#backoff.started(this.#parts.clock.now());
    if (this.state === 'asking' || this.state === 'absent') this.#turn('present');
  }

  #failed(): void {
    const { clock } = this.#parts;
    if (this.state === 'closed') return;
    this.#disarm = clock.after(this.#backoff.failed(clock.now()), () => this.#check());
    if (this.state !== 'absent') this.#turn('absent');
  }

  #turn(state: 'present' | 'absent'): void {
    const { telemetry } = this.#parts;
    this.state = state;
    telemetry.log('info', `merged_server_${state}`, { server: this.name });
    this.#events.changed(this);
  }

  #open(): ModernConversation {
    const { clock, random, telemetry, limits } = this.#parts;
    this.#conversation ??= new ModernConversation(
      {
        name: this.name,
        url: 'http://localhost/mcp',
        headers: [],
        http: this.#outbound,
        clock,
        random,
        telemetry,
        messageBytesMax: limits.upstreamLineBytesMax,
        meter: this.#meter,
        origin: { handshake: undefined },
      },
      {
        onMessage: (message, relatedTo) => this.#received(message, relatedTo),
        onOversized: (id) => this.#oversized(id ?? ''),
        onCloseStream: () => {},
        onClosed: (cause) => this.#lost(cause === 'closed'),
      },
    );
    return this.#conversation;
  }

  #received(message: Message, relatedTo: string | undefined): void {
    const isAnswer = message.kind === 'response';
    const stamp = message.token(message.spans.subscriptionId);
    const id = (isAnswer ? message.id : (relatedTo ?? stamp)) ?? '';
    if (this.#asked.has(id)) {
      if (isAnswer) this.#answered(id, message);
      return;
    }
    if (!this.#relayed.has(id)) return;
    if (isAnswer) this.#relayed.delete(id);
    const isDown = message.isError && codeOf(message) === ERRORS.UPSTREAM_UNAVAILABLE.rpcCode;
    if (isDown) this.suspect();
    this.#events.message(this, id, message);
    if (isAnswer) this.#closeIfDone();
  }

  #answered(id: string, answer: Message): void {
    const done = this.#asked.get(id);
    this.#asked.delete(id);
    done?.(answer);
  }

  #oversized(id: string): void {
    if (this.#asked.has(id)) {
      this.#answered(id, failedCall(id, { error: 'UPSTREAM_MESSAGE_TOO_LARGE' }));
    } else if (this.#relayed.delete(id)) {
      this.#events.oversized(this, id);
    }
    this.#closeIfDone();
  }

  /** The conversation ended by itself: whatever was in flight has no answer to come. */
  #lost(isOurs: boolean): void {
    if (isOurs) return;
    this.#conversation = undefined;
    const ids = [...this.#asked.keys(), ...this.#relayed];
    for (const id of ids) this.#received(failedCall(id, UNAVAILABLE), undefined);
  }

  #tellCancelled(id: string): void {
    const params = `{"requestId":${id}}`;
    this.#conversation?.send(Message.notification('notifications/cancelled', params));
  }

  #closeIfDone(): void {
    if (this.isOver) this.#closeConversation();
  }

  #closeConversation(): void {
    this.#conversation?.close();
    this.#conversation = undefined;
  }
}

function codeOf(error: Message): unknown {
  return (error.value as { code?: unknown }).code;
}
