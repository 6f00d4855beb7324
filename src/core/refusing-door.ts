import type { Refusal } from './errors.ts';
import type { RequestHead } from './ports.ts';

/** An identity that tells, without looking further, how it refuses what is not valid. */
export interface RefusingDoor {
  /** What whoever sends this is told when the credential in it, if there is one, does not count. */
  refusalOf(head: RequestHead): Refusal;
}
