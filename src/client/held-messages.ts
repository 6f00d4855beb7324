/**
 * Messages that wait for a handshake, counted with everything else that waits to be sent. A request
 * that is cancelled meanwhile goes nowhere: its server would carry it out, and hear too late.
 */
import type { Message } from '../core/protocol/message.ts';
import type { SendMeter } from './client-context.ts';
import { requestIdOf } from './modern-conversation.ts';

export class HeldMessages {
  readonly #meter: SendMeter;
  #held: Message[] = [];

  constructor(meter: SendMeter) {
    this.#meter = meter;
  }

  push(message: Message): void {
    if (message.method === 'notifications/cancelled' && this.#drop(message)) return;
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

  /** @returns whether the request that it names was held. */
  #drop(cancellation: Message): boolean {
    const id = cancellation.token(cancellation.spans.requestId) ?? requestIdOf(cancellation);
    const index = this.#held.findIndex(
      (each) => each.kind === 'request' && each.id === id && each.method !== 'initialize',
    );
    const [dropped] = index < 0 ? [] : this.#held.splice(index, 1);
    if (dropped !== undefined) this.#meter.remove(dropped.payload?.length ?? 0);
    return dropped !== undefined;
  }
}
