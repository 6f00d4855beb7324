/**
 * The one place that asks an identity. Whoever embeds us may have written it, in a language that
 * checks nothing: what it gets wrong lets nobody in, is answered, and ends no process.
 */
import { ERRORS } from '../core/errors.ts';
import { principalKey } from '../core/principal.ts';
import type {
  Identity,
  IdentityOutcome,
  Principal,
  RequestHead,
  Telemetry,
} from '../core/ports.ts';

/** Principals that were found whole: one lives as long as its credential is known. */
const whole = new WeakSet<Principal>();

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

/** Whoever returns an outcome in place of giving it to `done` would leave the client waiting. */
function heed(returned: unknown, fail: (detail: string) => void): void {
  const tell = (value: unknown): void => {
    if (value !== undefined) fail('verify() returned its outcome; give it to done()');
  };
  if (returned instanceof Promise) returned.then(tell, () => fail('verify() rejected'));
  else tell(returned);
}

/**
 * Sessions and streams are told apart by the key of their principal: one that does not follow from
 * the other parts, or none, would make one of several people.
 */
function faultOf(outcome: IdentityOutcome | undefined): string | undefined {
  if (outcome?.kind === 'refused') {
    return Object.hasOwn(ERRORS, outcome.refusal?.error ?? '') ? undefined : 'an unknown refusal';
  }
  if (outcome?.kind !== 'principal') return 'an outcome that is neither principal nor refusal';
  const { principal } = outcome;
  if (typeof principal !== 'object' || principal === null) return 'no principal';
  if (whole.has(principal)) return undefined;
  const { tenant, issuer, subject, clientId, key } = principal;
  const parts = { tenant, issuer, subject, clientId };
  if (Object.values(parts).some((part) => typeof part !== 'string')) {
    return 'a principal without tenant, issuer, subject or clientId; make it with principalOf()';
  }
  if (key !== principalKey(parts)) {
    return 'a principal whose key is not that of its parts; make it with principalOf()';
  }
  whole.add(principal);
  return undefined;
}
