/**
 * Counts every place that is taken and given back, so that none may be left when everyone has gone.
 * It refuses nobody.
 */
import type { Refusal } from '../../src/core/errors.ts';
import type { Gate, Holding, Visitor } from '../../src/core/gate.ts';

const HOLDINGS: readonly Holding[] = ['stream', 'session', 'call', 'instance'];

export class Places implements Gate {
  readonly #taken = new Map<Holding, number>();

  /** How many are taken now. */
  taken(holdings: readonly Holding[] = HOLDINGS): Readonly<Record<string, number>> {
    return Object.fromEntries(holdings.map((each) => [`places of a ${each}`, this.#of(each)]));
  }

  arrive(_address: string, done: (refusal: Refusal | undefined) => void): void {
    done(undefined);
  }

  enter(_visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    done(undefined);
  }

  open(_visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    done(undefined);
  }

  spend(): void {}

  take(_visitor: Visitor, holding: Holding): undefined {
    this.#taken.set(holding, this.#of(holding) + 1);
  }

  full(): undefined {}

  hasPlace(): boolean {
    return true;
  }

  giveBack(_visitor: Visitor, holding: Holding): void {
    const left = this.#of(holding) - 1;
    if (left < 0) throw new Error(`A ${holding} was given back twice.`);
    this.#taken.set(holding, left);
  }

  #of(holding: Holding): number {
    return this.#taken.get(holding) ?? 0;
  }
}
