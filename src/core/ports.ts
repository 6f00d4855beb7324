/**
 * Everything the product asks of the world. An adapter implements one port and imports only `core`.
 * Each comment states what the port guarantees: order, atomicity, loss.
 */
import type { CertifiedPeer } from './certified-peer.ts';
import type { CloseReason } from './close-reasons.ts';
import type { Refusal } from './errors.ts';
import type { Asked, Grant } from './grant.ts';
import type { Message } from './protocol/message.ts';

/** Who calls: tenant, issuer, subject and client id of a verified credential. */
export interface Principal {
  readonly tenant: string;
  readonly issuer: string;
  readonly subject: string;
  readonly clientId: string;
  /** The four above, length-prefixed and joined: equal keys mean the same principal. */
  readonly key: string;
}

/** Time and timers. Virtual in tests. */
export interface Clock {
  /** Monotonic milliseconds. */
  now(): number;
  /** Runs `task` once, no earlier than `delayMs` from now. Returns what disarms it. */
  after(delayMs: number, task: () => void): () => void;
}

export interface Randomness {
  /** 128 bits or more from a CSPRNG as `[A-Za-z0-9_-]`. */
  sessionId(): string;
  /** Uniform in [0, 1); for jitter only, never for secrets. */
  fraction(): number;
}

/**
 * Keeps what goes through a client's hands from being read or changed there. Two seals of one
 * endpoint open each other's texts; those of different endpoints do not.
 */
export interface Seal {
  /** @param binding - what the text may be used for; needed again to open it, and not inside. */
  seal(text: string, binding: string): string;
  /** Undefined for whatever was not sealed with this binding, unchanged. Never throws. */
  open(sealed: string, binding: string): string | undefined;
}

/* ------------------------------------------------------------------ HTTP, downstream */

export interface RequestHead extends CertifiedPeer {
  readonly method: string;
  /** The path as it was sent, without the query; never normalised. */
  readonly path: string;
  /** What follows `?`, without it; empty when there is none. */
  readonly query: string;
  /** The client's address: the socket's, or what a proxy says that the operator trusts. */
  readonly remoteAddress: string;
  /**
   * What the requests of one connection have in common, where that is known: for remembering what
   * was worked out from the very same bytes. It tells nobody who the client is.
   */
  readonly connection?: object | undefined;
  /** Whether the connection itself is encrypted. Absent: it is not. */
  readonly isEncrypted?: boolean | undefined;
  /**
   * The value of a header (name in lower case); of several lines, the first, and all of them joined
   * with commas where it is a list (`accept`, `access-control-request-headers`).
   */
  header(name: string): string | undefined;
  /** How many lines carried this header (name in lower case). */
  headerCount(name: string): number;
  /** Names of all headers, lower case, in order, with repeats. */
  headerNames(): readonly string[];
}

export type BodyOutcome =
  | { readonly kind: 'body'; readonly text: string }
  | { readonly kind: 'refused'; readonly refusal: Refusal }
  /** The client went away before the body was whole; nobody is left to answer. */
  | { readonly kind: 'aborted' };

/**
 * One HTTP request and its reply. Exactly one of `respond` and `openStream` is called, once;
 * adapters treat a second call as a broken invariant and throw.
 */
export interface HttpExchange {
  readonly head: RequestHead;
  /**
   * Who calls, if that is known already: an exchange that began in this process on behalf of
   * somebody verified. It carries no credential, and its Host is nobody's. Never set from anything
   * a peer sent.
   */
  readonly caller?: Principal | undefined;
  /** What the caller's credential says besides; absent where that is not known. */
  readonly grant?: Grant | undefined;
  /** How the caller's client asked; absent where that is not known. */
  readonly asked?: Asked | undefined;
  /**
   * Collects the body, bounded while it streams; `done` is called once, perhaps at once. Not called
   * if never asked for.
   */
  readBody(bytesMax: number, done: (outcome: BodyOutcome) => void): void;
  /**
   * A whole reply. `headers` is flat: name, value, name, value; the adapter adds only
   * Content-Length, Date and connection handling.
   * @param refusal - what the reply says, if it refuses: for whoever asked in this process.
   */
  respond(status: number, headers: readonly string[], body: string, refusal?: Refusal): void;
  /**
   * Begins an event stream: head and `first` leave in one write, at once.
   * @param isLong - the stream may idle for hours, so the adapter keeps as little as it can;
   * otherwise the connection is worth keeping for the next request.
   */
  openStream(
    status: number,
    headers: readonly string[],
    first: string,
    isLong: boolean,
  ): StreamSink;
  /**
   * Each is called once if the peer is gone before the reply was complete, never after it.
   * @param listener - told why, where it was not the peer that left but its connection was cut.
   */
  onClientGone(listener: (why?: CloseReason) => void): void;
}

/**
 * The writing end of one event stream. Writes keep their order; a write after `end` or after the
 * peer left is dropped.
 */
export interface StreamSink {
  write(text: string): void;
  /** Writes `last` if it is not empty, then ends the stream cleanly. */
  end(last: string): void;
  /** Cuts the connection: for readers that do not read. */
  destroy(): void;
  /** Bytes handed over and not yet taken by the kernel. 0 once closed. */
  queuedBytes(): number;
  /**
   * Bytes the kernel took of the connection, from any beginning; never less than before. Undefined
   * where only `queuedBytes` tells, which may stand still until all of a frame was taken.
   */
  takenBytes?(): number | undefined;
  /** Whether nothing can be taken yet, since other replies of the connection come first. */
  isBehind?(): boolean;
}

/* ------------------------------------------------------------------ upstream */

/** Which handshake a connection is opened for. */
export type UpstreamEra = 'legacy' | 'modern';

export type UpstreamClosedCause =
  /** We closed it. */
  | 'closed'
  /** It could not be started: the command or the factory failed. */
  | 'start-failed'
  /** It ended by itself: exit, signal, end of output. */
  | 'exited';

export interface UpstreamEvents {
  /**
   * A message from the server, in order, already checked to be JSON-RPC.
   * @param relatedTo - the id of ours whose call it belongs to, when the upstream can tell
   * (in-process does, stdio cannot).
   */
  onMessage(message: Message, relatedTo?: string): void;
  /**
   * A line was longer than the bound and skipped; `id` is the response's id if it could be read
   * from its beginning.
   */
  onOversized(id: string | undefined): void;
  /**
   * The server asks to end the reply stream of one of our calls, so that its client polls
   * (SEP-1699). In-process only.
   */
  onCloseStream(id: string): void;
  /** The last event, exactly once. `detail` is for the log, never for a client. */
  onClosed(cause: UpstreamClosedCause, detail: string): void;
}

export type SendOutcome = 'sent' | 'full' | 'closed';

/** One conversation with a server. Sends keep their order. Nothing is sent twice. */
export interface UpstreamConnection {
  /**
   * Ids inside are ours: decimal integers. `full` when more than the bound waits: the message was
   * not taken.
   */
  send(message: Message): SendOutcome;
  /** Asks the server to end and sees that it does; `onClosed` follows. Idempotent. */
  close(): void;
  /**
   * Over HTTP, once the handshake is over: whether a message of the server says which call it
   * belongs to. Default true.
   */
  readonly canTell?: boolean | undefined;
}

/** A server that can be talked to: a command, a module, a URL. */
export interface Upstream {
  readonly kind: 'stdio' | 'in-process' | 'http';
  /** For logs and metrics; never holds secrets or arguments. */
  readonly name: string;
  /**
   * Opens one conversation. Never throws: a failure arrives as `onClosed`, never before `connect`
   * returns.
   * @param caller - the one principal it is opened for; absent when it may serve several, or none
   * yet.
   * @param tenant - the one tenant it is opened for, the caller's if there is one; absent when it
   * may serve several, or none yet.
   */
  connect(
    era: UpstreamEra,
    events: UpstreamEvents,
    caller?: Principal,
    tenant?: string,
  ): UpstreamConnection;
  /** Ends everything ever opened; resolves when no process and no timer of it is left. */
  close(): Promise<void>;
}

/* ------------------------------------------------------------------ HTTP, towards servers */

/* ------------------------------------------------------------------ stores */

/** An event as it is kept for resume: the JSON text, and its place. */
export interface LoggedEvent {
  readonly sequence: number;
  readonly data: string;
}

export type ReadOutcome =
  /** Every event after the cursor, in order and without a hole. */
  | { readonly kind: 'events'; readonly events: readonly LoggedEvent[] }
  /**
   * Some after the cursor are gone; `events` are those that are left, `nextSequence` is the first
   * kept.
   */
  | { readonly kind: 'gap'; readonly events: readonly LoggedEvent[] };

/**
 * Events kept for resume, per session and stream. Bounded a session by events, bytes and age; the
 * oldest go first. Appends of one stream come with strictly rising sequences; an append with an
 * older generation than the newest seen fails (`fenced`). Reads see every append that came before
 * them.
 */
export interface EventLog {
  append(
    session: string,
    stream: number,
    generation: number,
    sequence: number,
    data: string,
    now: number,
  ): 'appended' | 'fenced';
  readAfter(
    session: string,
    stream: number,
    sequence: number,
    now: number,
    done: (outcome: ReadOutcome) => void,
  ): void;
  /**
   * Drops one stream's events: its last response was delivered and acknowledged by a later request,
   * or it has no reader to come.
   */
  trim(session: string, stream: number): void;
  forget(session: string): void;
  /** Events and characters held now, for metrics and tests. */
  size(): { readonly events: number; readonly chars: number };
}

/**
 * Where sessions live. One node: a map. `find` is the only way to a session and takes the
 * principal.
 */
export interface SessionDirectory<Handle> {
  /** False when the id exists (never with a CSPRNG) or a bound is met. */
  create(id: string, principal: Principal, handle: Handle): boolean;
  /** Undefined for an unknown id and for another principal's, at the same cost. */
  find(id: string, principal: Principal): Handle | undefined;
  /** Whether there is such a session: to choose who is asked, and to be told to nobody. */
  has(id: string): boolean;
  end(id: string): void;
  countOf(principal: Principal): number;
  count(): number;
  /** In order of creation. */
  all(): Iterable<Handle>;
  ofPrincipal(principal: Principal): Iterable<Handle>;
}

/**
 * Messages between nodes. One node needs none; the seam is here so that routes never learn how many
 * there are.
 */
export interface Bus {
  request(
    node: string,
    message: string,
    deadlineMs: number,
    done: (reply: string | undefined) => void,
  ): void;
  onRequest(handler: (message: string, reply: (text: string) => void) => void): void;
}

/* ------------------------------------------------------------------ trust and sight */

export type IdentityOutcome =
  | {
      readonly kind: 'principal';
      readonly principal: Principal;
      /** What the credential says besides; absent when it says nothing. */
      readonly grant?: Grant | undefined;
    }
  | {
      readonly kind: 'refused';
      readonly refusal: Refusal;
      /** Whether the credential is known all the same, so that nobody else needs to look at it. */
      readonly isFinal?: boolean | undefined;
      /** Whether it was not looked at: others are asked, and it is the answer if none knows it. */
      readonly isUnseen?: boolean | undefined;
      /** For whoever runs this, and told to no peer: one of few words, and none of a credential. */
      readonly why?: string | undefined;
      /** Takes back what was counted for it, when the credential proves to be somebody else's. */
      readonly forgive?: (() => void) | undefined;
    };

/** Turns a credential into a principal. `done` is called once, perhaps at once; never throws. */
export interface Identity {
  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void;
}

/** An identity that lets anybody in, or an application that has such a one. */
export interface OpenDoor {
  /** Whether a request needs no credential. */
  readonly isOpen: boolean;
}

export type LogLevel = 'debug' | 'info' | 'warn' | 'error';
/** Shapes, ids and counts only: never header values, tokens, arguments or results. */
export type LogFields = Readonly<Record<string, string | number | boolean | undefined>>;

/** What can be seen of us. Must not throw and must not block. */
export interface Telemetry {
  log(level: LogLevel, event: string, fields: LogFields): void;
  /** Adds to a counter named as in docs/reference/metrics.md. */
  count(name: string, labels: LogFields, by?: number): void;
  /** A request ended. `outcome` is `ok`, `error`, `cancelled`, `refused` or `lost`. */
  /** `tenant` is absent where tenants are not told apart. */
  request(era: string, method: string, outcome: string, durationMs: number, tenant?: string): void;
  streamClosed(era: string, kind: string, reason: CloseReason, ageMs: number): void;
}

/** What an HTTP adapter serves: one endpoint, or a gateway of many. */
export interface Application {
  /** Answers one request. Never throws; whatever the request holds, nobody else is disturbed. */
  handle(exchange: HttpExchange): void;
  /**
   * Stops taking new work, lets calls finish, ends streams spread over the window; resolves when
   * nothing is open or the window is over, upstreams included. Idempotent.
   */
  drain(windowMs: number): Promise<void>;
}
