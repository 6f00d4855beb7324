/**
 * How what a program plugged in fails, for whoever runs it. A failure may come with every request,
 * and whoever sends those may be a stranger: each way to fail is told at most once a minute.
 */
import type { Clock, Telemetry } from '../../core/ports.ts';

export interface PortSight {
  readonly telemetry: Pick<Telemetry, 'log' | 'count'>;
  readonly clock: Clock;
}

const QUIET_MS = 60_000;

export class PortFailures {
  readonly #port: string;
  readonly #sight: PortSight;
  /** By what was told; there are few words for it. */
  readonly #toldAt = new Map<string, number>();

  /** @param port - as the option is called. */
  constructor(port: string, sight: PortSight) {
    this.#port = port;
    this.#sight = sight;
  }

  /**
   * @param error - what was thrown, of which the kind alone is told: its message is the program's
   * own.
   */
  tell(detail: string, error?: unknown): void {
    const { telemetry, clock } = this.#sight;
    telemetry.count('port_failures_total', { port: this.#port });
    const now = clock.now();
    if (now < (this.#toldAt.get(detail) ?? -Infinity) + QUIET_MS) return;
    this.#toldAt.set(detail, now);
    const kind = error instanceof Error ? error.name : undefined;
    telemetry.log('error', `${this.#port}_failed`, { detail, kind });
  }
}
