/**
 * Which eras an endpoint serves: its upstream is asked until it answers. Requests wait for the
 * first outcome and are then refused for as long as nothing is known; what is known stays so.
 */
import type { Refusal } from '../core/errors.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import { Backoff } from './backoff.ts';
import type { EndpointContext } from './context.ts';
import { UpstreamProbe, servedEras, type ProbeOutcome } from './upstream-probe.ts';

/** Requests that may wait for an upstream's first sign of life. */
const WAITING_MAX = 1000;

export class EraDiscovery {
  readonly #context: DiscoveryContext;
  readonly #backoff: Backoff;
  #served: ServedEras | undefined;
  #failure: Refusal | undefined;
  #waiting: ((served: ServedEras | Refusal) => void)[] = [];
  #probing: UpstreamProbe | undefined;
  #probeAgain: () => void = () => {};
  #isProbeDue = false;

  constructor(context: DiscoveryContext) {
    this.#context = context;
    this.#backoff = new Backoff(context.random);
  }

  get served(): ServedEras | undefined {
    return this.#served;
  }

  /** What is served, or why that is not known; undefined while it is being asked. */
  get known(): ServedEras | Refusal | undefined {
    return this.#served ?? this.#failure;
  }

  /**
   * Asks until the upstream answers; meanwhile requests wait for the first outcome and are then
   * refused.
   */
  probe(): void {
    this.#isProbeDue = false;
    const { upstream, clock, telemetry, limits, access, name } = this.#context;
    const learn = access?.learn;
    this.#probing = new UpstreamProbe(
      upstream,
      clock,
      limits.upstreamStartMsMax,
      (outcome) => this.#probed(outcome),
      learn === undefined ? undefined : (tools) => learn(name, tools),
      (ms) => telemetry.log('warn', 'upstream_silent', { upstream: upstream.name, ms }),
    );
  }

  /** Asks at once where that waits for its time. */
  retry(): void {
    if (!this.#isProbeDue) return;
    this.#probeAgain();
    this.probe();
  }

  whenKnown(then: (served: ServedEras | Refusal) => void): void {
    if (this.#served !== undefined) then(this.#served);
    else if (this.#failure !== undefined) then(this.#failure);
    else if (this.#waiting.length < WAITING_MAX) this.#waiting.push(then);
    else then({ error: 'UPSTREAM_BUSY' });
  }

  /** Nobody asks any more: those who wait would wait for ever. */
  stop(): void {
    this.#probing?.stop();
    this.#probeAgain();
    if (this.#served !== undefined) return;
    this.#failure = { error: 'SHUTTING_DOWN' };
    this.#settle(this.#failure);
  }

  #probed(outcome: ProbeOutcome): void {
    const { upstream, clock, telemetry, pool, tellsFaults, isDraining } = this.#context;
    if (isDraining) return;
    if (outcome.legacy || outcome.modern) this.#learned(outcome);
    if (outcome.isComplete && this.#served !== undefined) return;
    const now = clock.now();
    const { budget } = pool;
    budget.died(now, false);
    const delayMs = Math.max(this.#backoff.failed(now), budget.pauseMs(now));
    const fields = { upstream: upstream.name, detail: outcome.failure, delayMs };
    if (this.#served === undefined) {
      telemetry.log('error', 'upstream_unreachable', fields);
      const detail = `upstream unavailable: ${outcome.failure}`;
      this.#failure = {
        error: 'UPSTREAM_UNAVAILABLE',
        detail: tellsFaults === true ? detail : undefined,
      };
      this.#settle(this.#failure);
    }
    this.#probeAgain = clock.after(delayMs, () => this.probe());
    this.#isProbeDue = true;
  }

  /**
   * What a handshake that could not be started left open is asked again; nothing known is
   * unlearned.
   */
  #learned(outcome: ProbeOutcome): void {
    const { telemetry, upstream, pool, eras } = this.#context;
    pool.budget.answered();
    const before = this.#served === undefined ? undefined : pool.spoken;
    const legacy = outcome.legacy || before?.legacy === true;
    const modern = outcome.modern || before?.modern === true;
    pool.spoken = { ...outcome, legacy, modern };
    this.#served = servedEras(pool.spoken, eras ?? 'all');
    telemetry.log('info', 'upstream_known', { upstream: upstream.name, legacy, modern });
    this.#settle(this.#served);
  }

  #settle(known: ServedEras | Refusal): void {
    const waiting = this.#waiting;
    this.#waiting = [];
    for (const then of waiting) then(known);
  }
}

type Known = 'upstream' | 'clock' | 'random' | 'telemetry' | 'limits' | 'access' | 'name';

interface DiscoveryContext extends Pick<
  EndpointContext,
  Known | 'tellsFaults' | 'eras' | 'isDraining'
> {
  readonly pool: Pick<EndpointContext['pool'], 'budget' | 'spoken'>;
}
