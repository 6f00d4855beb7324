/**
 * The one place that asks an identity. Whoever embeds us may have written it, in a language that
 * checks nothing: what it gets wrong lets nobody in, is answered, and ends no process.
 */
import type { Refusal } from '../core/errors.ts';
import type { Grant } from '../core/grant.ts';
import { principalKey } from '../core/principal.ts';
import type { Identity, IdentityOutcome, Principal, RequestHead } from '../core/ports.ts';
import { areTexts, refusalFault } from '../core/refusal-fault.ts';
import type { RefusingDoor } from '../core/refusing-door.ts';
import type { AuthorizationFacts, ResourceDoor } from '../core/resource-door.ts';
import { type AskedPort, Asking } from './guarded/asking.ts';
import { Patience } from './guarded/patience.ts';
import { PortFailures, type PortSight } from './guarded/port-failures.ts';

/** Milliseconds it may take: many times what an authorization server is given to answer. */
const ANSWER_MS_MAX = 30_000;

export class AskedIdentity implements Identity, RefusingDoor {
  readonly #identity: Identity & Partial<ResourceDoor>;
  /** The same before the server that is served. */
  readonly #asked: Identity & Partial<RefusingDoor>;
  readonly #port: AskedPort<IdentityOutcome>;

  /** @param publicUrl - of the server: a token for another is none here. */
  constructor(identity: Identity, publicUrl: string | undefined, sight: PortSight) {
    this.#identity = identity;
    this.#asked = before(identity, publicUrl);
    this.#port = {
      failures: new PortFailures('identity', sight),
      patience: new Patience(sight.clock, ANSWER_MS_MAX),
      faultOf: outcomeFault,
      isAnswer: isOutcome,
      failed: { kind: 'refused', refusal: { error: 'INTERNAL' }, why: 'failed' },
      late: { kind: 'refused', refusal: { error: 'CREDENTIAL_UNVERIFIABLE' }, why: 'failed' },
    };
  }

  /** Calls `done` once. */
  verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
    const asking = new Asking(this.#port, 'verify', done);
    asking.ask((answered) => this.#asked.verify(head, answered));
  }

  /** Without headers where it says nothing of that. */
  refusalOf(head: RequestHead): Refusal {
    const refusal = this.#read('refusalOf', () => this.#asked.refusalOf?.(head), refusalFault);
    return refusal ?? { error: 'UNAUTHORIZED' };
  }

  get authorization(): AuthorizationFacts | undefined {
    return this.#read('authorization', () => this.#identity.authorization, authorizationFault);
  }

  /** What it says of itself, unless that is not what it must be. */
  #read<Said>(
    member: string,
    read: () => Said | undefined,
    faultOf: (said: Said) => string | undefined,
  ): Said | undefined {
    const { failures } = this.#port;
    try {
      const said = read();
      const fault = said === undefined ? undefined : faultOf(said);
      if (fault === undefined) return said;
      failures.tell(`${member} is ${fault}`);
    } catch (error) {
      failures.tell(`${member} threw`, error);
    }
    return undefined;
  }
}

function before(
  identity: Identity & Partial<ResourceDoor>,
  publicUrl: string | undefined,
): Identity {
  return (publicUrl === undefined ? undefined : identity.at?.(publicUrl)) ?? identity;
}

/** What else a short function returns, a timer for example, says nothing. */
function isOutcome(left: unknown): boolean {
  const kind = (left as { readonly kind?: unknown } | null | undefined)?.kind;
  return kind === 'principal' || kind === 'refused';
}

/** Those that were found whole: most are told again and again. */
const whole = {
  principals: new WeakSet<Principal>(),
  grants: new WeakSet<Grant>(),
};

/** What is wrong with what an identity says; undefined for nothing. */
export function outcomeFault(outcome: IdentityOutcome | undefined): string | undefined {
  // A refusal is an object of its own each time: remembering it would cost more than looking.
  if (outcome?.kind === 'refused') return refusalFault(outcome.refusal);
  if (outcome?.kind !== 'principal') return 'an outcome that is neither principal nor refusal';
  const { principal, grant } = outcome;
  if (typeof principal !== 'object' || principal === null) return 'no principal';
  const fault = once(whole.principals, principal, principalFault);
  return fault ?? (grant === undefined ? undefined : once(whole.grants, grant, grantFault));
}

/** Nothing here is what its type says before that was found out. */
function once<Told extends object>(
  known: WeakSet<Told>,
  told: Told,
  faultIn: (told: Told) => string | undefined,
): string | undefined {
  if (known.has(told)) return undefined;
  const fault = faultIn(told);
  if (fault === undefined) known.add(told);
  return fault;
}

/**
 * Sessions and streams are told apart by the key of their principal: one that does not follow from
 * the other parts, or none, would make one of several people.
 */
function principalFault({ tenant, issuer, subject, clientId, key }: Principal): string | undefined {
  const parts = { tenant, issuer, subject, clientId };
  if (Object.values(parts).some((part) => typeof part !== 'string')) {
    return 'a principal without tenant, issuer, subject or clientId; make it with principalOf()';
  }
  if (key !== principalKey(parts)) {
    return 'a principal whose key is not that of its parts; make it with principalOf()';
  }
  return undefined;
}

/** One whose end is no time would never end. */
function grantFault(grant: Grant): string | undefined {
  const { expiresAt, scopes, groups, claims, credentialId } = grant ?? {};
  const isWhole =
    typeof expiresAt === 'number' &&
    !Number.isNaN(expiresAt) &&
    areTexts(scopes) &&
    areTexts(groups) &&
    typeof claims === 'object' &&
    claims !== null &&
    (credentialId === undefined || typeof credentialId === 'string');
  return isWhole ? undefined : 'a grant without expiresAt, scopes, groups or claims';
}

function authorizationFault(facts: AuthorizationFacts): string | undefined {
  const { issuers, scopes, dpopAlgorithms } = facts ?? {};
  const isWhole = areTexts(issuers) && areTexts(scopes) && areTexts(dpopAlgorithms);
  return isWhole ? undefined : 'facts without issuers, scopes or dpopAlgorithms';
}
