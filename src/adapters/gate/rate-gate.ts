/**
 * Rates by the second, and places that are given back. A refusal says when to come again, jittered,
 * so that those who were refused together do not come back together.
 */
import { RateLimiterMemory, type RateLimiterRes } from 'rate-limiter-flexible';
import type { ErrorCode, Refusal } from '../../core/errors.ts';
import type { Gate, Holding, Visitor } from '../../core/gate.ts';
import type { Randomness, Telemetry } from '../../core/ports.ts';
import { addressKey } from '../../core/security/address-key.ts';
import { accountKey, Holdings } from './holdings.ts';
import { type Account, ACCOUNTS, type RateRules, type Rates } from './rate-rules.ts';

export interface RateGateParts {
  readonly random: Randomness;
  readonly telemetry: Telemetry;
}

/** Milliseconds, doubled at most by the jitter, until a place may be free again. */
const PLACE_WAIT_MS = 5000;
/** Seconds that one large answer may cost its account. */
const DEBT_SECONDS_MAX = 60;

type Counted = 'requestsPerSecond' | 'opensPerSecond' | 'bytesPerSecond';
type Limiters = ReadonlyMap<string, RateLimiterMemory>;

const FULL: Readonly<Record<Holding, ErrorCode>> = {
  stream: 'TOO_MANY_STREAMS',
  session: 'TOO_MANY_SESSIONS',
  call: 'TOO_MANY_REQUESTS',
};

export class RateGate implements Gate {
  readonly #parts: RateGateParts;
  readonly #holdings: Holdings;
  readonly #requests: Limiters;
  readonly #opens: Limiters;
  readonly #bytes: Limiters;

  constructor(rates: Rates, parts: RateGateParts) {
    this.#parts = parts;
    this.#holdings = new Holdings(rates);
    this.#requests = limiters(rates, 'requestsPerSecond');
    this.#opens = limiters(rates, 'opensPerSecond');
    this.#bytes = limiters(rates, 'bytesPerSecond');
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
      const bytes = limiterOf(this.#bytes, account, visitor);
      // Bytes are paid for afterwards: nothing is taken now, but a debt is refused.
      if (bytes !== undefined) steps.push([bytes, key, `${account}.bytesPerSecond`, 0]);
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
      const limiter = limiterOf(this.#bytes, account, visitor);
      if (limiter === undefined) continue;
      const key = accountKey(account, visitor);
      void limiter.penalty(key, bytes).then(({ consumedPoints }) => {
        if (consumedPoints <= limiter.points) return undefined;
        const seconds = Math.ceil(consumedPoints / limiter.points) - 1;
        return limiter.block(key, Math.min(DEBT_SECONDS_MAX, Math.max(1, seconds)));
      });
    }
  }

  take(visitor: Visitor, holding: Holding): Refusal | undefined {
    return this.#told(this.#holdings.take(visitor, holding), holding);
  }

  full(visitor: Visitor, holding: Holding): Refusal | undefined {
    return this.#told(this.#holdings.full(visitor, holding), holding);
  }

  giveBack(visitor: Visitor, holding: Holding): void {
    this.#holdings.giveBack(visitor, holding);
  }

  /** Whatever `done` does is not part of a promise: a fault of it must not be swallowed. */
  #consume(steps: readonly Step[], settle: (refusal: Refusal | undefined) => void): void {
    if (steps.length === 0) settle(undefined);
    else void this.#refusal(steps).then((refusal) => queueMicrotask(() => settle(refusal)));
  }

  /** One after the other: who is refused by one account is not counted on those after it. */
  async #refusal(steps: readonly Step[]): Promise<Refusal | undefined> {
    for (const [limiter, key, limit, points = 1] of steps) {
      try {
        await limiter.consume(key, points);
      } catch (full) {
        return this.#refuse('RATE_LIMITED', limit, (full as RateLimiterRes).msBeforeNext);
      }
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

/** A limiter, the account in it, the name of the limit, and what is taken. */
type Step = readonly [limiter: RateLimiterMemory, key: string, limit: string, points?: number];

/** A tenant with rules of its own has a limiter of its own. */
function limiterOf(
  limiters: Limiters,
  account: Account,
  { principal }: Visitor,
): RateLimiterMemory | undefined {
  const own = account === 'tenant' ? limiters.get(ownName(principal.tenant)) : undefined;
  return own ?? limiters.get(account);
}

function ownName(tenant: string): string {
  return `tenant ${tenant}`;
}

function limiters(rates: Rates, counted: Counted): Limiters {
  const found = ACCOUNTS.flatMap((account) => {
    const rules: RateRules | undefined = rates[account];
    return limiter(account, rules?.[counted]);
  });
  const own = Object.entries(rates.tenants ?? {}).flatMap(([tenant, rules]) =>
    limiter(ownName(tenant), rules[counted]),
  );
  return new Map([...found, ...own]);
}

function limiter(name: string, points: number | undefined): [string, RateLimiterMemory][] {
  return points === undefined ? [] : [[name, new RateLimiterMemory({ points, duration: 1 })]];
}
