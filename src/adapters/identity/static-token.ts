/**
 * One bearer token for everyone who may come in.
 *
 * Only the Authorization header is read: a token in a URL ends up in logs and histories, so it is
 * never looked for there. Equal cost for every wrong token: both sides are hashed, then compared in
 * constant time.
 * @see https://www.rfc-editor.org/rfc/rfc6750#section-2.1
 */
import { hash, timingSafeEqual } from 'node:crypto';
import type { Refusal } from '../../core/errors.ts';
import { BARE_GRANT, type Grant } from '../../core/grant.ts';
import type { GrantingDoor } from '../../core/granting-door.ts';
import { checkOption, checkOptions, type OptionKind, text } from '../../core/option-kinds.ts';
import type { Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import { bearerOf, tokenIn } from './bearer.ts';

export interface StaticTokenOptions {
  /**
   * The realm in `WWW-Authenticate`. Default `tidegate`. Printable ASCII without quotes and
   * backslashes.
   */
  readonly realm?: string;
}

/** Characters a token must have: 16 of base64url are 96 bits, beyond guessing over a network. */
export const TOKEN_CHARS_MIN = 16;
/**
 * Characters a token may have: it travels in a header, and servers and proxies cut those at 8 KiB
 * or so.
 */
export const TOKEN_CHARS_MAX = 4096;

/**
 * Lets in whoever sends `Authorization: Bearer <token>`.
 * @throws TypeError when the token is no text, or the realm not as it must be.
 * @throws RangeError when `tokenFault` finds one: a server that was meant to be closed must not
 * start open.
 */
export function staticToken(
  token: string,
  options: StaticTokenOptions = {},
): Identity & RefusingDoor & GrantingDoor {
  checkOption('The token', token, text);
  checkOptions(options, { realm: realmKind });
  const fault = tokenFault(token);
  if (fault !== undefined) throw new RangeError(`The token ${fault}.`);
  const expected = digest(token);
  const grant: Grant = { ...BARE_GRANT };
  const outcomes = outcomesFor(options.realm ?? 'tidegate', grant);
  return {
    given: new WeakSet([grant]),
    verify(head: RequestHead, done: (outcome: IdentityOutcome) => void): void {
      done(verdict(head, expected, outcomes));
    },
    refusalOf: (head) =>
      (bearerOf(head) === undefined ? outcomes.nothingSent : outcomes.wrongToken).refusal,
  };
}

/** One of other characters would be no header, and end each request that is refused. */
const realmKind: OptionKind = (name, value) =>
  typeof value === 'string' && /^[ !#-[\]-~]*$/.test(value)
    ? undefined
    : `${name} must be printable ASCII without quotes and backslashes.`;

/** What is wrong with a token, to follow "The token", or undefined. Never repeats the token. */
export function tokenFault(token: string): string | undefined {
  if (token.length === 0) return 'is empty';
  if (token.length < TOKEN_CHARS_MIN) {
    return `is shorter than ${TOKEN_CHARS_MIN} characters`;
  }
  if (token.length > TOKEN_CHARS_MAX) return `is longer than ${TOKEN_CHARS_MAX} characters`;
  if (!/^[\x21-\x7e]+$/.test(token)) return 'holds a character that a header cannot carry';
  return undefined;
}

type Refused = IdentityOutcome & { readonly kind: 'refused' };

interface Outcomes {
  readonly welcome: IdentityOutcome;
  readonly nothingSent: Refused;
  readonly wrongToken: Refused;
  /** It is ours, and nobody else is shown it. */
  readonly wrongScheme: Refused;
  readonly repeated: Refused;
}

/** Made once: nothing in them depends on the request. */
function outcomesFor(realm: string, grant: Grant): Outcomes {
  const challenge = `Bearer realm="${realm}"`;
  const refused = (refusal: Refusal, why?: string): Refused => ({ kind: 'refused', refusal, why });
  const wrong: Refusal = {
    error: 'UNAUTHORIZED',
    headers: ['WWW-Authenticate', `${challenge}, error="invalid_token"`],
  };
  return {
    welcome: {
      kind: 'principal',
      principal: principalOf({
        tenant: 'default',
        issuer: 'static-token',
        subject: 'token',
        clientId: '',
      }),
      grant,
    },
    // RFC 6750 section 3.1: no error code when the request held no credential.
    nothingSent: refused({ error: 'UNAUTHORIZED', headers: ['WWW-Authenticate', challenge] }),
    wrongToken: refused(wrong, 'unknown'),
    wrongScheme: { ...refused(wrong, 'proof'), isFinal: true },
    repeated: refused({ error: 'HEADER_REPEATED' }),
  };
}

function verdict(head: RequestHead, expected: Uint8Array, outcomes: Outcomes): IdentityOutcome {
  const value = head.header('authorization');
  if (value === undefined) return outcomes.nothingSent;
  // Two credentials in one request: a proxy may have checked the other one.
  if (head.headerCount('authorization') > 1) return outcomes.repeated;
  const given = tokenIn(value);
  if (given === undefined) return outcomes.nothingSent;
  const isOurs = timingSafeEqual(digest(given.token), expected);
  if (given.scheme === 'dpop') return isOurs ? outcomes.wrongScheme : outcomes.nothingSent;
  return isOurs ? outcomes.welcome : outcomes.wrongToken;
}

function digest(text: string): Uint8Array {
  return hash('sha256', text, 'buffer');
}
