/**
 * Identity by access tokens that somebody else issues. A token is verified, then weighed: whether
 * it is for this server, whether whoever sends it holds the key it is bound to, whom it names, and
 * whether it covers what every request needs.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#access-token-usage
 */
import type { Refusal } from '../../core/errors.ts';
import type { Grant } from '../../core/grant.ts';
import type { GrantingDoor } from '../../core/granting-door.ts';
import type { Clock, Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import type { AuthorizationFacts, ResourceDoor } from '../../core/resource-door.ts';
import { challenges } from '../../core/security/challenge.ts';
import {
  audiencesOf,
  canonicalAudience,
  isEventEntrance,
  metadataUrl,
} from '../../core/security/protected-resource.ts';
import { type ClaimMapping, type MappedClaims, mapClaims, mapTenant } from './claim-mapping.ts';
import type { DpopProofs, ProofOutcome } from './dpop-proofs.ts';
import { PresentedTokens, type ReadToken, type TokenForm } from './presented-tokens.ts';
import type { TokenFacts, TokenOutcome } from './token-facts.ts';
import { credentialIdOf } from './token-credential.ts';
import type { VerifiedTokens } from './verified-tokens.ts';

export interface TokenIdentityParts {
  readonly tokens: VerifiedTokens;
  readonly form: TokenForm;
  readonly mapping: ClaimMapping;
  /** Audiences that count besides the server's own URL. */
  readonly audiences: readonly string[];
  readonly authorization: AuthorizationFacts;
  /** Undefined: tokens that are bound to a key are refused. */
  readonly proofs: DpopProofs | undefined;
  readonly clock: Clock;
  /** Wall-clock milliseconds. */
  readonly now: () => number;
  /** Ends what goes on by itself. */
  readonly close?: (() => void) | undefined;
}

/** Milliseconds by which two clocks may part before an end is reckoned anew. */
const DRIFT_MS = 1000;

const UNVERIFIABLE: IdentityOutcome = {
  kind: 'refused',
  why: 'unverifiable',
  refusal: { error: 'CREDENTIAL_UNVERIFIABLE' },
};
const UNPLACED: IdentityOutcome = {
  kind: 'refused',
  refusal: { error: 'FORBIDDEN' },
  why: 'subject-or-tenant',
};
const THROTTLED: IdentityOutcome = {
  kind: 'refused',
  isUnseen: true,
  why: 'too-many-failures',
  refusal: { error: 'RATE_LIMITED', headers: ['Retry-After', '1'] },
};

export class TokenIdentity implements Identity, RefusingDoor, ResourceDoor, GrantingDoor {
  readonly authorization: AuthorizationFacts;
  readonly given: WeakSet<Grant> = new WeakSet();
  readonly #parts: TokenIdentityParts;
  readonly #presented: PresentedTokens;
  readonly #mapped = new WeakMap<TokenFacts, MappedClaims>();

  constructor(parts: TokenIdentityParts) {
    this.#parts = parts;
    this.#presented = new PresentedTokens(parts.form);
    this.authorization = parts.authorization;
  }

  /** Before no server in particular: only audiences that were named count. */
  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    this.#verify(new Place(this.#parts, undefined), head, done);
  }

  at(publicUrl: string): Identity & RefusingDoor {
    const place = new Place(this.#parts, publicUrl);
    return {
      verify: (head, done) => this.#verify(place, head, done),
      refusalOf: (head) => this.#refusalOf(place, head),
    };
  }

  close(): void {
    this.#parts.close?.();
  }

  refusalOf(head: RequestHead): Refusal {
    return this.#refusalOf(new Place(this.#parts, undefined), head);
  }

  #refusalOf(place: Place, head: RequestHead): Refusal {
    const isNothing = this.#presented.of(head) === undefined;
    return place.refused(head, isNothing ? undefined : 'invalid_token').refusal;
  }

  #verify(place: Place, head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    const read = this.#presented.of(head);
    if (read === undefined) {
      done(place.refused(head, undefined));
      return;
    }
    if (read === 'unfit') {
      done(place.refused(head, 'invalid_token', 'malformed'));
      return;
    }
    const { tokens } = this.#parts;
    const kept = tokens.kept(read.digest);
    const outcome = kept === undefined ? undefined : this.#weigh(place, head, read, kept);
    if (outcome !== undefined) {
      done(outcome);
      return;
    }
    const verified: TokenOutcome | Promise<TokenOutcome> =
      kept === undefined
        ? tokens.verify(read.token, read.digest, head.remoteAddress, () => read.belonging)
        : { kind: 'facts', facts: kept };
    const judge = (found: TokenOutcome): void => this.#judge(place, head, read, found, done);
    if (verified instanceof Promise) void verified.then(judge);
    else judge(verified);
  }

  #judge(
    place: Place,
    head: RequestHead,
    read: ReadToken,
    verified: TokenOutcome,
    done: (outcome: IdentityOutcome) => void,
  ): void {
    if (verified.kind === 'unavailable') done(UNVERIFIABLE);
    else if (verified.kind === 'throttled') done(THROTTLED);
    else if (verified.kind === 'invalid') {
      const refused = place.refused(head, 'invalid_token', verified.why);
      const forgive = this.#parts.tokens.forgiving(verified, read.digest);
      done(forgive === undefined ? refused : { ...refused, forgive });
    } else {
      const { facts } = verified;
      const outcome = this.#weigh(place, head, read, facts);
      if (outcome !== undefined) done(outcome);
      else void this.#proved(place, head, read, facts, done);
    }
  }

  /** Undefined when a proof of possession has to be looked at, which takes a moment. */
  #weigh(
    place: Place,
    head: RequestHead,
    read: ReadToken,
    facts: TokenFacts,
  ): IdentityOutcome | undefined {
    const { jkt, x5t } = facts.binding;
    const isHolder = x5t === undefined || x5t === head.clientCertificate;
    const isProofNeeded = jkt !== undefined || this.authorization.isDpopRequired;
    const isProofShown = read.scheme === 'dpop';
    if (!place.isFor(facts)) return place.refused(head, 'invalid_token', 'audience');
    if (!isHolder) return place.refused(head, 'invalid_token', 'certificate');
    if (isProofNeeded !== isProofShown) return place.refused(head, 'invalid_token', 'proof');
    return isProofShown ? undefined : this.#outcome(place, head, read, facts);
  }

  async #proved(
    place: Place,
    head: RequestHead,
    read: ReadToken,
    facts: TokenFacts,
    done: (outcome: IdentityOutcome) => void,
  ): Promise<void> {
    const proof = await this.#prove(place, head, read.token, facts);
    // Where no proof is read none is at fault: the token is, and another may be asked for.
    const error = this.#parts.proofs === undefined ? 'invalid_token' : 'invalid_dpop_proof';
    if (proof === 'proved') done(this.#outcome(place, head, read, facts));
    else if (proof === 'unavailable') done(UNVERIFIABLE);
    else if (proof === 'nonce-needed') done(place.refused(head, 'use_dpop_nonce', 'nonce'));
    else done(place.refused(head, error, 'proof'));
  }

  async #prove(
    place: Place,
    head: RequestHead,
    token: string,
    { binding: { jkt }, claims }: TokenFacts,
  ): Promise<ProofOutcome> {
    const url = place.urlOf(head);
    const { proofs } = this.#parts;
    if (proofs === undefined || jkt === undefined || url === undefined) return 'invalid';
    const tenant = mapTenant(claims, this.#mapping) ?? '';
    return proofs.check(head, url, { token, jkt, tenant });
  }

  /**
   * The same object for the same token, as long as its end is the same: what others remember of a
   * grant is found again.
   */
  #outcome(
    place: Place,
    head: RequestHead,
    { digest }: ReadToken,
    facts: TokenFacts,
  ): IdentityOutcome {
    const { clock, now } = this.#parts;
    const expiresAt = clock.now() + Math.max(0, facts.expiresAt - now());
    const known = place.welcomes.get(facts);
    if (known !== undefined && Math.abs((known.grant?.expiresAt ?? 0) - expiresAt) < DRIFT_MS) {
      return known;
    }
    const mapped = this.#mapped.get(facts) ?? mapClaims(facts.claims, facts.issuer, this.#mapping);
    // Somebody whom the issuer knows and we cannot place: another token would say the same.
    if (mapped === undefined) return UNPLACED;
    this.#mapped.set(facts, mapped);
    const { scopes: needed } = this.authorization;
    if (!needed.every((scope) => mapped.scopes.includes(scope))) {
      return { kind: 'refused', refusal: place.insufficient(head, needed), why: 'scopes' };
    }
    const { principal, scopes, groups, claims } = mapped;
    const credentialId = credentialIdOf(facts, digest);
    const grant = { expiresAt, scopes, groups, claims, credentialId };
    this.given.add(grant);
    const welcome = { kind: 'principal', principal, grant } as const;
    place.welcomes.set(facts, welcome);
    return welcome;
  }

  get #mapping(): ClaimMapping {
    return this.#parts.mapping;
  }
}

type Refused = IdentityOutcome & { readonly kind: 'refused' };

/** One server, as far as tokens are for it, and what is said to whoever has none. */
class Place {
  readonly welcomes = new WeakMap<TokenFacts, IdentityOutcome & { readonly kind: 'principal' }>();
  readonly #refusals = new Map<string, Refused>();
  readonly #publicUrl: string | undefined;
  readonly #audiences: ReadonlySet<unknown>;
  readonly #authorization: AuthorizationFacts;
  readonly #proofs: DpopProofs | undefined;

  constructor(parts: TokenIdentityParts, publicUrl: string | undefined) {
    this.#publicUrl = publicUrl;
    const own = publicUrl === undefined ? [] : audiencesOf(publicUrl);
    const named = [...own, ...parts.audiences];
    this.#audiences = new Set([...named, ...named.map(canonicalAudience)]);
    this.#authorization = parts.authorization;
    this.#proofs = parts.proofs;
  }

  isFor({ claims: { aud } }: TokenFacts): boolean {
    const named: readonly unknown[] = Array.isArray(aud) ? aud : [aud];
    return named.some(
      (each) =>
        this.#audiences.has(each) ||
        (typeof each === 'string' && this.#audiences.has(canonicalAudience(each))),
    );
  }

  /** The URL of a request, as clients know it; from the config alone. */
  urlOf({ path }: RequestHead): string | undefined {
    const entrance = /\/[a-z]+$/.exec(path.replace(/\/$/, ''))?.[0] ?? '';
    return this.#publicUrl === undefined ? undefined : this.#publicUrl + entrance;
  }

  /** Made once for each thing that can be said of each entrance, save for what holds a nonce. */
  refused(head: RequestHead, error: string | undefined, why?: string): Refused {
    if (error === 'use_dpop_nonce') return this.#refusal(this.#metadataUrl(head), error, why);
    const key = `${isEventEntrance(head.path)} ${error} ${why}`;
    const known = this.#refusals.get(key) ?? this.#refusal(this.#metadataUrl(head), error, why);
    this.#refusals.set(key, known);
    return known;
  }

  #refusal(url: string | undefined, error: string | undefined, why?: string): Refused {
    const { scopes, isDpopRequired, dpopAlgorithms } = this.#authorization;
    const facts = { error, scopes, metadataUrl: url };
    const isOfProof = error === 'invalid_dpop_proof' || error === 'use_dpop_nonce';
    const schemes = { dpopAlgorithms, isDpopRequired: isDpopRequired || isOfProof };
    const headers = [...challenges(facts, schemes)];
    if (error === 'use_dpop_nonce') headers.push('DPoP-Nonce', this.#proofs?.nonce() ?? '');
    // The token counts, and is shown to nobody else because of its proof.
    const refusal = { error: 'UNAUTHORIZED', headers } as const;
    return { kind: 'refused', refusal, isFinal: isOfProof, why };
  }

  insufficient(head: RequestHead, scopes: readonly string[]): Refusal {
    const facts = { error: 'insufficient_scope', scopes, metadataUrl: this.#metadataUrl(head) };
    return { error: 'FORBIDDEN', headers: challenges(facts, this.#authorization) };
  }

  #metadataUrl({ path }: RequestHead): string | undefined {
    return this.#publicUrl === undefined ? undefined : metadataUrl(this.#publicUrl, path);
  }
}
