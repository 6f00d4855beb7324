/** What lasts, counted by account: streams, sessions, calls and instances at a time. */
import type { Account, Holding, Visitor } from '../../core/gate.ts';
import { accountKey, type AccountRule, accountRules } from './account-rule.ts';
import { ACCOUNTS, type Rates } from './rate-rules.ts';

interface Places {
  readonly rule: AccountRule<number>;
  /** Taken, by whose account it is. */
  readonly taken: Map<string, number>;
}

export class Holdings {
  readonly #places: Readonly<Record<Holding, readonly Places[]>>;

  constructor(rates: Rates) {
    const places = (key: Parameters<typeof accountRules>[1]): readonly Places[] =>
      accountRules(rates, key, Number).map((rule) => ({ rule, taken: new Map() }));
    this.#places = {
      stream: places('streamsMax'),
      session: places('sessionsMax'),
      call: places('callsMax'),
      instance: places('instancesMax'),
    };
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
    for (const { rule, taken } of this.#places[holding]) {
      if (!isMeant(rule, visitor, accounts)) continue;
      const key = accountKey(rule.account, visitor);
      taken.set(key, (taken.get(key) ?? 0) + 1);
    }
    return undefined;
  }

  /** @returns the first account that has no place left. */
  full(
    visitor: Visitor,
    holding: Holding,
    accounts: readonly Account[] = ACCOUNTS,
  ): Account | undefined {
    for (const { rule, taken } of this.#places[holding]) {
      if (!isMeant(rule, visitor, accounts)) continue;
      const held = taken.get(accountKey(rule.account, visitor)) ?? 0;
      if (held >= (rule.of(visitor) ?? Infinity)) return rule.account;
    }
    return undefined;
  }

  giveBack(visitor: Visitor, holding: Holding, accounts: readonly Account[] = ACCOUNTS): void {
    for (const { rule, taken } of this.#places[holding]) {
      if (!isMeant(rule, visitor, accounts)) continue;
      const key = accountKey(rule.account, visitor);
      const left = (taken.get(key) ?? 0) - 1;
      if (left <= 0) taken.delete(key);
      else taken.set(key, left);
    }
  }

  /** Accounts that hold anything, for tests and metrics. */
  get size(): number {
    const all = Object.values(this.#places).flat();
    return all.reduce((sum, { taken }) => sum + taken.size, 0);
  }
}

/** Whether anything is counted: the account is concerned, and has a bound. */
function isMeant(
  rule: AccountRule<number>,
  visitor: Visitor,
  accounts: readonly Account[],
): boolean {
  const isConcerned = accounts === ACCOUNTS || accounts.includes(rule.account);
  return isConcerned && rule.of(visitor) !== undefined;
}
