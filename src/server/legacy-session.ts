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
import type { Reply } from '../core/sessions/reply.ts';
import type { SessionFacts } from '../core/sessions/session.ts';
import type { Connection } from './connection.ts';
import { HeldRequests } from './held-requests.ts';
import type { UpstreamCall } from './upstream-call.ts';
import { preamble2024, type LegacySessionOptions } from './legacy-session-options.ts';
import type { LegacyOutcome, LegacyUpstream } from './legacy-upstream.ts';
import { LegacyPost, type PostingSession } from './legacy-post.ts';
import { OwnCalls } from './own-calls.ts';
import { newestCall, replyTo as replyOn, callsSentWith } from './session-calls.ts';
import type { ReplyTo, SessionHandle } from './session-handle.ts';
import { SessionOpening } from './session-opening.ts';
import { SessionStreams } from './session-streams.ts';
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
  readonly #streams: SessionStreams;
  readonly #opening: SessionOpening;
  readonly #calls: OwnCalls;

  constructor(options: LegacySessionOptions) {
    this.#options = options;
    this.upstream = options.instance;
    this.id = options.id;
    this.principal = options.principal;
    this.#calls = new OwnCalls(options.callCounts, options.principal);
    this.era = options.era;
    this.version = requestedVersion(undefined);
    this.openedAt = options.connections.now();
    this.lastSeenAt = this.openedAt;
    const { salt, connections } = options;
    const facts: SessionFacts = {
      cursorPrefix: options.era === '2024' ? `${options.id}.` : '',
      salt,
      queueCharsMax: options.limits.streamQueueBytesMax,
      preamble: (id) => streamPreamble(id, connections.retryMs(), this.version, options.priming),
    };
    this.#streams = new SessionStreams(options.id, facts, options, () => {
      for (const notice of options.instance.changeNotices()) this.unrelated(notice);
    });
    const opening = {
      session: this,
      request: this.#request.bind(this),
      refuse: this.#refuse.bind(this),
      opened: this.#opened.bind(this),
      end: this.end.bind(this),
    };
    this.#opening = new SessionOpening(opening, options);
    options.instance.join(this);
  }

  /** Connections that are open for it, undecided replies included. */
  get connectionCount(): number {
    return this.#streams.connectionCount;
  }

  get isInitialized(): boolean {
    return this.initializeParams !== undefined;
  }

  get isEnded(): boolean {
    return this.#streams.isEnded;
  }

  get isListening(): boolean {
    return this.#streams.isListening;
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
    const [first] = entries;
    if (first?.method === 'initialize' && !this.isInitialized) {
      this.version = requestedVersion(first.value);
    }
    let reply: Reply | undefined;
    if (requests === 0) replyTo?.connection.json(202, '');
    else if (replyTo !== undefined) reply = this.#streams.beginReply(replyTo, requests, isBatch);
    let post: LegacyPost | undefined;
    let nth = 0;
    for (const message of entries) {
      if (message.kind !== 'request') this.#told(message);
      else {
        post = new LegacyPost(this, reply, grant, warrants?.[nth]);
        nth += 1;
        if (this.#opening.isAssuming(message)) this.#opening.assume(post, message);
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
    const preamble = this.era === '2024' ? preamble2024(this.#options, path) : undefined;
    const refusal = this.#streams.attach(connection, lastEventId, preamble);
    if (refusal === undefined) this.lastSeenAt = this.#options.connections.now();
    return refusal;
  }

  isRead(lastEventId: string | undefined): boolean {
    return this.#streams.isRead(lastEventId);
  }

  /** The reply has been undecided long enough. */
  decide(post: LegacyPost): void {
    if (post.reply?.state === 'undecided') this.#streams.decide(post.reply);
  }

  connectionLost(connection: Connection, reason: CloseReason): void {
    this.lastSeenAt = this.#options.connections.now();
    this.#streams.left(connection, replyOn(this.#calls, connection));
    if (this.#isUnreachable()) this.end(reason);
  }

  end(reason: CloseReason): void {
    if (this.isEnded) return;
    for (const call of this.#calls) this.#abandon(call, 'the session ended', 'SESSION_ENDED');
    this.#calls.clear();
    this.#opening.end({ error: 'SESSION_ENDED' });
    this.#streams.end(reason);
    this.#options.instance.leave(this);
    this.#options.log.forget(this.id);
    this.#options.ended(this, reason);
    this.#opening.resume();
  }

  /** Gives up the calls of these credentials. The session is the person's, who may have others. */
  revoke(isRevoked: (grant: Grant) => boolean): void {
    const error = 'CREDENTIAL_EXPIRED';
    const isUnopened = this.#opening.revoke(isRevoked, { error });
    for (const call of callsSentWith(this.#calls, isRevoked)) {
      this.#calls.delete(call);
      this.#abandon(call, 'the credential was revoked', error);
      if (call.method === 'initialize') this.end('unauthorized');
    }
    if (isUnopened) this.end('unauthorized');
  }

  whenOpen(then: () => void): boolean {
    return this.#opening.whenOpen(then);
  }

  canAnswer(method: string): boolean {
    return this.#opening.canAnswer(method);
  }

  unrelated(message: Message): void {
    if (!this.#options.hearing.hears(message)) return;
    if (this.#streams.isOpening) return this.#opening.hold(message);
    this.#streams.unrelated(message.toText());
  }

  question(message: Message, call: UpstreamCall | undefined): void {
    const owner = call?.owner;
    const isAwaited = owner instanceof LegacyPost && owner.reply?.state !== 'ended';
    if (isAwaited) this.related(owner, message);
    else this.unrelated(message);
  }

  related(post: LegacyPost, message: Message): void {
    if (!this.#options.hearing.hears(message)) return;
    if (this.#streams.isOpening) return this.#opening.hold(message);
    this.#streams.related(post.reply, message.toText());
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
    else this.#opening.release();
  }

  lost(post: LegacyPost, call: UpstreamCall, refusal: Refusal): void {
    this.#calls.delete(call);
    this.#options.recorded(this.era, call, 'lost');
    this.#refuse(post, { ...refusal, id: call.id });
    if (call.method === 'initialize') this.end('upstream-gone');
  }

  closeStream(post: LegacyPost): void {
    if (post.reply !== undefined) this.#streams.release(post.reply);
  }

  /** Ends its readers, so that they come back elsewhere or later. */
  drain(connection: Connection): void {
    this.#streams.drain(connection);
  }

  #told(message: Message): void {
    if (message.kind === 'response') this.#options.instance.answer(this, message);
    else if (message.method === 'notifications/cancelled') this.#cancelled(message);
    else this.#options.instance.notify(message);
  }

  #request(post: LegacyPost, message: Message): void {
    const id = message.id ?? 'null';
    if (message.method === 'initialize') {
      this.initializeParams = message.payload ?? '{}';
      this.version = requestedVersion(message.value);
      if (!this.#opening.initialize(post, message)) return;
    }
    const warrant = post.warrantOf();
    if (warrant !== undefined) this.#options.hearing.asked(warrant.request);
    const outcome: LegacyOutcome =
      this.#calls.size >= this.#options.limits.pendingPerOwnerMax || this.#isBeyondShare
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

  get #isBeyondShare(): boolean {
    const { instance } = this.#options;
    return !instance.isExclusive && this.#calls.areShareOf(instance.conversation);
  }

  #opened(post: LegacyPost, id: string, result: string): void {
    this.#negotiated(JSON.parse(result));
    this.#answer(post, id, `{"jsonrpc":"2.0","id":${id},"result":${result}}`);
    this.#opening.release();
  }

  #negotiated(result: unknown): void {
    this.version = requestedVersion(result);
    this.#streams.initialized();
  }

  #refuse(post: LegacyPost, refusal: Refusal): void {
    post.warrantOf()?.ended('refused');
    this.#answer(post, refusal.id ?? 'null', errorResponse(refusal));
  }

  #answer(post: LegacyPost, id: string, data: string, refusal?: Refusal): void {
    post.settled();
    this.#streams.answer(post.reply, id, data, refusal);
    if (post.reply?.state !== 'undecided') post.decided();
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
    this.#opening.cancel(requestId);
    if (newest === undefined || newest.method === 'initialize') return;
    this.#calls.delete(newest);
    this.#options.instance.cancel(newest, 'cancelled by the client');
    this.#options.recorded(this.era, newest, 'cancelled');
    const { owner } = newest;
    if (!(owner instanceof LegacyPost) || owner.reply === undefined) return;
    this.#streams.withdraw(owner.reply);
  }

  /** The client left before it was told the session's id: nobody can come back. */
  #isUnreachable(): boolean {
    const isUntold = this.era === '2025' && this.#streams.isOpening;
    return isUntold && this.connectionCount === 0 && !this.#streams.hasReplies;
  }
}
