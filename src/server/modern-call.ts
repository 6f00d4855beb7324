/**
 * One 2026 request in flight: its reply is JSON when the answer is quick and alone, else a stream.
 * The client closing its connection, stream or pending JSON, cancels the request.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#cancellation
 */
import { type ErrorCode, ERRORS, errorResponse, type Refusal } from '../core/errors.ts';
import {
  isLevelAtLeast,
  statusOfAnswer,
  type Envelope,
} from '../core/protocol/eras/stateless-2026.ts';
import type { Principal } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import { encodeEvent } from '../core/protocol/sse-encoder.ts';
import type { Accepts } from '../core/sessions/reply.ts';
import type { CallEntry } from './call-entry.ts';
import type { Connection, ConnectionOwner } from './connection.ts';
import type { UpstreamCall } from './upstream-call.ts';
import type { ModernUpstream } from './modern-upstream.ts';
import type { RecordCall, WarrantedOwner } from './record-call.ts';
import type { TaskOwners } from './task-owners.ts';
import type { Undecided, UndecidedReply } from './undecided.ts';
import type { Warrant } from './warrant.ts';

export interface ModernCallFacts {
  readonly upstream: ModernUpstream;
  readonly accepts: Accepts;
  readonly envelope: Envelope;
  /** Every version of the endpoint, for `server/discover`. */
  readonly supported: readonly string[];
  readonly recorded: RecordCall;
  readonly ended: (call: ModernCall) => void;
  /** Answers the client, before anything was sent to it. */
  readonly refuse: (refusal: Refusal) => void;
  readonly decideLater: (undecided: Undecided) => void;
  /** Whose tasks are whose, on a server that several share. */
  readonly owners: TaskOwners | undefined;
  readonly principal: Principal;
}

export class ModernCall implements WarrantedOwner, ConnectionOwner, UndecidedReply {
  readonly #facts: ModernCallFacts;
  #warrant: Warrant | undefined;
  #connection: Connection | undefined;
  #id = 'null';
  #call: UpstreamCall | undefined;
  #undecided: Undecided | undefined;
  #isAdmitted = false;

  constructor(facts: ModernCallFacts, warrant: Warrant | undefined) {
    this.#facts = facts;
    this.#warrant = warrant;
  }

  get isUndecided(): boolean {
    return this.#connection !== undefined && !this.#connection.isOpen;
  }

  undecided(): Undecided {
    this.#undecided ??= { reply: this };
    return this.#undecided;
  }

  /** Whether its client may still be refused as if it had just come. */
  get isAtDoor(): boolean {
    return this.isUndecided && !this.#isAdmitted;
  }

  /** From now on its client may leave, though nothing was sent yet. */
  begin(connection: Connection, id: string): void {
    this.#connection = connection;
    this.#id = id;
  }

  /** Whether anybody waits for the answer. */
  get isAwaited(): boolean {
    return this.#connection !== undefined;
  }

  /** It is not sent: whoever began it answers the client. */
  withdraw(): void {
    this.#connection?.release();
    this.#connection = undefined;
    this.#facts.ended(this);
  }

  send(message: Message): void {
    this.#request(message, undefined);
    this.admitted();
  }

  /** To be let in where it is made: until then it may be refused as if it had just come. */
  sendTo(message: Message, entry: CallEntry): void {
    this.#request(message, entry);
  }

  /** It is sent: the reply will be JSON when the answer is quick, if it may be. */
  admitted(): void {
    this.#isAdmitted = true;
    if (!this.#facts.accepts.json) this.decide();
    if (this.isUndecided) this.#facts.decideLater(this.undecided());
  }

  /** It is not sent after all. */
  turnAway(refusal: Refusal): void {
    if (this.isUndecided) {
      this.withdraw();
      this.#facts.refuse(refusal);
    } else {
      this.#refuse(refusal);
    }
  }

  /** The reply has been undecided long enough, or has company. */
  decide(): void {
    if (this.isUndecided && this.#facts.accepts.eventStream) this.#connection?.open('', undefined);
  }

  warrantOf(): Warrant | undefined {
    return this.#warrant;
  }

  answered(call: UpstreamCall, received: Message): void {
    const { owners, principal } = this.#facts;
    const seen = owners?.seen(principal, call.method, received) ?? received;
    const message = this.#warrant?.filtered(seen) ?? seen;
    const isDiscover = call.method === 'server/discover' && !message.isError;
    const text = isDiscover ? this.#discovered(call, message) : message.withId(call.id).toText();
    this.#facts.recorded('2026', call, message.isError ? 'error' : 'ok', message);
    this.#finish(statusOfAnswer(message), text, message.refusal);
  }

  lost(call: UpstreamCall, refusal: Refusal): void {
    this.#facts.recorded('2026', call, 'lost');
    this.#refuse({ ...refusal, id: call.id });
  }

  related(_call: UpstreamCall, message: Message): void {
    if (message.method === 'notifications/message') {
      const { logLevel } = this.#facts.envelope;
      const level = (message.value as { level?: unknown } | undefined)?.level;
      if (logLevel === undefined || !isLevelAtLeast(level, logLevel)) return;
    }
    this.decide();
    if (this.#connection?.isOpen) this.#connection.write(encodeEvent('message', message.toText()));
  }

  closeStream(): void {
    // Streams of this revision cannot be resumed, so there is nothing to come back for.
  }

  drain(): void {
    // A call in flight is waited for.
  }

  /** Nobody can come back for the rest in this revision: it is told what to do instead. */
  expired(): void {
    this.#giveUp('CREDENTIAL_EXPIRED', 'the credential of the client ended');
  }

  ceased(): void {
    this.#giveUp('SHUTTING_DOWN', 'the server is shutting down');
  }

  connectionLost(): void {
    this.#connection = undefined;
    this.#decided();
    const call = this.#call;
    this.#call = undefined;
    if (call === undefined) this.#warrant?.ended('cancelled');
    else {
      this.#facts.upstream.cancel(call, 'the client closed the connection');
      this.#facts.recorded('2026', call, 'cancelled');
    }
    this.#facts.ended(this);
  }

  #request(message: Message, entry: CallEntry | undefined): void {
    const outcome = this.#facts.upstream.request(this, message, this.#facts.envelope, entry);
    if ('error' in outcome) this.#refuse(outcome);
    else this.#call = outcome;
  }

  /** It may still wait for its server to start. */
  #giveUp(error: ErrorCode, why: string): void {
    if (this.#connection === undefined) return;
    const call = this.#call;
    if (call !== undefined) {
      this.#facts.upstream.cancel(call, why);
      this.#facts.recorded('2026', call, 'cancelled');
    }
    this.#refuse({ error, id: this.#id });
  }

  #refuse(refusal: Refusal): void {
    this.#warrant?.ended('refused');
    this.#finish(ERRORS[refusal.error].httpStatus, errorResponse(refusal));
  }

  /** @param refusal - of a server in this process: refused there is refused here. */
  #finish(status: number, text: string, refusal?: Refusal): void {
    const connection = this.#connection;
    this.#connection = undefined;
    this.#call = undefined;
    this.#warrant = undefined;
    this.#decided();
    this.#facts.ended(this);
    if (connection === undefined) return;
    if (!connection.isOpen && this.#facts.accepts.json) {
      const isRefused = refusal !== undefined && connection.refuse({ ...refusal, id: this.#id });
      if (!isRefused) connection.json(status, text);
      return;
    }
    if (!connection.isOpen) connection.open('', undefined);
    connection.end('completed', encodeEvent('message', text));
  }

  #decided(): void {
    if (this.#undecided !== undefined) this.#undecided.reply = undefined;
  }

  /** The upstream knows its own versions; the endpoint serves the handshake revisions besides. */
  #discovered(call: UpstreamCall, message: Message): string {
    const result = { ...(message.value as object), supportedVersions: this.#facts.supported };
    return `{"jsonrpc":"2.0","id":${call.id},"result":${JSON.stringify(result)}}`;
  }
}
