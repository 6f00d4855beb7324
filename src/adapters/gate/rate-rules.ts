import type { Account } from '../../core/gate.ts';

/** What one account may do; what is absent is not bounded here. */
export interface RateRules {
  /** Requests of every verb, a second. */
  readonly requestsPerSecond?: number | undefined;
  /** Openings of streams and sessions, a second. */
  readonly opensPerSecond?: number | undefined;
  /** Bytes of requests and answers, a second. */
  readonly bytesPerSecond?: number | undefined;
  /** Event streams at a time. */
  readonly streamsMax?: number | undefined;
  /** Sessions at a time. */
  readonly sessionsMax?: number | undefined;
  /** Requests in flight at a time. */
  readonly callsMax?: number | undefined;
  /** Upstream instances at a time. */
  readonly instancesMax?: number | undefined;
}

/** Each kind of account has rules of its own, and all that concern a request must agree. */
export interface Rates {
  /** Each address; of IPv6 each /64. Counted before a credential is looked at. */
  readonly address?: RateRules | undefined;
  readonly principal?: RateRules | undefined;
  readonly tenant?: RateRules | undefined;
  readonly server?: RateRules | undefined;
  /** Of single tenants by name, in place of those of all, key by key. */
  readonly tenants?: Readonly<Record<string, RateRules>> | undefined;
}

export const ACCOUNTS: readonly Account[] = ['address', 'principal', 'tenant', 'server'];
