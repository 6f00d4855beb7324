/**
 * A server that behaves as MCP servers do, and as badly as they do: on virtual time, from one seed.
 * It judges as well: what an engine must never send it is recorded as a violation.
 */
import type { Upstream, UpstreamConnection, UpstreamEra, UpstreamEvents } from '../core/ports.ts';
import { ScriptedConnection } from './scripted-connection.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export interface ScriptedUpstreamOptions {
  /** `in-process` tells which call a message belongs to; `stdio`, the default, cannot. */
  readonly kind?: 'stdio' | 'in-process';
  /** Handshakes it answers; both by default. */
  readonly eras?: readonly UpstreamEra[];
  /** Shortest and longest time between two things it does, in milliseconds; 1 to 20 by default. */
  readonly latencyMs?: readonly [number, number];
  /** How long the step `pause` takes, in milliseconds; 100 to 2,000 by default. */
  readonly pauseMs?: readonly [number, number];
  /**
   * Probability that a connection cannot be started; the first two, which probe the eras, always
   * can.
   */
  readonly startFailureRate?: number;
  /** Probability that a send is not taken because too much waits. */
  readonly fullRate?: number;
  /** Probability that a cancelled call is answered all the same: the two crossed on the way. */
  readonly cancelRaceRate?: number;
}

export class ScriptedUpstream implements Upstream {
  readonly kind: 'stdio' | 'in-process';
  readonly name = 'scripted';
  readonly options: Required<ScriptedUpstreamOptions>;
  /** What the engine did that it must not; empty in a correct run. */
  readonly violations: string[] = [];
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  /** Connections ever opened, for tests of sharing and of restarts. */
  opened = 0;
  readonly #live = new Set<ScriptedConnection>();
  #marker = 0;

  constructor(clock: VirtualClock, random: SeededRandom, options: ScriptedUpstreamOptions = {}) {
    this.clock = clock;
    this.random = random;
    this.kind = options.kind ?? 'stdio';
    this.options = {
      kind: this.kind,
      eras: options.eras ?? ['legacy', 'modern'],
      latencyMs: options.latencyMs ?? [1, 20],
      pauseMs: options.pauseMs ?? [100, 2000],
      startFailureRate: options.startFailureRate ?? 0,
      fullRate: options.fullRate ?? 0,
      cancelRaceRate: options.cancelRaceRate ?? 0,
    };
  }

  connect(era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    this.opened += 1;
    const connection = new ScriptedConnection(this, this.opened, era, {
      ...forwarded(events),
      onClosed: (cause, detail) => {
        this.#live.delete(connection);
        events.onClosed(cause, detail);
      },
    });
    this.#live.add(connection);
    const isProbe = this.opened <= 2;
    if (this.random.chance(this.options.startFailureRate) && !isProbe) connection.failToStart();
    return connection;
  }

  /** Resolves at once: connections end on virtual time. */
  close(): Promise<void> {
    for (const connection of this.#live) connection.close();
    return Promise.resolve();
  }

  /** Connections that have not ended. */
  get live(): readonly ScriptedConnection[] {
    return [...this.#live];
  }

  /** A fresh number for one emission. */
  nextMarker(): number {
    this.#marker += 1;
    return this.#marker;
  }

  violate(what: string): void {
    this.violations.push(`${this.clock.now()} ms: upstream: ${what}`);
  }
}

function forwarded(events: UpstreamEvents): UpstreamEvents {
  return {
    onMessage: (message, relatedTo) => events.onMessage(message, relatedTo),
    onOversized: (id) => events.onOversized(id),
    onCloseStream: (id) => events.onCloseStream(id),
    onClosed: (cause, detail) => events.onClosed(cause, detail),
  };
}
