/**
 * What a server was to be told while its queue had no room, in its order: without it the server
 * goes on with a call nobody waits for, or waits for an answer that was given.
 */
import type { Limits } from '../core/limits.ts';
import type { SendOutcome } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';

export class OwedMessages {
  readonly #limits: Pick<Limits, 'pendingPerUpstreamMax' | 'upstreamQueueBytesMax'>;
  #owed: Message[] = [];
  #chars = 0;

  constructor(limits: Pick<Limits, 'pendingPerUpstreamMax' | 'upstreamQueueBytesMax'>) {
    this.#limits = limits;
  }

  get size(): number {
    return this.#owed.length;
  }

  /** @returns false when as much is owed as may be: then it is lost. */
  add(message: Message): boolean {
    const { pendingPerUpstreamMax, upstreamQueueBytesMax } = this.#limits;
    const chars = charsOf(message);
    const isMany = this.#owed.length >= pendingPerUpstreamMax;
    if (isMany || this.#chars + chars > upstreamQueueBytesMax) return false;
    this.#owed.push(message);
    this.#chars += chars;
    return true;
  }

  /** Sends what there is room for by now; what it cannot be sent any more is dropped. */
  pay(send: (message: Message) => SendOutcome): void {
    if (this.#owed.length === 0) return;
    const owed = this.#owed;
    this.clear();
    // A server in this process may speak before `send` returns: nothing is sent twice.
    const firstLeft = owed.findIndex((message) => send(message) === 'full');
    if (firstLeft < 0) return;
    const since = this.#owed;
    this.clear();
    for (const message of [...owed.slice(firstLeft), ...since]) this.add(message);
  }

  clear(): void {
    this.#owed = [];
    this.#chars = 0;
  }
}

/** About what it takes to keep it. */
function charsOf({ payload }: Message): number {
  return 100 + (payload?.length ?? 0);
}
