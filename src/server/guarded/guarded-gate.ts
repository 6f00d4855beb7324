/** The gate of whoever embeds us: where it fails nobody is let in, and nobody else notices. */
import type { Refusal } from '../../core/errors.ts';
import type { Account, Gate, Holding, Visitor } from '../../core/gate.ts';
import { heedPromise } from '../../core/heed-promise.ts';
import { refusalFault } from '../../core/refusal-fault.ts';
import { type AskedPort, Asking } from './asking.ts';
import { Patience } from './patience.ts';
import { PortFailures, type PortSight } from './port-failures.ts';

/** Milliseconds it may take over one question. */
const ANSWER_MS_MAX = 30_000;

const FAILED: Refusal = { error: 'INTERNAL' };

type Done = (refusal: Refusal | undefined) => void;

export class GuardedGate implements Gate {
  readonly #gate: Gate;
  readonly #port: AskedPort<Refusal | undefined>;

  private constructor(gate: Gate, sight: PortSight) {
    this.#gate = gate;
    this.#port = {
      failures: new PortFailures('gate', sight),
      patience: new Patience(sight.clock, ANSWER_MS_MAX),
      faultOf,
      isAnswer: (left) => left !== undefined && refusalFault(left as Refusal) === undefined,
      failed: FAILED,
      late: FAILED,
    };
  }

  /** One that is guarded already stays as it is: several endpoints may share it. */
  static of(gate: Gate, sight: PortSight): GuardedGate {
    return gate instanceof GuardedGate ? gate : new GuardedGate(gate, sight);
  }

  arrive(address: string, done: Done): void {
    const asking = new Asking(this.#port, 'arrive', done);
    asking.ask((answered) => this.#gate.arrive(address, answered));
  }

  enter(visitor: Visitor, done: Done): void {
    const asking = new Asking(this.#port, 'enter', done);
    asking.ask((answered) => this.#gate.enter(visitor, answered));
  }

  open(visitor: Visitor, done: Done): void {
    const asking = new Asking(this.#port, 'open', done);
    asking.ask((answered) => this.#gate.open(visitor, answered));
  }

  spend(visitor: Visitor, bytes: number): void {
    try {
      this.#heed('spend', this.#gate.spend(visitor, bytes));
    } catch (error) {
      this.#tell('spend() threw', error);
    }
  }

  take(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): Refusal | undefined {
    try {
      return this.#refusal('take', this.#gate.take(visitor, holding, accounts));
    } catch (error) {
      this.#tell('take() threw', error);
      return FAILED;
    }
  }

  full(visitor: Visitor, holding: Holding): Refusal | undefined {
    try {
      return this.#refusal('full', this.#gate.full(visitor, holding));
    } catch (error) {
      this.#tell('full() threw', error);
      return FAILED;
    }
  }

  hasPlace(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): boolean {
    try {
      const has: unknown = this.#gate.hasPlace(visitor, holding, accounts);
      if (typeof has === 'boolean') return has;
      this.#heed('hasPlace', has);
      this.#tell('hasPlace() returned neither true nor false');
    } catch (error) {
      this.#tell('hasPlace() threw', error);
    }
    return false;
  }

  giveBack(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): void {
    try {
      this.#heed('giveBack', this.#gate.giveBack(visitor, holding, accounts));
    } catch (error) {
      this.#tell('giveBack() threw', error);
    }
  }

  #refusal(method: string, refusal: Refusal | undefined): Refusal | undefined {
    const fault = faultOf(refusal);
    if (fault === undefined) return refusal;
    this.#heed(method, refusal);
    this.#tell(`${method}() returned ${fault}`);
    return FAILED;
  }

  #heed(method: string, left: unknown): void {
    if (left === undefined) return;
    heedPromise(left, (error) => this.#tell(`${method}() rejected`, error));
  }

  #tell(detail: string, error?: unknown): void {
    this.#port.failures.tell(detail, error);
  }
}

function faultOf(refusal: Refusal | undefined): string | undefined {
  return refusal === undefined ? undefined : refusalFault(refusal);
}
