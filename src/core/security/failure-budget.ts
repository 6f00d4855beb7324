/**
 * How many credentials that prove to be none each address may have looked at in a second: looking
 * costs a signature or a question to an issuer, and whoever sends rubbish pays nothing for it.
 */
import { addressKey } from './address-key.ts';

/**
 * So many addresses may use up their second. Then those that failed in it are done, however little:
 * a flood that comes from everywhere leaves whoever has not failed yet a first look.
 */
const SPENT_MAX = 5;
/** Addresses counted apart in one second; those beyond it share one account. */
const ADDRESSES_MAX = 10_000;
const WINDOW_MS = 1000;
/** No address is spelled so. */
const OTHERS = '*';

export class FailureBudget {
  readonly #perSecondMax: number;
  readonly #failures = new Map<string, number>();
  #since = -Infinity;
  /** Of all addresses together. */
  #total = 0;

  /** @param perSecondMax - credentials of one address that may fail in a second. */
  constructor(perSecondMax: number) {
    this.#perSecondMax = perSecondMax;
  }

  /**
   * Whether the address has used up its second, so that nothing of it is looked at any more.
   * @param now - milliseconds of a clock that only goes forward.
   */
  isSpent(address: string, now: number): boolean {
    this.#turn(now);
    if (this.#total === 0) return false;
    const failures = this.#failures.get(this.#accountOf(address)) ?? 0;
    const isFlood = this.#total >= SPENT_MAX * this.#perSecondMax;
    return failures >= (isFlood ? 1 : this.#perSecondMax);
  }

  failed(address: string, now: number): void {
    this.#turn(now);
    const account = this.#accountOf(address);
    this.#failures.set(account, (this.#failures.get(account) ?? 0) + 1);
    this.#total += 1;
  }

  #turn(now: number): void {
    if (now - this.#since < WINDOW_MS) return;
    this.#since = now;
    this.#total = 0;
    this.#failures.clear();
  }

  #accountOf(address: string): string {
    const key = addressKey(address);
    const isFull = this.#failures.size >= ADDRESSES_MAX && !this.#failures.has(key);
    return isFull ? OTHERS : key;
  }
}
