/**
 * Deadlines that all lie the same delay ahead: a queue in order of time, so that arming is an
 * append and the next one due is the head. Every recurring duty (heartbeats, replies to decide,
 * idle sessions) is one of these, driven by one timer, instead of a timer a connection.
 */
export class Deadlines<Item> {
  readonly delayMs: number;
  #items: (Item | undefined)[] = [];
  #times: number[] = [];
  #head = 0;

  constructor(delayMs: number) {
    this.delayMs = delayMs;
  }

  arm(item: Item, now: number): void {
    this.#items.push(item);
    this.#times.push(now + this.delayMs);
  }

  get nextAt(): number | undefined {
    return this.#times[this.#head];
  }

  get size(): number {
    return this.#items.length - this.#head;
  }

  /**
   * Takes every item that is due. What `fire` returns re-arms it: a time later than now means the
   * item was active since and is due that much later; undefined lets it go.
   */
  due(now: number, fire: (item: Item, now: number) => number | undefined): void {
    const end = this.#items.length;
    while (this.#head < end && (this.#times[this.#head] ?? Infinity) <= now) {
      const item = this.#items[this.#head] as Item;
      this.#items[this.#head] = undefined;
      this.#head += 1;
      const activeAt = fire(item, now);
      if (activeAt !== undefined) this.#rearm(item, Math.min(activeAt, now));
    }
    this.#compact();
  }

  /** Re-armed items may be due earlier than the newest: they are placed by time, from the end. */
  #rearm(item: Item, activeAt: number): void {
    const at = activeAt + this.delayMs;
    let index = this.#times.length;
    while (index > this.#head && (this.#times[index - 1] ?? 0) > at) index -= 1;
    if (index === this.#times.length) {
      this.#items.push(item);
      this.#times.push(at);
      return;
    }
    this.#items.splice(index, 0, item);
    this.#times.splice(index, 0, at);
  }

  #compact(): void {
    if (this.#head < 1024 && this.#head < this.#items.length) return;
    this.#items = this.#items.slice(this.#head);
    this.#times = this.#times.slice(this.#head);
    this.#head = 0;
  }
}
