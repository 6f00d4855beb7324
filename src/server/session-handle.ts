/**
 * Where a session lives is nobody's business but this interface's: on this node it is the machine
 * itself, on another a forwarder. Routes know no more than this.
 */
import type { CloseReason } from '../core/close-reasons.ts';
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import type { Principal } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Accepts } from '../core/sessions/reply.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { HeldRequests } from './held-requests.ts';
import type { LegacyUpstream } from './legacy-upstream.ts';
import type { Warrant } from './warrant.ts';

/** A POST whose answers are awaited on its own connection (2025). */
export interface ReplyTo {
  readonly connection: Connection;
  readonly accepts: Accepts;
}

export interface SessionHandle extends ConnectionOwner {
  readonly id: string;
  readonly principal: Principal;
  readonly era: '2024' | '2025';
  /** The negotiated revision; the requested one until it is. */
  readonly version: string;
  /** Whether a request may be sent that is not `initialize`. */
  readonly isInitialized: boolean;
  readonly upstream: Pick<LegacyUpstream, 'conversation'>;
  /** What waits before it is received. */
  readonly held: HeldRequests;
  /**
   * Runs `then` once its handshake is over, or it is; one that its client skipped is made now.
   * @returns whether it will: not where the handshake is over, or too many wait.
   */
  whenOpen(then: () => void): boolean;
  /**
   * Takes messages of the client, in order.
   * @param grant - of the credential they came with.
   * @param replyTo - where answers go; undefined sends them on the session's stream (2024).
   * @param warrants - what allows the requests among them, where somebody decides or records.
   */
  receive(
    entries: readonly Message[],
    isBatch: boolean,
    grant: Grant,
    replyTo: ReplyTo | undefined,
    warrants?: readonly Warrant[],
  ): void;
  /**
   * Gives a stream to a reader: the one `lastEventId` names, or the one that belongs to no request.
   */
  attach(
    connection: Connection,
    lastEventId: string | undefined,
    path: string,
  ): Refusal | undefined;
  /** Whether `attach` would take the place of another reader, and so needs none of its own. */
  isRead(lastEventId: string | undefined): boolean;
  end(reason: CloseReason): void;
}
