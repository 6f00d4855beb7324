/**
 * Questions to an issuer that are under way, of which there may be so many. Whoever sends rubbish
 * makes us ask, and an issuer that is slow makes each question long: so no address has all places,
 * and one that sent rubbish before has few.
 */
import { addressKey } from '../../core/security/address-key.ts';

/** Of all places, how many one address may have. */
const SHARE = 3 / 4;
/** The same of one that sent what was none. */
const SUSPECT_SHARE = 1 / 8;

export class AskingPlaces {
  readonly #max: number;
  #taken = 0;
  readonly #takenBy = new Map<string, number>();

  constructor(max: number) {
    this.#max = max;
  }

  /** @returns what gives the place back; undefined when there is none for this address. */
  take(address: string, isSuspect: boolean): (() => void) | undefined {
    const key = addressKey(address);
    const taken = this.#takenBy.get(key) ?? 0;
    const most = Math.ceil(this.#max * (isSuspect ? SUSPECT_SHARE : SHARE));
    if (this.#taken >= this.#max || taken >= most) return undefined;
    this.#taken += 1;
    this.#takenBy.set(key, taken + 1);
    return () => this.#giveBack(key);
  }

  #giveBack(key: string): void {
    this.#taken -= 1;
    const left = (this.#takenBy.get(key) ?? 0) - 1;
    if (left > 0) this.#takenBy.set(key, left);
    else this.#takenBy.delete(key);
  }
}
