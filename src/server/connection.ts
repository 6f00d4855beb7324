/**
 * One client connection that is, or may become, an event stream. Holds as little as it can while
 * idle: the HTTP exchange is dropped with the head.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Grant } from '../core/grant.ts';
import { ERRORS, errorResponse, type Refusal } from '../core/errors.ts';
import type { HttpExchange, Principal, StreamSink } from '../core/ports.ts';
import type { Attachment, Resume } from '../core/sessions/outbox.ts';
import type { Connections, OpenConnection } from './connections.ts';
import { hasChallenge } from './door-challenges.ts';

export type ConnectionKind = 'session' | 'standalone' | 'reply' | 'listen';

/** Who is told when a connection ends other than by its own decision. */
export interface ConnectionOwner {
  /** A shutdown asks for the connection to be ended in its own way. */
  drain(connection: Connection): void;
  connectionLost(connection: Connection, reason: CloseReason): void;
  /**
   * The credential of the connection ends. Absent where a stream is ended like one that is renewed.
   */
  expired?(connection: Connection): void;
  /** A shutdown waits no longer. Absent where a stream is cut, to be taken up again elsewhere. */
  ceased?(connection: Connection): void;
}

export const STREAM_HEADERS: readonly string[] = [
  'Content-Type',
  'text/event-stream',
  'Cache-Control',
  'no-cache, no-transform',
  'X-Accel-Buffering',
  'no',
];

export const JSON_HEADERS: readonly string[] = [
  'Content-Type',
  'application/json',
  'Cache-Control',
  'no-store',
];

export class Connection implements Attachment, OpenConnection {
  readonly attachment: true = true;
  readonly kind: ConnectionKind;
  readonly era: string;
  readonly principal: Principal;
  readonly grant: Grant;
  readonly address: string;
  readonly isInner: boolean;
  readonly openedAt: number;
  trustedUntil: number;
  writtenAt: number;
  rotateAt: number = Infinity;
  waitingSince: number | undefined;
  #waitedBytes = 0;
  takenBytes = 0;
  /** Among those that are undecided, then among those that are open. */
  place = -1;
  readonly #connections: Connections;
  readonly owner: ConnectionOwner;
  #exchange: HttpExchange | undefined;
  #headers: readonly string[];
  #sink: StreamSink | undefined;
  /** Once its owner ended it, as long as what it was sent waits for its reader. */
  #ending: StreamSink | undefined;
  /** Of what the stream began with, how much may still wait. */
  #openingBytes = 0;
  readonly #refuse: ((refusal: Refusal) => void) | undefined;

  constructor(
    connections: Connections,
    owner: ConnectionOwner,
    exchange: HttpExchange,
    facts: {
      readonly kind: ConnectionKind;
      readonly era: string;
      readonly principal: Principal;
      readonly grant: Grant;
      readonly headers: readonly string[];
      /** Refuses the exchange itself, where a server in this process may refuse what it is for. */
      readonly refuse?: ((refusal: Refusal) => void) | undefined;
    },
  ) {
    this.#connections = connections;
    this.owner = owner;
    this.#exchange = exchange;
    this.kind = facts.kind;
    this.era = facts.era;
    this.principal = facts.principal;
    this.grant = facts.grant;
    this.address = exchange.head.remoteAddress;
    this.isInner = exchange.caller !== undefined;
    this.#headers = facts.headers;
    this.#refuse = facts.refuse;
    this.openedAt = connections.now();
    this.trustedUntil = connections.trustedUntil(this);
    this.writtenAt = this.openedAt;
    connections.began(this);
    exchange.onClientGone((why = 'client-closed') => this.lose(why));
  }

  /** Whether it is an event stream that was not ended. */
  get isOpen(): boolean {
    return this.#sink !== undefined;
  }

  /** Whether it may idle for hours and be renewed: a listen ends with its result instead. */
  get isLong(): boolean {
    return this.kind === 'session' || this.kind === 'standalone';
  }

  /** Adds response headers, while the reply is undecided. */
  addHeaders(headers: readonly string[]): void {
    this.#headers = [...this.#headers, ...headers];
  }

  /** @returns whether there was still anybody to answer. */
  json(status: number, body: string): boolean {
    const exchange = this.#take();
    if (exchange === undefined) return false;
    if (status === 401 && !hasChallenge(this.#headers)) {
      this.addHeaders(this.#connections.challenges(exchange.head));
    }
    exchange.respond(
      status,
      body === '' ? this.#headers : JSON_HEADERS.concat(this.#headers),
      body,
    );
    this.#connections.sent(this, body.length);
    return true;
  }

  /**
   * As if the request had been refused when it came: with the status, and the challenge.
   * @returns whether there was still somebody to refuse.
   */
  refuse(refusal: Refusal): boolean {
    if (this.#refuse === undefined || this.#take() === undefined) return false;
    this.#refuse(refusal);
    return true;
  }

  open(first: string, resume: Resume): void {
    const exchange = this.#take(true);
    if (exchange === undefined) return;
    const headers = STREAM_HEADERS.concat(
      this.#headers,
      resume === undefined ? [] : ['Tidegate-Resume', resume],
    );
    this.#headers = [];
    this.writtenAt = this.#connections.now();
    const isLong = this.kind !== 'reply';
    this.#sink = exchange.openStream(200, headers, first, isLong);
    if (!this.#connections.opened(this)) {
      this.lose('no-place');
      return;
    }
    this.#connections.sent(this, first.length);
    this.#openingBytes = this.#sink.queuedBytes();
    if (this.#openingBytes > 0) this.#connections.waiting(this);
  }

  /**
   * One frame. What already waits is bounded; the frame itself may be as large as a message may be.
   * What a stream began with does not count: a reader that comes back to as much as the log holds
   * would be cut by the next frame, however fast it reads.
   */
  write(text: string): void {
    const sink = this.#sink;
    if (sink === undefined) return;
    const queuedBytes = sink.queuedBytes();
    if (queuedBytes < this.#openingBytes) this.#openingBytes = queuedBytes;
    if (queuedBytes - this.#openingBytes > this.#connections.queueBytesMax) {
      this.lose('slow-reader');
      return;
    }
    sink.write(text);
    this.#connections.sent(this, text.length);
    this.writtenAt = this.#connections.now();
    if (this.waitingSince !== undefined) this.#waitedBytes += sink.queuedBytes() - queuedBytes;
    else if (sink.queuedBytes() > 0) this.#connections.waiting(this);
  }

  /** Ends it by decision of its owner, who is not told again. @returns whether it was open. */
  end(reason: CloseReason, last: string): boolean {
    const sink = this.#sink;
    const exchange = this.#take();
    this.#sink = undefined;
    if (sink !== undefined) this.#connections.closed(this, reason);
    // A reader that is replaced before its replay was read: it is given an end, not silence.
    const ending =
      sink ?? exchange?.openStream(200, STREAM_HEADERS.concat(this.#headers), last, false);
    ending?.end(sink === undefined ? '' : last);
    this.#ending = ending;
    if (ending !== undefined) this.#connections.sent(this, last.length);
    return ending !== undefined;
  }

  /** Whether it was ended by its owner, and its reader has yet to take what it was sent. */
  get isEnding(): boolean {
    if (this.#ending?.queuedBytes() === 0) this.#ending = undefined;
    return this.#ending !== undefined;
  }

  /** Its reader has had its time. */
  cutEnding(): void {
    if (this.isEnding) this.#ending?.destroy();
    this.#ending = undefined;
  }

  /** Ends it for a reason the owner does not know of yet. */
  lose(reason: CloseReason): void {
    const sink = this.#sink;
    if (sink === undefined && this.#exchange === undefined) return;
    this.#sink = undefined;
    this.#take();
    if (sink !== undefined) {
      this.#connections.closed(this, reason);
      if (isComeAgain(reason)) sink.end(`retry: ${this.#connections.retryMs()}\n\n`);
      else if (reason !== 'client-closed') sink.destroy();
    }
    this.owner.connectionLost(this, reason);
  }

  /** Its credential is not believed any more: whoever waits is told so, a stream is cut. */
  revoke(): void {
    const refusal = { error: 'UNAUTHORIZED' } as const;
    const isTold =
      this.#exchange !== undefined &&
      this.json(ERRORS[refusal.error].httpStatus, errorResponse(refusal));
    if (isTold) this.owner.connectionLost(this, 'unauthorized');
    else this.lose('unauthorized');
  }

  /** Gives the exchange back before anything was sent on it: the caller answers it otherwise. */
  release(): void {
    this.#take();
  }

  /** Another goes on where this one is, be it a stream by now or not. */
  handOver(): void {
    this.#take();
    if (this.#sink === undefined) return;
    // Whoever goes on counts its silence from then.
    this.#connections.beat(this);
    this.#connections.left(this);
    this.#sink = undefined;
  }

  drain(): void {
    this.owner.drain(this);
  }

  cease(): void {
    this.owner.ceased?.(this);
    this.lose('drained');
  }

  /** Its credential is over: it ends as its era can, so that its client comes back with another. */
  expire(): void {
    if (this.owner.expired !== undefined) this.owner.expired(this);
    else this.lose('credential-expired');
  }

  queuedBytes(): number {
    return this.#sink?.queuedBytes() ?? 0;
  }

  taken(): number {
    return this.#sink?.takenBytes?.() ?? this.#waitedBytes - this.queuedBytes();
  }

  isBehind(): boolean {
    return this.#sink?.isBehind?.() ?? false;
  }

  #take(isOpening = false): HttpExchange | undefined {
    const exchange = this.#exchange;
    if (exchange !== undefined) this.#connections.decided(this, isOpening);
    this.#exchange = undefined;
    return exchange;
  }
}

/** Ends after which a client is told when to come back, rather than cut. */
function isComeAgain(reason: CloseReason): boolean {
  return reason === 'rotated' || reason === 'no-place' || reason === 'credential-expired';
}
