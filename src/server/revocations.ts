/**
 * Who was revoked since an endpoint began, for requests that were let in and wait: for their body,
 * for the server, for a place. They are in no list yet, so each looks for itself when its wait is
 * over; as long as nobody was revoked that is one comparison.
 */
import type { Grant } from '../core/grant.ts';
import type { Principal } from '../core/ports.ts';

/** Asked with a grant for a request or a connection, and without one for a session. */
export type IsRevoked = (principal: Principal, grant?: Grant) => boolean;

/** Whoever waited through more is refused unasked: it may come again, and is verified afresh. */
const KEPT_MAX = 64;

export class Revocations {
  /** How many there were. */
  count = 0;
  readonly #newest: IsRevoked[] = [];

  add(isRevoked: IsRevoked): void {
    this.count += 1;
    this.#newest.push(isRevoked);
    if (this.#newest.length > KEPT_MAX) this.#newest.shift();
  }

  /** Whether one of them hit this credential, since there were as many as `known`. */
  hit(known: number, principal: Principal, grant: Grant): boolean {
    const later = this.count - known;
    if (later === 0) return false;
    if (later > this.#newest.length) return true;
    return this.#newest.slice(-later).some((isRevoked) => isRevoked(principal, grant));
  }
}
