/**
 * The one place that asks an identity. Whoever embeds us may have written it, in a language that
 * checks nothing: what it gets wrong lets nobody in, is answered, and ends no process.
 */
import type { Grant } from '../core/grant.ts';
import { principalKey } from '../core/principal.ts';
import type {
  Identity,
  IdentityOutcome,
  Principal,
  RequestHead,
  Telemetry,
} from '../core/ports.ts';
import { areTexts, refusalFault } from '../core/refusal-fault.ts';

/** Those that were found whole: most are told again and again. */
const whole = {
  principals: new WeakSet<Principal>(),
  grants: new WeakSet<Grant>(),
};

/** Calls `done` once, whatever the identity does, unless it never says anything. */
export function askIdentity(
  { identity, telemetry }: { readonly identity: Identity; readonly telemetry: Telemetry },
  head: RequestHead,
  done: (outcome: IdentityOutcome) => void,
): void {
  let isDone = false;
  const settle = (outcome: IdentityOutcome): void => {
    if (isDone) return;
    isDone = true;
    done(outcome);
  };
  const fail = (detail: string): void => {
    if (isDone) return;
    telemetry.log('error', 'identity_failed', { detail });
    settle({ kind: 'refused', refusal: { error: 'INTERNAL' }, why: 'failed' });
  };
  try {
    const returned: unknown = identity.verify(head, (outcome) => {
      const fault = faultOf(outcome);
      if (fault === undefined) settle(outcome);
      else fail(fault);
    });
    if (returned !== undefined) heed(returned, fail);
  } catch (error) {
    // What was thrown after the outcome is not the identity's.
    if (isDone) throw error;
    fail('verify() threw');
  }
}

/**
 * Whoever returns an outcome in place of giving it to `done` would leave the client waiting. What
 * else a short function returns, a timer for example, says nothing.
 */
function heed(returned: unknown, fail: (detail: string) => void): void {
  const tell = (value: unknown): void => {
    const kind = (value as { readonly kind?: unknown } | null | undefined)?.kind;
    if (kind !== 'principal' && kind !== 'refused') return;
    fail('verify() returned its outcome; give it to done()');
  };
  if (returned instanceof Promise) returned.then(tell, () => fail('verify() rejected'));
  else tell(returned);
}

function faultOf(outcome: IdentityOutcome | undefined): string | undefined {
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
