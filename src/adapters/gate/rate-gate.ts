/**
 * Rates by the second, and places that are given back. A refusal says when to come again, jittered,
 * so that those who were refused together do not come back together.
 */
import { RateLimiterMemory } from 'rate-limiter-flexible';
import type { ErrorCode, Refusal } from '../../core/errors.ts';
import type { Account, Gate, Holding, Visitor } from '../../core/gate.ts';
import type { Randomness, Telemetry } from '../../core/ports.ts';
import { addressKey } from '../../core/security/address-key.ts';
import { Debts } from './debts.ts';
import { accountKey, Holdings } from './holdings.ts';
import { Leases } from './leases.ts';
import { ACCOUNTS, type RateRules, type Rates } from './rate-rules.ts';

export interface RateGateParts {
  readonly random: Randomness;
  readonly telemetry: Telemetry;
}

/** Milliseconds, doubled at most by the jitter, until a place may be free again. */
const PLACE_WAIT_MS = 5000;

type Counted = 'requestsPerSecond' | 'opensPerSecond' | 'bytesPerSecond';
type Limiters = ReadonlyMap<string, Leases>;

const FULL: Readonly<Record<Holding, ErrorCode>> = {
  stream: 'TOO_MANY_STREAMS',
  session: 'TOO_MANY_SESSIONS',
  call: 'TOO_MANY_REQUESTS',
  instance: 'TOO_MANY_INSTANCES',
};

export class RateGate implements Gate {
  readonly #parts: RateGateParts;
  readonly #holdings: Holdings;
  readonly #requests: Limiters;
  readonly #opens: Limiters;
  readonly #bytes: ReadonlyMap<string, Debts>;

  constructor(rates: Rates, parts: RateGateParts) {
    this.#parts = parts;
    this.#holdings = new Holdings(rates);
    this.#requests = limiters(rates, 'requestsPerSecond', (each) => new Leases(each));
    this.#opens = limiters(rates, 'opensPerSecond', (each) => new Leases(each));
    this.#bytes = limiters(rates, 'bytesPerSecond', (each) => new Debts(each));
  }

  arrive(address: string, done: (refusal: Refusal | undefined) => void): void {
    const limiter = this.#requests.get('address');
    if (limiter === undefined) done(undefined);
    else this.#consume([[limiter, addressKey(address), 'address.requestsPerSecond']], done);
  }

  enter(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    const steps: Step[] = [];
    for (const account of ACCOUNTS) {
      const key = accountKey(account, visitor);
      const requests =
        account === 'address' ? undefined : limiterOf(this.#requests, account, visitor);
      if (requests !== undefined) steps.push([requests, key, `${account}.requestsPerSecond`]);
      // Bytes are paid for afterwards: nothing is taken now, but a debt is refused.
      const waitMs = limiterOf(this.#bytes, account, visitor)?.waitMs(key) ?? 0;
      if (waitMs > 0) {
        done(this.#refuse('RATE_LIMITED', `${account}.bytesPerSecond`, waitMs));
        return;
      }
    }
    this.#consume(steps, done);
  }

  open(visitor: Visitor, done: (refusal: Refusal | undefined) => void): void {
    const steps = ACCOUNTS.flatMap((account): Step[] => {
      const opens = limiterOf(this.#opens, account, visitor);
      const key = accountKey(account, visitor);
      return opens === undefined ? [] : [[opens, key, `${account}.opensPerSecond`]];
    });
    this.#consume(steps, done);
  }

  spend(visitor: Visitor, bytes: number): void {
    for (const account of ACCOUNTS) {
      const debts = limiterOf(this.#bytes, account, visitor);
      debts?.spend(accountKey(account, visitor), bytes);
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

  /** Whatever `done` does is not part of a promise: a fault of it must not be swallowed. */
  #consume(steps: readonly Step[], settle: (refusal: Refusal | undefined) => void): void {
    const open = steps.findIndex(([leases, key]) => !leases.use(key));
    if (open === -1) settle(undefined);
    else {
      const rest = steps.slice(open);
      void this.#refusal(rest).then((refusal) => queueMicrotask(() => settle(refusal)));
    }
  }

  /** One after the other: who is refused by one account is not counted on those after it. */
  async #refusal(steps: readonly Step[]): Promise<Refusal | undefined> {
    for (const [leases, key, limit] of steps) {
      const waitMs = leases.use(key) ? undefined : await leases.take(key);
      if (waitMs !== undefined) return this.#refuse('RATE_LIMITED', limit, waitMs);
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

/** Where a point is taken, for whom, and the name of the limit. */
type Step = readonly [leases: Leases, key: string, limit: string];

/** A tenant with rules of its own has a limiter of its own. */
function limiterOf<T>(
  each: ReadonlyMap<string, T>,
  account: Account,
  { principal }: Visitor,
): T | undefined {
  const own = account === 'tenant' ? each.get(ownName(principal.tenant)) : undefined;
  return own ?? each.get(account);
}

function ownName(tenant: string): string {
  return `tenant ${tenant}`;
}

function limiters<T>(
  rates: Rates,
  counted: Counted,
  make: (limiter: RateLimiterMemory) => T,
): ReadonlyMap<string, T> {
  const found = ACCOUNTS.flatMap((account) => {
    const rules: RateRules | undefined = rates[account];
    return limiter(account, rules?.[counted]);
  });
  const own = Object.entries(rates.tenants ?? {}).flatMap(([tenant, rules]) =>
    limiter(ownName(tenant), rules[counted]),
  );
  return new Map([...found, ...own].map(([name, each]) => [name, make(each)]));
}

function limiter(name: string, points: number | undefined): [string, RateLimiterMemory][] {
  return points === undefined ? [] : [[name, new RateLimiterMemory({ points, duration: 1 })]];
}
