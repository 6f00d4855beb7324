/**
 * Lets one call in where it is made, once that is known: by the tools of that very conversation,
 * which are read first where they are not known. One that is turned away is answered as if it had
 * been refused when it came.
 */
import type { Refusal } from '../core/errors.ts';
import type { Message } from '../core/protocol/message.ts';
import type { CallEntry, CallPlace, EntryAnswer } from './call-entry.ts';
import type { Inbound } from './inbound.ts';
import type { Instance } from './instance.ts';
import { NO_TOOLS, READINGS_MAX } from './known-tools.ts';
import type { ModernCall } from './modern-call.ts';
import type { Warrant } from './warrant.ts';

export class GuardedEntry implements CallEntry {
  readonly #inbound: Inbound;
  readonly #message: Message;
  readonly #call: ModernCall;
  readonly #warrant: Warrant | undefined;
  /** Of tools, that were waited for. */
  #readings = 0;

  constructor(inbound: Inbound, message: Message, call: ModernCall) {
    this.#inbound = inbound;
    this.#message = message;
    this.#call = call;
    this.#warrant = call.warrantOf();
  }

  admit(place: CallPlace, then: EntryAnswer): void {
    this.judge(place.instance, (refusal) => {
      if (refusal !== undefined) then(refusal);
      else if (this.#inbound.context.passesOrigin) this.#admitted(then);
      else place.whenToolsKnown(() => this.#check(place, then));
    });
  }

  judge(instance: Instance, then: EntryAnswer): void {
    const { knownTools, access } = this.#inbound.context;
    const isWanted = knownTools !== undefined && access?.learn !== undefined;
    const known = isWanted ? knownTools.of(instance) : undefined;
    if (known === 'due' && this.#readings < READINGS_MAX) {
      this.#readings += 1;
      const again = (): void => {
        if (this.#call.isAwaited) this.judge(instance, then);
      };
      if (knownTools?.read(instance, again) === true) return;
    }
    const tools = known === 'due' ? NO_TOOLS : known;
    then(this.#inbound.trustFault ?? this.#warrant?.judge(tools));
  }

  turnAway(refusal: Refusal): void {
    this.#call.turnAway({ ...refusal, id: this.#message.id });
  }

  /** Only of what is allowed: to be told what is wrong with it is to be told that it exists. */
  #check(place: CallPlace, then: EntryAnswer): void {
    if (!this.#call.isAwaited) return;
    place.headers.refresh(place.instance);
    const fault = place.headers.check(this.#message, this.#inbound.exchange.head);
    if (fault === undefined) this.#admitted(then);
    else then(fault);
  }

  /** Its reply may be a stream from now on. */
  #admitted(then: EntryAnswer): void {
    this.#call.admitted();
    then(undefined);
  }
}
