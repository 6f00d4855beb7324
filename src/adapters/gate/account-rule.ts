/**
 * One key of the rules as it counts for one kind of account. Asked several times a request, so what
 * follows from the config is worked out beforehand, and nothing is made to be thrown away.
 */
import type { Account, Visitor } from '../../core/gate.ts';
import { addressKey } from '../../core/security/address-key.ts';
import { ACCOUNTS, type RateRules, type Rates } from './rate-rules.ts';

export class AccountRule<T> {
  readonly account: Account;
  /** As refusals and metrics call it, such as `tenant.callsMax`. */
  readonly name: string;
  readonly #forAll: T | undefined;
  /** Of single tenants. */
  readonly #own: ReadonlyMap<string, T>;

  constructor(account: Account, key: string, forAll: T | undefined, own: ReadonlyMap<string, T>) {
    this.account = account;
    this.name = `${account}.${key}`;
    this.#forAll = forAll;
    this.#own = own;
  }

  /** What counts for a visitor; undefined where nothing does. */
  of({ principal }: Visitor): T | undefined {
    return this.#own.size === 0 ? this.#forAll : (this.#own.get(principal.tenant) ?? this.#forAll);
  }
}

/** In the order in which accounts are asked; without those that have no such rule. */
export function accountRules<T>(
  rates: Rates,
  key: keyof RateRules,
  make: (value: number) => T,
): readonly AccountRule<T>[] {
  return ACCOUNTS.flatMap((account) => {
    const value = rates[account]?.[key];
    const own = account === 'tenant' ? ownRules(rates, key, make) : new Map<string, T>();
    if (value === undefined && own.size === 0) return [];
    return new AccountRule(account, key, value === undefined ? undefined : make(value), own);
  });
}

function ownRules<T>(
  { tenants = {} }: Rates,
  key: keyof RateRules,
  make: (value: number) => T,
): ReadonlyMap<string, T> {
  const own = Object.entries(tenants).flatMap(([tenant, rules]): [string, T][] => {
    const value = rules[key];
    return value === undefined ? [] : [[tenant, make(value)]];
  });
  return new Map(own);
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
