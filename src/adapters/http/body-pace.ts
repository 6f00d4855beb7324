/**
 * Watches a body that does not come at once: one that trickles holds its request open for as long
 * as its sender likes, at next to no cost to him.
 */
import type { ConnectionLimits } from './connection-limits.ts';

export class BodyPace {
  readonly #timer: NodeJS.Timeout;
  #bytes = 0;

  /**
   * @param isAsked - whether its sender could know that it is wanted; before, it is not slow.
   * @param onSlow - called once, when less came since the last look than had to, or all of it takes
   * too long.
   * @param msMax - for all of it.
   */
  constructor(
    { bodyBytesPerSecondMin, checkMs }: ConnectionLimits,
    msMax: number,
    isAsked: () => boolean,
    onSlow: () => void,
  ) {
    const least = (bodyBytesPerSecondMin * checkMs) / 1000;
    let leftMs = msMax;
    let isDue = isAsked();
    this.#timer = setInterval(() => {
      // It has all the time from one look to the next to begin.
      if (!isDue) {
        isDue = isAsked();
        return;
      }
      leftMs -= checkMs;
      if (this.#bytes >= least && leftMs > 0) {
        this.#bytes = 0;
        return;
      }
      this.stop();
      onSlow();
    }, checkMs);
  }

  add(bytes: number): void {
    this.#bytes += bytes;
  }

  stop(): void {
    clearInterval(this.#timer);
  }
}
