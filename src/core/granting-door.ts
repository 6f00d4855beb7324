import type { Grant } from './grant.ts';

/** An identity that knows its grants again, so that what they opened can be ended with it. */
export interface GrantingDoor {
  /** The grants it gave. It holds nothing else, so that it may be asked long after. */
  readonly given: Pick<WeakSet<Grant>, 'has'>;
}
