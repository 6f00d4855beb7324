/**
 * What a run did and what it broke: a bounded trace to read a failing seed by, and the list of
 * broken promises.
 */
import { ownersIn } from './canary.ts';
import type { VirtualClock } from './virtual-clock.ts';

const TRACE_MAX = 400;

export class Ledger {
  /** Promises that were broken; empty in a correct run. */
  readonly violations: string[] = [];
  /** How often each thing happened: to see that a run tried what it claims to prove. */
  readonly counts: Map<string, number> = new Map();
  readonly #clock: VirtualClock;
  #trace: string[] = [];

  constructor(clock: VirtualClock) {
    this.#clock = clock;
  }

  note(who: string, what: string): void {
    this.#trace.push(`${String(this.#clock.now()).padStart(7)} ${who.padEnd(6)} ${what}`);
    if (this.#trace.length > 2 * TRACE_MAX) this.#trace = this.#trace.slice(-TRACE_MAX);
  }

  count(what: string): void {
    this.counts.set(what, (this.counts.get(what) ?? 0) + 1);
  }

  violate(who: string, what: string): void {
    this.violations.push(`${this.#clock.now()} ms: ${who}: ${what}`);
    this.note(who, `VIOLATION ${what}`);
  }

  /** Whatever a reader is given must be its own. */
  inspect(reader: string, text: string): void {
    for (const owner of ownersIn(text)) {
      if (owner !== reader) this.violate(reader, `was shown a text of ${owner}: ${around(text)}`);
    }
  }

  trace(): readonly string[] {
    return this.#trace.slice(-TRACE_MAX);
  }
}

function around(text: string): string {
  const at = text.indexOf('~c:');
  return JSON.stringify(text.slice(Math.max(0, at - 120), at + 80));
}
