/** How a call is let in where it is made, for bridges that choose that late. */
import type { Refusal } from '../core/errors.ts';
import type { Instance } from './instance.ts';
import type { ToolHeaders } from './tool-headers.ts';

/** Where a call is about to be made. */
export interface CallPlace {
  readonly instance: Instance;
  readonly headers: ToolHeaders;
  /** Runs `then` once the tools' header annotations are known, or cannot be. */
  whenToolsKnown(then: () => void): void;
}

/** Told why it may not be made there; undefined: it may. */
export type EntryAnswer = (fault: Refusal | undefined) => void;

export interface CallEntry {
  /** Whether it may be made there: at once where everything is known. Silent once nobody waits. */
  admit(place: CallPlace, then: EntryAnswer): void;
  /** The same by policies alone, as far as it was not judged by what is known there now. */
  judge(instance: Instance, then: EntryAnswer): void;
  /** It is not sent, and nothing is left of it: answers its client. */
  turnAway(refusal: Refusal): void;
}
