/**
 * Who may come in, as the config says at this moment and nobody said otherwise since: a reload and
 * a denial count from the next request.
 */
import { isDeepStrictEqual } from 'node:util';
import type { Denials } from '../adapters/identity/denials.ts';
import type { Refusal } from '../core/errors.ts';
import type { Identity, IdentityOutcome, OpenDoor, RequestHead } from '../core/ports.ts';
import type { RefusingDoor } from '../core/refusing-door.ts';
import type { AuthorizationFacts, ResourceDoor } from '../core/resource-door.ts';
import { challenge } from '../core/security/challenge.ts';
import { outcomeFault } from '../server/asked-identity.ts';
import type { AuthConfig, ListenConfig } from './gateway-config.ts';
import { BuiltWays } from './built-ways.ts';
import type { IdentityPorts } from './identity-of.ts';

export class CurrentIdentity implements Identity, OpenDoor, ResourceDoor {
  readonly #denials: Denials;
  readonly #ports: IdentityPorts;
  #auth: AuthConfig | undefined;
  #built: BuiltWays;
  /** By the public URL of a server, for the identity of now. */
  readonly #places = new Map<string, Identity>();

  /**
   * @param identity - whatever the config says; undefined: as it says.
   * @throws Error as `identityOf` does.
   */
  constructor(
    { auth, listen }: { readonly auth: AuthConfig; readonly listen: ListenConfig },
    identity: Identity | undefined,
    denials: Denials,
    ports: IdentityPorts,
  ) {
    this.#denials = denials;
    this.#ports = ports;
    this.#auth = identity === undefined ? auth : undefined;
    this.#built =
      identity === undefined ? BuiltWays.of(auth, listen, ports) : BuiltWays.given(identity, ports);
  }

  get isOpen(): boolean {
    return (this.#built.identity as Partial<OpenDoor>).isOpen === true;
  }

  get authorization(): AuthorizationFacts | undefined {
    return (this.#built.identity as Partial<ResourceDoor>).authorization;
  }

  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    const { identity } = this.#built;
    // What a program's own leaves, a promise that may reject, is its endpoint's to look at.
    return identity.verify(head, (outcome) => done(this.#judged(outcome, identity, head)));
  }

  at(publicUrl: string): Identity {
    return {
      verify: (head, done) => {
        const identity = this.#before(publicUrl);
        return identity.verify(head, (outcome) => done(this.#judged(outcome, identity, head)));
      },
    };
  }

  /**
   * Does what another config says, unless an identity was given. A way in of which it says the same
   * keeps what it knows: which tokens were verified, and which proofs were used.
   * @returns whether it says another thing than before.
   * @throws Error as `identityOf` does; then nothing has changed.
   */
  replace(auth: AuthConfig, listen: ListenConfig): boolean {
    if (this.#auth === undefined || isDeepStrictEqual(this.#auth, auth)) return false;
    const before = this.#built;
    this.#built = BuiltWays.of(auth, listen, this.#ports, before);
    this.#auth = auth;
    this.#places.clear();
    before.followedBy(this.#built);
    return true;
  }

  close(): void {
    this.#built.close();
  }

  #before(publicUrl: string): Identity {
    const { identity } = this.#built;
    const known = this.#places.get(publicUrl);
    if (known !== undefined) return known;
    const place = (identity as Partial<ResourceDoor>).at?.(publicUrl) ?? identity;
    this.#places.set(publicUrl, place);
    return place;
  }

  /** Who is denied is told what anybody is whose credential is not valid. */
  #judged(
    outcome: IdentityOutcome,
    identity: Identity & Partial<RefusingDoor>,
    head: RequestHead,
  ): IdentityOutcome {
    // A program's own may say anything: its endpoint refuses what is no outcome.
    if (outcomeFault(outcome) !== undefined || outcome.kind !== 'principal') return outcome;
    if (!this.#denials.isDenied(outcome.principal, outcome.grant)) return outcome;
    const refusal = identity.refusalOf?.(head) ?? NOT_VALID;
    return { kind: 'refused', refusal, why: 'denied' };
  }
}

/** Of an identity of the program's own, that does not say how it refuses. */
const NOT_VALID: Refusal = {
  error: 'UNAUTHORIZED',
  headers: ['WWW-Authenticate', challenge('Bearer', { error: 'invalid_token' })],
};
