/**
 * The record of whoever embeds us. What cannot be recorded is not done: where it failed, requests
 * are refused until it takes what it did not.
 */
import {
  type AdministrativeAct,
  type AuditEntry,
  type AuditTrail,
  isVisit,
} from '../../core/access.ts';
import type { Refusal } from '../../core/errors.ts';
import { heedPromise } from '../../core/heed-promise.ts';
import { refusalFault } from '../../core/refusal-fault.ts';
import { PortFailures, type PortSight } from './port-failures.ts';

type Entry = AuditEntry | AdministrativeAct;

const FAILED: Refusal = { error: 'AUDIT_UNAVAILABLE' };

export class GuardedAudit implements AuditTrail {
  readonly #audit: AuditTrail;
  readonly #failures: PortFailures;
  /** The last deed that it did not take; undefined while it takes what it is given. */
  #owed: Entry | undefined;
  #isTrying = false;

  private constructor(audit: AuditTrail, sight: PortSight) {
    this.#audit = audit;
    this.#failures = new PortFailures('audit', sight);
  }

  /** One that is guarded already stays as it is: several endpoints may share it. */
  static of(audit: AuditTrail, sight: PortSight): GuardedAudit {
    return audit instanceof GuardedAudit ? audit : new GuardedAudit(audit, sight);
  }

  fault(): Refusal | undefined {
    if (this.#owed !== undefined) this.#tryAgain(this.#owed);
    if (this.#owed !== undefined) return FAILED;
    try {
      const refusal = this.#audit.fault();
      const fault = refusal === undefined ? undefined : refusalFault(refusal);
      if (fault === undefined) return refusal;
      heedPromise(refusal, () => {});
      this.#failures.tell(`fault() returned ${fault}`);
    } catch (error) {
      this.#failures.tell('fault() threw', error);
    }
    return FAILED;
  }

  record(entry: Entry): void {
    let left: unknown;
    try {
      left = this.#audit.record(entry);
    } catch (error) {
      this.#failed('threw', entry, error);
      return;
    }
    if (left !== undefined) heedPromise(left, (error) => this.#failed('rejected', entry, error));
  }

  /** What a peer wrote may be why, and must not shut out others: the rest is tried without it. */
  #failed(how: string, entry: Entry, error: unknown): void {
    this.#failures.tell(`record() ${how}`, error);
    // There may be floods of those, and what was done is owed for longer than it lasts.
    if (isVisit(entry) && this.#owed !== undefined) return;
    this.#owed = entry.event === 'administered' ? entry : bare(entry);
    this.#tryAgain(this.#owed);
  }

  #tryAgain(owed: Entry): void {
    if (this.#isTrying) return;
    this.#isTrying = true;
    const ended = (isTaken: boolean): void => {
      this.#isTrying = false;
      if (isTaken && this.#owed === owed) this.#owed = undefined;
    };
    try {
      const left: unknown = this.#audit.record(owed);
      const isLater = heedPromise(
        left,
        () => ended(false),
        () => ended(true),
      );
      if (!isLater) ended(true);
    } catch {
      ended(false);
    }
  }
}

function bare(entry: AuditEntry): AuditEntry {
  return { ...entry, method: undefined, target: undefined, params: undefined };
}
