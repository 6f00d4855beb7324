/** Messages that wait for a handshake, counted with everything else that waits to be sent. */
import type { Message } from '../core/protocol/message.ts';
import type { SendMeter } from './client-context.ts';

export class HeldMessages {
  readonly #meter: SendMeter;
  #held: Message[] = [];

  constructor(meter: SendMeter) {
    this.#meter = meter;
  }

  push(message: Message): void {
    this.#meter.add(message.payload?.length ?? 0);
    this.#held.push(message);
  }

  /** All of them, in order; none is held any more. */
  takeAll(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    for (const { payload } of held) this.#meter.remove(payload?.length ?? 0);
    return held;
  }
}
