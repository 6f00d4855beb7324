/** What lasts, counted by account: streams, sessions, calls and instances at a time. */
import type { Account, Holding, Visitor } from '../../core/gate.ts';
import { addressKey } from '../../core/security/address-key.ts';
import { ACCOUNTS, type RateRules, type Rates, rulesFor } from './rate-rules.ts';

const BOUND_OF: Readonly<Record<Holding, keyof RateRules>> = {
  stream: 'streamsMax',
  session: 'sessionsMax',
  call: 'callsMax',
  instance: 'instancesMax',
};

interface Bounded {
  readonly account: Account;
  readonly max: number;
}

export class Holdings {
  readonly #rates: Rates;
  readonly #counts = new Map<string, number>();

  constructor(rates: Rates) {
    this.#rates = rates;
  }

  /**
   * @param accounts - those that it concerns.
   * @returns the account that is full; undefined when a place was taken on all of them.
   */
  take(
    visitor: Visitor,
    holding: Holding,
    accounts: readonly Account[] = ACCOUNTS,
  ): Account | undefined {
    const full = this.full(visitor, holding, accounts);
    if (full !== undefined) return full;
    for (const { account } of this.#bounded(visitor, holding, accounts)) {
      const key = keyOf(account, visitor, holding);
      this.#counts.set(key, (this.#counts.get(key) ?? 0) + 1);
    }
    return undefined;
  }

  /** @returns the first account that has no place left. */
  full(
    visitor: Visitor,
    holding: Holding,
    accounts: readonly Account[] = ACCOUNTS,
  ): Account | undefined {
    const isFull = ({ account, max }: Bounded): boolean =>
      (this.#counts.get(keyOf(account, visitor, holding)) ?? 0) >= max;
    return this.#bounded(visitor, holding, accounts).find(isFull)?.account;
  }

  giveBack(visitor: Visitor, holding: Holding, accounts: readonly Account[] = ACCOUNTS): void {
    for (const { account } of this.#bounded(visitor, holding, accounts)) {
      const key = keyOf(account, visitor, holding);
      const left = (this.#counts.get(key) ?? 0) - 1;
      if (left <= 0) this.#counts.delete(key);
      else this.#counts.set(key, left);
    }
  }

  /** Accounts that hold anything, for tests and metrics. */
  get size(): number {
    return this.#counts.size;
  }

  #bounded(
    { principal }: Visitor,
    holding: Holding,
    accounts: readonly Account[],
  ): readonly Bounded[] {
    return accounts.flatMap((account) => {
      const max = rulesFor(this.#rates, account, principal.tenant)?.[BOUND_OF[holding]];
      return max === undefined ? [] : [{ account, max }];
    });
  }
}

function keyOf(account: Account, visitor: Visitor, holding: Holding): string {
  return `${holding} ${account} ${accountKey(account, visitor)}`;
}

/** Who an account is of. */
export function accountKey(account: Account, { address, principal, server }: Visitor): string {
  switch (account) {
    case 'address':
      return addressKey(address);
    case 'principal':
      return principal.key;
    case 'tenant':
      return principal.tenant;
    case 'server':
      return server;
  }
}
