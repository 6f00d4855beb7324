/** Messages that wait for a handshake, counted with everything else that waits to be sent. */
import type { Message } from '../core/protocol/message.ts';
import type { SendMeter } from './client-context.ts';

export class HeldMessages {
  readonly #meter: SendMeter;
  #held: { readonly message: Message; readonly release: () => void }[] = [];

  constructor(meter: SendMeter) {
    this.#meter = meter;
  }

  push(message: Message): void {
    this.#held.push({ message, release: this.#meter.add(message.payload?.length ?? 0) });
  }

  /** All of them, in order; none is held any more. */
  takeAll(): readonly Message[] {
    const held = this.#held;
    this.#held = [];
    return held.map(({ message, release }) => {
      release();
      return message;
    });
  }
}
