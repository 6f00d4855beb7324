/**
 * A 2024 or 2025 session that lives on this node: the pure machine, its connections and its
 * upstream, joined.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import { errorResponse, type ErrorCode, type Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { Principal } from '../core/ports.ts';
import { requestedVersion, streamPreamble } from '../core/protocol/eras/streamable-2025.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Outbox } from '../core/sessions/outbox.ts';
import type { Reply } from '../core/sessions/reply.ts';
import { Session } from '../core/sessions/session.ts';
import {
  ASSUMED_INITIALIZE,
  ASSUMED_INITIALIZED,
  AssumedCalls,
  assumedPost,
} from './assumed-handshake.ts';
import type { Connection } from './connection.ts';
import { EarlyMessages } from './early-messages.ts';
import { HeldRequests } from './held-requests.ts';
import type { UpstreamCall } from './upstream-call.ts';
import { isAnswerable } from './is-answerable.ts';
import { preamble2024, type LegacySessionOptions } from './legacy-session-options.ts';
import type { LegacyOutcome, LegacyUpstream } from './legacy-upstream.ts';
import { LegacyPost, type PostingSession } from './legacy-post.ts';
import { newestCall, replyTo as replyOn, callsSentWith } from './session-calls.ts';
import { SessionEffects } from './session-effects.ts';
import type { ReplyTo, SessionHandle } from './session-handle.ts';
import type { Warrant } from './warrant.ts';

export class LegacySession implements SessionHandle, PostingSession {
  readonly id: string;
  readonly principal: Principal;
  readonly era: '2024' | '2025';
  readonly subscribed: Set<string> = new Set();
  readonly openedAt: number;
  readonly upstream: LegacyUpstream;
  readonly held: HeldRequests = new HeldRequests();
  version: string;
  logLevel: string | undefined;
  initializeParams: string | undefined;
  lastSeenAt: number;
  readonly #options: LegacySessionOptions;
  readonly #machine: Session;
  readonly #effects: SessionEffects;
  readonly #calls = new Set<UpstreamCall>();
  readonly #early = new EarlyMessages();
  /** Requests of a client that skipped the handshake, until ours for it is over. */
  #assumed: AssumedCalls | undefined;
  /** The `initialize` that waits for a common server: nobody else knows of it. */
  #opening: { readonly post: LegacyPost; readonly id: string } | undefined;
  #capabilities: Record<string, unknown> = {};

  constructor(options: LegacySessionOptions) {
    this.#options = options;
    this.upstream = options.instance;
    this.id = options.id;
    this.principal = options.principal;
    this.era = options.era;
    this.version = requestedVersion(undefined);
    this.openedAt = options.connections.now();
    this.lastSeenAt = this.openedAt;
    this.#machine = new Session({
      cursorPrefix: options.era === '2024' ? `${options.id}.` : '',
      salt: options.salt,
      queueCharsMax: options.limits.streamQueueBytesMax,
      preamble: (id) =>
        streamPreamble(id, options.connections.retryMs(), this.version, options.priming),
    });
    this.#effects = new SessionEffects(options.id, this.#machine, options, () => {
      for (const notice of options.instance.changeNotices()) this.unrelated(notice);
    });
    options.instance.join(this);
  }

  /** Connections that are open for it, undecided replies included. */
  get connectionCount(): number {
    return this.#effects.connectionCount;
  }

  get isInitialized(): boolean {
    return this.initializeParams !== undefined;
  }

  get isEnded(): boolean {
    return this.#machine.state === 'ended';
  }

  get isListening(): boolean {
    return this.#machine.main.attachment !== undefined;
  }

  get pendingCount(): number {
    return this.#calls.size;
  }

  receive(
    entries: readonly Message[],
    isBatch: boolean,
    grant: Grant,
    replyTo: ReplyTo | undefined,
    warrants?: readonly Warrant[],
  ): void {
    this.lastSeenAt = this.#options.connections.now();
    const requests = entries.filter(({ kind }) => kind === 'request').length;
    const outbox: Outbox = [];
    const [first] = entries;
    if (first?.method === 'initialize' && !this.isInitialized) {
      this.version = requestedVersion(first.value);
    }
    let reply: Reply | undefined;
    if (requests === 0) replyTo?.connection.json(202, '');
    else if (replyTo !== undefined) {
      this.#effects.connectionCount += 1;
      const { connection, accepts } = replyTo;
      reply = this.#machine.beginReply(connection, accepts, requests, isBatch, outbox);
    }
    this.#effects.carryOut(outbox);
    let post: LegacyPost | undefined;
    let nth = 0;
    for (const message of entries) {
      if (message.kind !== 'request') this.#told(message);
      else {
        post = new LegacyPost(this, reply, grant, warrants?.[nth]);
        nth += 1;
        if (this.#isAssuming(message)) this.#assume(post, message);
        else this.#request(post, message);
      }
    }
    if (post?.reply?.state === 'undecided') this.#options.decideLater(post.undecided());
  }

  attach(
    connection: Connection,
    lastEventId: string | undefined,
    path: string,
  ): Refusal | undefined {
    const outbox: Outbox = [];
    const preamble = this.era === '2024' ? preamble2024(this.#options, path) : undefined;
    const stream = this.#machine.attach(connection, lastEventId, outbox, preamble);
    if ('error' in stream) return stream;
    this.lastSeenAt = this.#options.connections.now();
    this.#effects.connectionCount += 1;
    this.#effects.carryOut(outbox);
    return undefined;
  }

  isRead(lastEventId: string | undefined): boolean {
    return this.#machine.isRead(lastEventId);
  }

  /** The reply has been undecided long enough. */
  decide(post: LegacyPost): void {
    if (post.reply?.state !== 'undecided') return;
    const outbox: Outbox = [];
    this.#machine.decide(post.reply, outbox);
    this.#effects.carryOut(outbox);
  }

  connectionLost(connection: Connection, reason: CloseReason): void {
    this.#effects.connectionCount -= 1;
    this.lastSeenAt = this.#options.connections.now();
    this.#machine.left(connection, replyOn(this.#calls, connection));
    if (this.#isUnreachable()) this.end(reason);
  }

  end(reason: CloseReason): void {
    if (this.isEnded) return;
    for (const call of this.#calls) this.#abandon(call, 'the session ended', 'SESSION_ENDED');
    this.#calls.clear();
    for (const { post, message } of this.#assumed ?? []) {
      this.#refuse(post, { error: 'SESSION_ENDED', id: message.id });
    }
    if (this.#opening !== undefined) {
      this.#refuse(this.#opening.post, { error: 'SESSION_ENDED', id: this.#opening.id });
    }
    const outbox: Outbox = [];
    this.#machine.end(reason, outbox);
    this.#effects.carryOut(outbox);
    this.#options.instance.leave(this);
    this.#options.log.forget(this.id);
    this.#options.ended(this, reason);
  }

  /** Gives up the calls of these credentials. The session is the person's, who may have others. */
  revoke(isRevoked: (grant: Grant) => boolean): void {
    const error = 'CREDENTIAL_EXPIRED';
    for (const { post, message } of this.#assumed?.take(({ grant }) => isRevoked(grant)) ?? []) {
      this.#refuse(post, { error, id: message.id });
    }
    for (const call of callsSentWith(this.#calls, isRevoked)) {
      this.#calls.delete(call);
      this.#abandon(call, 'the credential was revoked', error);
      if (call.method === 'initialize') this.end('unauthorized');
    }
    if (this.#opening !== undefined && isRevoked(this.#opening.post.grant)) {
      this.end('unauthorized');
    }
  }

  canAnswer(method: string): boolean {
    return isAnswerable(method, this.#capabilities);
  }

  unrelated(message: Message): void {
    if (!this.#options.hearing.hears(message)) return;
    if (this.#machine.state === 'opening') return this.#early.hold(message);
    const outbox: Outbox = [];
    this.#machine.unrelated(message.toText(), outbox);
    this.#effects.carryOut(outbox);
  }

  question(message: Message, call: UpstreamCall | undefined): void {
    const owner = call?.owner;
    const isAwaited = owner instanceof LegacyPost && owner.reply?.state !== 'ended';
    if (isAwaited) this.related(owner, message);
    else this.unrelated(message);
  }

  related(post: LegacyPost, message: Message): void {
    if (this.#machine.state === 'opening') return this.#early.hold(message);
    const outbox: Outbox = [];
    const data = message.toText();
    if (post.reply === undefined) this.#machine.unrelated(data, outbox);
    else this.#machine.related(post.reply, data, outbox);
    this.#effects.carryOut(outbox);
  }

  answered(post: LegacyPost, call: UpstreamCall, received: Message): void {
    const { taskOwners } = this.#options;
    const owned = taskOwners?.seen(this.principal, call.method, received) ?? received;
    const message = post.warrantOf()?.filtered(owned) ?? owned;
    this.#calls.delete(call);
    this.#options.recorded(this.era, call, message.isError ? 'error' : 'ok', message);
    if (call.method === 'initialize' && !message.isError) {
      this.#options.instance.initialized(message.value);
      this.#negotiated(message.value);
    }
    this.#answer(post, call.id, message.withId(call.id).toText(), message.refusal);
    if (call.method !== 'initialize') return;
    if (message.isError) this.end('upstream-gone');
    else this.#release();
  }

  lost(post: LegacyPost, call: UpstreamCall, refusal: Refusal): void {
    this.#calls.delete(call);
    this.#options.recorded(this.era, call, 'lost');
    this.#refuse(post, { ...refusal, id: call.id });
    if (call.method === 'initialize') this.end('upstream-gone');
  }

  closeStream(post: LegacyPost): void {
    const outbox: Outbox = [];
    const { reply } = post;
    if (reply === undefined) return;
    this.#machine.decide(reply, outbox);
    reply.stream?.release('polled', '', outbox);
    this.#effects.carryOut(outbox);
  }

  /** Ends its readers, so that they come back elsewhere or later. */
  drain(connection: Connection): void {
    const outbox: Outbox = [];
    const retry = `retry: ${this.#options.connections.retryMs()}\n\n`;
    for (const stream of this.#machine.streams()) {
      if (stream.attachment === connection) stream.release('drained', retry, outbox);
    }
    this.#effects.carryOut(outbox);
  }

  #told(message: Message): void {
    if (message.kind === 'response') this.#options.instance.answer(this, message);
    else if (message.method === 'notifications/cancelled') this.#cancelled(message);
    else this.#options.instance.notify(message);
  }

  #isAssuming({ method }: Message): boolean {
    if (this.#assumed !== undefined) return true;
    const isSkipped = !this.isInitialized && method !== 'initialize' && method !== 'ping';
    return this.era === '2024' && isSkipped;
  }

  /** Makes the handshake the client does not know it needs; its requests wait, bounded. */
  #assume(post: LegacyPost, message: Message): void {
    const isFirst = this.#assumed === undefined;
    this.#assumed ??= new AssumedCalls(this.#options.limits.pendingPerOwnerMax);
    const isHeld = this.#assumed.hold(post, message);
    if (!isHeld) this.#refuse(post, { error: 'TOO_MANY_REQUESTS', id: message.id });
    if (isFirst) this.#request(assumedPost(this), ASSUMED_INITIALIZE);
  }

  #request(post: LegacyPost, message: Message): void {
    const id = message.id ?? 'null';
    if (message.method === 'initialize' && !this.#beginInitialize(post, message)) return;
    const warrant = message.method === 'resources/subscribe' ? post.warrantOf() : undefined;
    if (warrant !== undefined) this.#options.hearing.subscribed(warrant.request);
    const outcome: LegacyOutcome =
      this.#calls.size >= this.#options.limits.pendingPerOwnerMax
        ? { error: 'TOO_MANY_REQUESTS', id }
        : (this.#options.taskOwners?.refusal(this.principal, message) ??
          this.#options.instance.request(post, message));
    if ('error' in outcome) {
      this.#refuse(post, { ...outcome, id });
      if (message.method === 'initialize') this.end('upstream-gone');
    } else if ('answer' in outcome) {
      this.#answer(post, id, `{"jsonrpc":"2.0","id":${id},"result":${outcome.answer}}`);
    } else {
      this.#calls.add(outcome);
    }
  }

  /**
   * @returns whether the handshake goes upstream; on a common upstream it is answered from ours.
   */
  #beginInitialize(post: LegacyPost, message: Message): boolean {
    const params = message.value as { protocolVersion?: unknown; capabilities?: unknown };
    const id = message.id ?? 'null';
    this.initializeParams = message.payload ?? '{}';
    this.version = requestedVersion(params);
    this.#capabilities = (params?.capabilities ?? {}) as Record<string, unknown>;
    if (this.#options.instance.isExclusive) return true;
    this.#opening = { post, id };
    this.#options.instance.initialize(params?.protocolVersion, (answer) => {
      this.#opening = undefined;
      if (this.isEnded) return;
      if (typeof answer === 'string') {
        this.#negotiated(JSON.parse(answer));
        this.#answer(post, id, `{"jsonrpc":"2.0","id":${id},"result":${answer}}`);
        this.#release();
      } else {
        this.#refuse(post, { ...answer, id });
        this.end('upstream-gone');
      }
    });
    return false;
  }

  #negotiated(result: unknown): void {
    this.version = requestedVersion(result);
    this.#machine.initialized();
  }

  #release(): void {
    for (const message of this.#early.take()) this.unrelated(message);
    if (this.#assumed === undefined) return;
    const assumed = this.#assumed;
    this.#assumed = undefined;
    this.#options.instance.notify(ASSUMED_INITIALIZED);
    // What changed while the client was away was told to the session it lost.
    for (const notice of this.#options.instance.changeNotices()) this.unrelated(notice);
    for (const { post, message } of assumed) this.#request(post, message);
  }

  #refuse(post: LegacyPost, refusal: Refusal): void {
    post.warrantOf()?.ended('refused');
    this.#answer(post, refusal.id ?? 'null', errorResponse(refusal));
  }

  #answer(post: LegacyPost, id: string, data: string, refusal?: Refusal): void {
    post.settled();
    const outbox: Outbox = [];
    if (post.reply === undefined) this.#machine.answerOnMain(id, data, outbox);
    else this.#machine.answer(post.reply, id, data, outbox, refusal);
    if (post.reply?.state !== 'undecided') post.decided();
    this.#effects.carryOut(outbox);
  }

  /** Its session or its credential ends first: its client is told rather than left to wait. */
  #abandon(call: UpstreamCall, why: string, error: ErrorCode): void {
    this.#options.instance.cancel(call, why);
    this.#options.recorded(this.era, call, 'cancelled');
    if (!(call.owner instanceof LegacyPost)) return;
    this.#refuse(call.owner, { error, id: call.id });
  }

  /** @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/cancellation */
  #cancelled(message: Message): void {
    const requestId = message.token(message.spans.requestId);
    if (this.held.cancel(requestId)) return;
    const newest = newestCall(this.#calls, requestId);
    for (const post of this.#assumed?.drop(requestId) ?? []) post.warrantOf()?.ended('cancelled');
    if (newest === undefined || newest.method === 'initialize') return;
    this.#calls.delete(newest);
    this.#options.instance.cancel(newest, 'cancelled by the client');
    this.#options.recorded(this.era, newest, 'cancelled');
    const { owner } = newest;
    if (!(owner instanceof LegacyPost) || owner.reply === undefined) return;
    const outbox: Outbox = [];
    this.#machine.withdraw(owner.reply, outbox);
    this.#effects.carryOut(outbox);
  }

  /** The client left before it was told the session's id: nobody can come back. */
  #isUnreachable(): boolean {
    const isUntold = this.era === '2025' && this.#machine.state === 'opening';
    return isUntold && this.#effects.connectionCount === 0 && !this.#machine.hasReplies;
  }
}
