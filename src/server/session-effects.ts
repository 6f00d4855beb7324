/** Carries out what a session's machine decided: on its connections, and in the event log. */
import type { Refusal } from '../core/errors.ts';
import type { EventLog } from '../core/ports.ts';
import type { Decision, Outbox } from '../core/sessions/outbox.ts';
import type { Session } from '../core/sessions/session.ts';
import type { Connection } from './connection.ts';
import type { Connections } from './connections.ts';

export interface SessionEffectsPorts {
  readonly log: EventLog;
  readonly connections: Connections;
  /** A reader came back for the rest: with what outcome. */
  readonly resumed: (outcome: 'exact' | 'gap') => void;
}

export class SessionEffects {
  /** Connections that are open for the session, undecided replies included. */
  connectionCount = 0;
  readonly #id: string;
  readonly #machine: Session;
  readonly #ports: SessionEffectsPorts;
  /** The stream that belongs to no request was joined again with a gap. */
  readonly #missed: () => void;
  /** Of each stream the reader that was ended last, if it has yet to take what it was sent. */
  readonly #ending = new Map<number, Connection>();

  constructor(id: string, machine: Session, ports: SessionEffectsPorts, missed: () => void) {
    this.#id = id;
    this.#machine = machine;
    this.#ports = ports;
    this.#missed = missed;
  }

  carryOut(outbox: Outbox): void {
    for (let index = 0; index < outbox.length; index += 1) {
      const decision = outbox[index];
      if (decision !== undefined) this.#do(decision);
    }
  }

  #do(decision: Decision): void {
    switch (decision.do) {
      case 'write':
        (decision.to as Connection).write(decision.text);
        return;
      case 'json':
        this.#answer(decision.to as Connection, decision.body, decision.refusal);
        return;
      case 'open':
        if (decision.resume !== undefined) this.#ports.resumed(decision.resume);
        (decision.to as Connection).open(decision.first, decision.resume);
        return;
      case 'end': {
        const connection = decision.to as Connection;
        if (connection.end(decision.reason, decision.last)) this.connectionCount -= 1;
        this.#ended(decision.stream, connection);
        return;
      }
      case 'append':
        this.#append(decision);
        return;
      case 'read':
        this.#read(decision.stream, decision.after);
        return;
      case 'trim':
        this.#ports.log.trim(this.#id, decision.stream);
        return;
      default:
    }
  }

  /**
   * A stream may be resumed ever again, each time with as much as the log holds: no more than one
   * of its readers is waited for.
   */
  #ended(stream: number, connection: Connection): void {
    if (this.#ending.size === 0 && !connection.isEnding) return;
    this.#ending.get(stream)?.cutEnding();
    if (connection.isEnding) this.#ending.set(stream, connection);
    for (const [each, { isEnding }] of this.#ending) if (!isEnding) this.#ending.delete(each);
  }

  /** Nothing to say is an accepted POST: every call of it was cancelled. */
  #answer(connection: Connection, body: string, refusal: Refusal | undefined): void {
    if (refusal !== undefined && connection.refuse(refusal)) this.connectionCount -= 1;
    else if (connection.json(body === '' ? 202 : 200, body)) this.connectionCount -= 1;
  }

  #append(decision: Extract<Decision, { do: 'append' }>): void {
    const { stream, generation, sequence, data } = decision;
    const now = this.#ports.connections.now();
    this.#ports.log.append(this.#id, stream, generation, sequence, data, now);
  }

  #read(stream: number, after: number): void {
    const now = this.#ports.connections.now();
    this.#ports.log.readAfter(this.#id, stream, after, now, (outcome) => {
      const outbox: Outbox = [];
      const hasGap = this.#machine.replayed(stream, after, outcome, outbox);
      this.carryOut(outbox);
      if (hasGap && stream === 0) this.#missed();
    });
  }
}
