/**
 * A server that behaves as MCP servers do, and as badly as they do: on virtual time, from one seed.
 * It judges as well: what an engine must never send it is recorded as a violation.
 */
import type { Upstream, UpstreamConnection, UpstreamEra, UpstreamEvents } from '../core/ports.ts';
import { ScriptedConnection } from './scripted-connection.ts';
import type { ScriptedStage, ScriptedUpstreamOptions } from './scripted-stage.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export class ScriptedUpstream implements Upstream, ScriptedStage {
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
  readonly #called = new Set<string>();
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

  called(secret: string): void {
    if (secret !== '' && this.#called.has(secret)) this.violate(`${secret} was called twice`);
    this.#called.add(secret);
  }

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
