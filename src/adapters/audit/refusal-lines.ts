/**
 * Requests that were refused at the door, told together once a second: whoever sends as many as he
 * likes would write the disk full. A line for each account, as far as a bound on accounts allows,
 * and one for all others.
 */
import type { AuditEntry } from '../../core/access.ts';
import { addressKey } from '../../core/security/address-key.ts';
import type { RefusalsNote } from './audit-line.ts';

/** Accounts that are told apart in a second. */
const ACCOUNTS_MAX = 100;

export class RefusalLines {
  readonly #accounts = new Map<string, RefusalsNote>();
  #others = 0;

  count(entry: AuditEntry): void {
    const { principal, address } = entry;
    // No key of a principal begins like this: an address is one only until somebody is known.
    const account = principal === undefined ? `address ${addressKey(address)}` : principal.key;
    const before = this.#accounts.get(account);
    if (before === undefined && this.#accounts.size >= ACCOUNTS_MAX) this.#others += 1;
    else this.#accounts.set(account, before === undefined ? noteOf(entry) : joined(before, entry));
  }

  /** A second is over: what was counted in it. */
  take(): readonly RefusalsNote[] {
    const notes = [...this.#accounts.values()];
    if (this.#others > 0) notes.push({ event: 'refused', count: this.#others });
    this.#accounts.clear();
    this.#others = 0;
    return notes;
  }
}

function noteOf({ address, server, credentialId, principal, refusal }: AuditEntry): RefusalsNote {
  return { event: 'refused', address, server, credentialId, principal, refusal, count: 1 };
}

/** What is not the same of all is not said of any. */
function joined(before: RefusalsNote, entry: AuditEntry): RefusalsNote {
  return {
    event: 'refused',
    address: before.address === entry.address ? before.address : undefined,
    server: before.server === entry.server ? before.server : undefined,
    credentialId: before.credentialId === entry.credentialId ? before.credentialId : undefined,
    principal: before.principal,
    refusal: before.refusal === entry.refusal ? before.refusal : undefined,
    count: before.count + 1,
  };
}
