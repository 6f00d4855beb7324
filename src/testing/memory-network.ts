/**
 * Carries requests from simulated clients to an `Application`, and loses what a network loses:
 * requests that never arrive, replies that break in the middle of a frame, clients whose end nobody
 * hears of, readers that do not read. Every misfortune is drawn from one seeded generator.
 */
import type { Application } from '../core/ports.ts';
import { MemoryExchange, type ClientRequest, type ReplyListener } from './memory-exchange.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface NetworkConditions {
  /** Shortest and longest one-way delay. */
  readonly latencyMs: readonly [number, number];
  /** Probability that a request never reaches the server. */
  readonly requestLoss: number;
  /** Probability that a reply breaks somewhere within its first `cutWithinChars` characters. */
  readonly cutRate: number;
  readonly cutWithinChars: number;
  /**
   * Probability that the server is told of a client that left only by its kernel, after
   * `halfOpenMs`.
   */
  readonly halfOpenRate: number;
  readonly halfOpenMs: number;
  /** Shortest and longest time until the server learns that a client left. */
  readonly goneAfterMs: readonly [number, number];
  /** Bytes the kernel takes for a reader that does not read. */
  readonly kernelBytes: number;
}

export const PERFECT_NETWORK: NetworkConditions = {
  latencyMs: [1, 1],
  requestLoss: 0,
  cutRate: 0,
  cutWithinChars: 0,
  halfOpenRate: 0,
  halfOpenMs: 90_000,
  goneAfterMs: [1, 1],
  kernelBytes: 65_536,
};

export class MemoryNetwork {
  conditions: NetworkConditions;
  /** What the server did that its port forbids; empty in a correct run. */
  readonly violations: string[] = [];
  /** The most bytes that ever waited in one stream, beyond the largest single write to it. */
  queuePeakBytes = 0;
  readonly #clock: VirtualClock;
  readonly #random: SeededRandom;
  readonly #open = new Set<MemoryExchange>();

  constructor(
    clock: VirtualClock,
    random: SeededRandom,
    conditions: NetworkConditions = PERFECT_NETWORK,
  ) {
    this.#clock = clock;
    this.#random = random;
    this.conditions = conditions;
  }

  /** Sends a request; the reply arrives at the listener. */
  send(
    application: Pick<Application, 'handle'>,
    request: ClientRequest,
    listener: ReplyListener,
  ): MemoryExchange {
    const random = this.#random;
    const { requestLoss, cutRate, cutWithinChars, latencyMs } = this.conditions;
    const fate = {
      latencyMs: () => random.int(...this.conditions.latencyMs),
      cutAfterChars: random.chance(cutRate) ? random.int(0, cutWithinChars) : undefined,
      goneAfterMs: () =>
        random.chance(this.conditions.halfOpenRate)
          ? this.conditions.halfOpenMs
          : random.int(...this.conditions.goneAfterMs),
      kernelBytes: this.conditions.kernelBytes,
    };
    const exchange = new MemoryExchange(request, this.#clock, fate, listener, {
      onViolation: (violation) => this.violations.push(`${this.#clock.now()} ms: ${violation}`),
      onQueued: (queued, largest) => {
        this.queuePeakBytes = Math.max(this.queuePeakBytes, queued - largest);
      },
    });
    const isLost = random.chance(requestLoss);
    this.#clock.after(random.int(...latencyMs), () => {
      if (exchange.isDone) return;
      if (isLost) {
        exchange.cut();
        return;
      }
      this.#open.add(exchange);
      application.handle(exchange);
    });
    return exchange;
  }

  /** Exchanges the server holds open now. */
  heldByServer(): readonly MemoryExchange[] {
    for (const exchange of this.#open) if (!exchange.isHeldByServer) this.#open.delete(exchange);
    return [...this.#open];
  }
}
