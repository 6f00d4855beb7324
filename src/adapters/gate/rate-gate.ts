/**
 * Rates by the second, and places that are given back. A refusal says when to come again, jittered,
 * so that those who were refused together do not come back together.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { ErrorCode, Refusal } from '../../core/errors.ts';
import type { Account, Gate, Holding, Visitor } from '../../core/gate.ts';
import type { Randomness, Telemetry } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { accountKey, type AccountRule, accountRules } from './account-rule.ts';
import { Debts } from './debts.ts';
import { Holdings } from './holdings.ts';
import { Leases } from './leases.ts';
import type { Rates } from './rate-rules.ts';

export interface RateGateParts {
  readonly random: Randomness;
  readonly telemetry: Telemetry;
}

/** Milliseconds, doubled at most by the jitter, until a place may be free again. */
const PLACE_WAIT_MS = 5000;

/** Who is not known yet: nothing but the address is asked for. */
const NOBODY: Omit<Visitor, 'address'> = {
  principal: principalOf({ tenant: '', issuer: '', subject: '', clientId: '' }),
  server: '',
};

const FULL: Readonly<Record<Holding, ErrorCode>> = {
  stream: 'TOO_MANY_STREAMS',
  session: 'TOO_MANY_SESSIONS',
  call: 'TOO_MANY_REQUESTS',
  instance: 'TOO_MANY_INSTANCES',
};

export class RateGate implements Gate {
  readonly #parts: RateGateParts;
  readonly #holdings: Holdings;
  readonly #arrivals: AccountRule<Leases> | undefined;
  /** Of whoever is known by now. */
  readonly #requests: readonly AccountRule<Leases>[];
  readonly #opens: readonly AccountRule<Leases>[];
  readonly #bytes: readonly AccountRule<Debts>[];

  constructor(rates: Rates, parts: RateGateParts) {
    this.#parts = parts;
    this.#holdings = new Holdings(rates);
    const leases = (points: number): Leases => new Leases(limiter(points));
    const requests = accountRules(rates, 'requestsPerSecond', leases);
    this.#arrivals = requests.find(({ account }) => account === 'address');
    this.#requests = requests.filter(({ account }) => account !== 'address');
    this.#opens = accountRules(rates, 'opensPerSecond', leases);
    this.#bytes = accountRules(rates, 'bytesPerSecond', (points) => new Debts(limiter(points)));
  }

  arrive(address: string, done: (refusal: Refusal | undefined) => void): void {
    const rule = this.#arrivals;
    if (rule === undefined) done(undefined);
    else this.#consume([rule], { address, ...NOBODY }, done);
  }

  enter(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    // Bytes are paid for afterwards: nothing is taken now, but a debt is refused.
    for (const rule of this.#bytes) {
      const waitMs = rule.of(visitor)?.waitMs(accountKey(rule.account, visitor)) ?? 0;
      if (waitMs > 0) {
        done(this.#refuse('RATE_LIMITED', rule.name, waitMs));
        return;
      }
    }
    this.#consume(this.#requests, visitor, done);
  }

  open(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    this.#consume(this.#opens, visitor, done);
  }

  spend(visitor: Visitor, bytes: number): void {
    for (const rule of this.#bytes) {
      rule.of(visitor)?.spend(accountKey(rule.account, visitor), bytes);
    }
  }

  take(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): Refusal | undefined {
    return this.#told(this.#holdings.take(visitor, holding, accounts), holding);
  }

  full(visitor: Visitor, holding: Holding): Refusal | undefined {
    return this.#told(this.#holdings.full(visitor, holding), holding);
  }

  hasPlace(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): boolean {
    return this.#holdings.full(visitor, holding, accounts) === undefined;
  }

  giveBack(visitor: Visitor, holding: Holding, accounts?: readonly Account[]): void {
    this.#holdings.giveBack(visitor, holding, accounts);
  }

  /** Whatever `settle` does is not part of a promise: a fault of it must not be swallowed. */
  #consume(
    rules: readonly AccountRule<Leases>[],
    visitor: Visitor,
    settle: (refusal: Refusal | undefined) => void,
  ): void {
    for (let i = 0; i < rules.length; i += 1) {
      const rule = rules[i];
      const leases = rule?.of(visitor);
      if (rule === undefined || leases === undefined) continue;
      const key = accountKey(rule.account, visitor);
      if (leases.use(key)) continue;
      const waitMs = leases.missedMs(key);
      if (waitMs !== undefined) {
        settle(this.#refuse('RATE_LIMITED', rule.name, waitMs));
        return;
      }
      const rest = rules.slice(i);
      void this.#refusal(rest, visitor).then((refusal) => queueMicrotask(() => settle(refusal)));
      return;
    }
    settle(undefined);
  }

  /** One after the other: who is refused by one account is not counted on those after it. */
  async #refusal(
    rules: readonly AccountRule<Leases>[],
    visitor: Visitor,
  ): Promise<Refusal | undefined> {
    for (const rule of rules) {
      const leases = rule.of(visitor);
      const key = accountKey(rule.account, visitor);
      if (leases === undefined || leases.use(key)) continue;
      const waitMs = await leases.take(key);
      if (waitMs !== undefined) return this.#refuse('RATE_LIMITED', rule.name, waitMs);
    }
    return undefined;
  }

  #told(full: Account | undefined, holding: Holding): Refusal | undefined {
    if (full === undefined) return undefined;
    return this.#refuse(FULL[holding], `${full}.${holding}sMax`, PLACE_WAIT_MS);
  }

  #refuse(error: ErrorCode, limit: string, waitMs: number): Refusal {
    this.#parts.telemetry.count('rate_limited_total', { limit });
    const seconds = Math.max(1, Math.ceil((waitMs / 1000) * (1 + this.#parts.random.fraction())));
    return { error, headers: ['Retry-After', String(seconds)] };
  }
}

function limiter(points: number): RateLimiterMemory {
  return new RateLimiterMemory({ points, duration: 1 });
}
