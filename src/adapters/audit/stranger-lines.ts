/**
 * Which requests without a credential get a line of their own: a stranger may send as many as he
 * likes, and would write the disk full. Beyond a few a second they are counted, by address as far
 * as a bound on addresses allows, and told together when the second is over.
 */
import type { AuditEntry } from '../../core/access.ts';
import { addressKey } from '../../core/security/address-key.ts';
import type { StrangersNote } from './audit-line.ts';

/** Lines of one address in a second. */
const LINES_PER_ADDRESS_MAX = 5;
/**
 * Lines of all addresses in a second, and so the addresses that are told apart. Strangers have no
 * tenant: who comes after as many has his requests counted, and tenants' lines are not among these.
 */
const LINES_MAX = 100;
export const SECOND_MS = 1000;

interface Stranger {
  lines: number;
  untold: number;
}

export class StrangerLines {
  /** By the account of an address: of IPv6 one subscriber has many, and would have all lines. */
  readonly #strangers = new Map<string, Stranger>();
  #lines = 0;
  #untoldOthers = 0;

  /** Whether it gets a line. If not, it is counted. */
  admits({ address }: Pick<AuditEntry, 'address'>): boolean {
    const account = addressKey(address);
    const known = this.#strangers.get(account);
    if (this.#lines >= LINES_MAX || (known?.lines ?? 0) >= LINES_PER_ADDRESS_MAX) {
      if (known === undefined) this.#untoldOthers += 1;
      else known.untold += 1;
      return false;
    }
    this.#lines += 1;
    if (known === undefined) this.#strangers.set(account, { lines: 1, untold: 0 });
    else known.lines += 1;
    return true;
  }

  /** A second is over: what was counted in it. */
  take(): readonly StrangersNote[] {
    const notes: StrangersNote[] = [];
    for (const [address, { untold }] of this.#strangers) {
      if (untold > 0) notes.push({ event: 'unauthenticated', address, count: untold });
    }
    if (this.#untoldOthers > 0) {
      notes.push({ event: 'unauthenticated', count: this.#untoldOthers });
    }
    this.#strangers.clear();
    this.#lines = 0;
    this.#untoldOthers = 0;
    return notes;
  }
}
