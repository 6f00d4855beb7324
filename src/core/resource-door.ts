/** Where credentials come from when somebody else issues them, each for one server. */
import type { Identity } from './ports.ts';

/** What clients are told of where credentials come from; it holds no secret. */
export interface AuthorizationFacts {
  /** Issuers whose tokens are taken, as their metadata names them; at least one. */
  readonly issuers: readonly string[];
  /** What every request needs; clients ask for them at first. */
  readonly scopes: readonly string[];
  /** Algorithms of proofs of possession that are taken; empty when none is read. */
  readonly dpopAlgorithms: readonly string[];
  /** Whether a token that is bound to no key is refused. */
  readonly isDpopRequired: boolean;
}

/** An identity whose credentials somebody else issues, each for the one server it names. */
export interface ResourceDoor {
  /** Undefined while nobody else's credentials are taken. */
  readonly authorization: AuthorizationFacts | undefined;
  /**
   * The same identity before one server.
   * @param publicUrl - what clients reach the server by, without a slash at the end and without the
   * path of a transport.
   */
  at(publicUrl: string): Identity;
}
