/**
 * How a 2024 or 2025 session begins: with the handshake of its client or one of ours in its place,
 * and what waits until that is over.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/lifecycle#initialization
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { Message } from '../core/protocol/message.ts';
import {
  ASSUMED_INITIALIZE,
  ASSUMED_INITIALIZED,
  AssumedCalls,
  assumedPost,
} from './assumed-handshake.ts';
import { EarlyMessages } from './early-messages.ts';
import { isAnswerable } from './is-answerable.ts';
import type { LegacyPost, PostingSession } from './legacy-post.ts';
import type { LegacySessionOptions } from './legacy-session-options.ts';

/** A session, as far as it can be opened. */
interface OpeningSession {
  readonly session: PostingSession;
  request(post: LegacyPost, message: Message): void;
  refuse(post: LegacyPost, refusal: Refusal): void;
  /** `initialize` is answered without its server. */
  opened(post: LegacyPost, id: string, result: string): void;
  end(reason: CloseReason): void;
}

type OpeningOptions = Pick<LegacySessionOptions, 'era' | 'instance' | 'limits'>;

export class SessionOpening {
  readonly #session: OpeningSession;
  readonly #options: OpeningOptions;
  readonly #early = new EarlyMessages();
  /** Requests of a client that skipped the handshake, until ours for it is over. */
  #assumed: AssumedCalls | undefined;
  /** What goes on when the handshake is over; undefined when it is. */
  #awaiting: (() => void)[] | undefined = [];
  /** The `initialize` that waits for a common server: nobody else knows of it. */
  #waiting: { readonly post: LegacyPost; readonly id: string } | undefined;
  #capabilities: Record<string, unknown> = {};

  constructor(session: OpeningSession, options: OpeningOptions) {
    this.#session = session;
    this.#options = options;
  }

  /** Whether the client declared what this question needs. */
  canAnswer(method: string): boolean {
    return isAnswerable(method, this.#capabilities);
  }

  /** What the server says before the session is open. */
  hold(message: Message): void {
    this.#early.hold(message);
  }

  isAssuming({ method }: Message): boolean {
    if (this.#assumed !== undefined) return true;
    const isInitialized = this.#session.session.initializeParams !== undefined;
    const isSkipped = !isInitialized && method !== 'initialize' && method !== 'ping';
    return this.#options.era === '2024' && isSkipped;
  }

  /** A request ahead of the handshake waits for it, bounded. */
  assume(post: LegacyPost, message: Message): void {
    const isFirst = this.#assumed === undefined;
    this.#assumed ??= new AssumedCalls(this.#options.limits.pendingPerOwnerMax);
    const isHeld = this.#assumed.hold(post, message);
    if (!isHeld) this.#session.refuse(post, { error: 'TOO_MANY_REQUESTS', id: message.id });
    if (isFirst) this.#shakeHands();
  }

  /**
   * Runs `then` once the handshake is over, or the session; one that its client skipped begins now.
   * @returns whether it will: not where it is over by now, or too many wait.
   */
  whenOpen(then: () => void): boolean {
    const { pendingPerOwnerMax } = this.#options.limits;
    if (this.#awaiting === undefined || this.#awaiting.length >= pendingPerOwnerMax) return false;
    this.#awaiting.push(then);
    const isSkipped = this.#session.session.initializeParams === undefined;
    if (isSkipped && this.#assumed === undefined) {
      this.#assumed = new AssumedCalls(pendingPerOwnerMax);
      this.#shakeHands();
    }
    return true;
  }

  /** On behalf of a client that does not know it has to. */
  #shakeHands(): void {
    this.#session.request(assumedPost(this.#session.session), ASSUMED_INITIALIZE);
  }

  /**
   * @returns whether the handshake goes upstream; on a common upstream it is answered from ours.
   */
  initialize(post: LegacyPost, message: Message): boolean {
    const params = message.value as { protocolVersion?: unknown; capabilities?: unknown };
    const id = message.id ?? 'null';
    const { instance } = this.#options;
    this.#capabilities = (params?.capabilities ?? {}) as Record<string, unknown>;
    if (instance.isExclusive) return true;
    this.#waiting = { post, id };
    instance.initialize(params?.protocolVersion, (answer) => {
      const isAwaited = this.#waiting !== undefined;
      this.#waiting = undefined;
      if (!isAwaited) return;
      if (typeof answer === 'string') this.#session.opened(post, id, answer);
      else {
        this.#session.refuse(post, { ...answer, id });
        this.#session.end('upstream-gone');
      }
    });
    return false;
  }

  /** The session is open: what waited goes its way. */
  release(): void {
    for (const message of this.#early.take()) this.#session.session.unrelated(message);
    if (this.#assumed !== undefined) this.#sendOn(this.#assumed);
    this.resume();
  }

  /** Waiting is over for those that did for the handshake. */
  resume(): void {
    const awaiting = this.#awaiting ?? [];
    this.#awaiting = undefined;
    for (const then of awaiting) then();
  }

  #sendOn(assumed: AssumedCalls): void {
    const { session } = this.#session;
    this.#assumed = undefined;
    this.#options.instance.notify(ASSUMED_INITIALIZED);
    // What changed while the client was away was told to the session it lost.
    for (const notice of this.#options.instance.changeNotices()) session.unrelated(notice);
    for (const { post, message } of assumed) this.#session.request(post, message);
  }

  /** The client gave a request up before it was sent. */
  cancel(requestId: string | undefined): void {
    for (const post of this.#assumed?.drop(requestId) ?? []) post.warrantOf()?.ended('cancelled');
  }

  /**
   * What waits with these credentials is refused.
   * @returns whether that was the handshake: then there is no session.
   */
  revoke(isRevoked: (grant: Grant) => boolean, refusal: Refusal): boolean {
    for (const { post, message } of this.#assumed?.take(({ grant }) => isRevoked(grant)) ?? []) {
      this.#session.refuse(post, { ...refusal, id: message.id });
    }
    return this.#waiting !== undefined && isRevoked(this.#waiting.post.grant);
  }

  /** The session is over before it began. */
  end(refusal: Refusal): void {
    for (const { post, message } of this.#assumed ?? []) {
      this.#session.refuse(post, { ...refusal, id: message.id });
    }
    const waiting = this.#waiting;
    this.#waiting = undefined;
    if (waiting !== undefined) this.#session.refuse(waiting.post, { ...refusal, id: waiting.id });
  }
}
