/** What every conversation with one server over HTTP has in common. */
import type { Clock, Randomness, Telemetry } from '../core/ports.ts';
import type { Outbound } from '../core/outbound.ts';

export interface ClientContext {
  /** For logs and metrics; holds no secret. */
  readonly name: string;
  /** The absolute URL of the server. */
  readonly url: string;
  /** Sent with every request, flat: name, value. Credentials of ours, never a client's. */
  readonly headers: readonly string[];
  readonly http: Outbound;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  /** Bytes of one JSON reply, and characters of one event. */
  readonly messageBytesMax: number;
  readonly meter: SendMeter;
  /** What was found out about the server, by every conversation with it. */
  readonly origin: OriginMemory;
}

/** What an origin turned out to speak, so that it is asked only once. */
export interface OriginMemory {
  /** Which transport its `initialize` handshake runs over; undefined until it is known. */
  handshake: '2025' | '2024' | undefined;
}

/** Characters that wait to be sent to one server, by all conversations with it. */
export class SendMeter {
  readonly #charsMax: number;
  #waiting = 0;

  constructor(charsMax: number) {
    this.#charsMax = charsMax;
  }

  get isFull(): boolean {
    return this.#waiting >= this.#charsMax;
  }

  add(chars: number): void {
    this.#waiting += chars;
  }

  /** Takes off what was added, once. */
  remove(chars: number): void {
    this.#waiting -= chars;
  }
}
