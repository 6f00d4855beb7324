/**
 * Several ways to come in at once: the first that knows the credential decides who it is. A request
 * that none knows is refused once, with the challenges of all.
 */
import type { Refusal } from '../../core/errors.ts';
import type { Identity, IdentityOutcome, OpenDoor, RequestHead } from '../../core/ports.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import type { AuthorizationFacts, ResourceDoor } from '../../core/resource-door.ts';
import type { TokenlessDoor } from '../../core/tokenless-door.ts';

export function firstMatch(
  identities: readonly Identity[],
): Identity & OpenDoor & RefusingDoor & ResourceDoor {
  return {
    isOpen: identities.some((each) => (each as Partial<OpenDoor>).isOpen === true),
    get authorization() {
      return authorizationOf(identities);
    },
    verify(head, done) {
      ask(identities, 0, head, { refusals: [], whys: [], forgives: [] }, done);
    },
    refusalOf: (head) =>
      together(
        identities.flatMap((each) => (each as Partial<RefusingDoor>).refusalOf?.(head) ?? []),
      ),
    at(publicUrl) {
      return firstMatch(
        identities.map((each) => (each as Partial<ResourceDoor>).at?.(publicUrl) ?? each),
      );
    },
  };
}

/** Where tokens for any of them come from. */
function authorizationOf(identities: readonly Identity[]): AuthorizationFacts | undefined {
  const found = identities.flatMap((each) => (each as Partial<ResourceDoor>).authorization ?? []);
  const [first] = found;
  if (first === undefined) return undefined;
  return {
    issuers: [...new Set(found.flatMap(({ issuers }) => issuers))],
    scopes: [...new Set(found.flatMap(({ scopes }) => scopes))],
    dpopAlgorithms: [...new Set(found.flatMap(({ dpopAlgorithms }) => dpopAlgorithms))],
    isDpopRequired: found.every(({ isDpopRequired }) => isDpopRequired),
  };
}

/** What those said who were asked so far. */
interface Asked {
  readonly refusals: readonly Refusal[];
  readonly whys: readonly string[];
  readonly forgives: readonly (() => void)[];
  /** The first that did not look at it. */
  readonly unseen?: IdentityOutcome | undefined;
}

/** What a credential is told that is somebody else's to judge. */
const FOREIGN: ReadonlySet<string> = new Set(['malformed', 'issuer', 'unknown']);

/** The word of whoever came furthest with it. */
function whyOf(whys: readonly string[]): string | undefined {
  return whys.findLast((why) => !FOREIGN.has(why)) ?? whys.at(-1);
}

function ask(
  identities: readonly Identity[],
  index: number,
  head: RequestHead,
  before: Asked,
  done: (outcome: IdentityOutcome) => void,
): void {
  const identity = identities[index];
  if (identity === undefined) {
    const { refusals, whys, unseen } = before;
    done(unseen ?? { kind: 'refused', refusal: together(refusals), why: whyOf(whys) });
    return;
  }
  identity.verify(head, (outcome) => {
    if (outcome.kind === 'refused' && !isDecided(outcome)) {
      ask(identities, index + 1, head, after(before, outcome), done);
      return;
    }
    // Nobody guessed: whoever was asked before simply did not know it.
    const isOfToken = (identity as Partial<TokenlessDoor>).readsTokens !== false;
    if (isOfToken && isKnown(outcome)) for (const forgive of before.forgives) forgive();
    done(outcome);
  });
}

type Refused = IdentityOutcome & { readonly kind: 'refused' };

/** Whoever is known and may not enter is not taken for somebody else further on. */
function isDecided({ refusal, isFinal, isUnseen }: Refused): boolean {
  return isFinal === true || (isUnseen !== true && refusal.error !== 'UNAUTHORIZED');
}

function after(before: Asked, outcome: Refused): Asked {
  const { refusal, why, forgive, isUnseen } = outcome;
  if (isUnseen === true) return { ...before, unseen: before.unseen ?? outcome };
  return {
    ...before,
    refusals: [...before.refusals, refusal],
    whys: why === undefined ? before.whys : [...before.whys, why],
    forgives: forgive === undefined ? before.forgives : [...before.forgives, forgive],
  };
}

/** Whether somebody was found who knows the credential, whatever comes of it. */
function isKnown(outcome: IdentityOutcome): boolean {
  if (outcome.kind === 'principal' || outcome.isFinal === true) return true;
  return outcome.refusal.error === 'FORBIDDEN';
}

/**
 * The challenges of all; one that only says less than another is left out.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-11.6.1
 */
function together(refusals: readonly Refusal[]): Refusal {
  const headers = refusals.flatMap((each) => each.headers ?? []);
  const found = headers.filter((_, i) => i % 2 === 1 && headers[i - 1] === 'WWW-Authenticate');
  const challenges = [...new Set(found)].filter(
    (each) => !found.some((other) => other.startsWith(`${each},`)),
  );
  const nonce = headers.findIndex((each, i) => i % 2 === 0 && each === 'DPoP-Nonce');
  const lines = challenges.flatMap((each) => ['WWW-Authenticate', each]);
  if (nonce !== -1) lines.push('DPoP-Nonce', headers[nonce + 1] ?? '');
  return { error: 'UNAUTHORIZED', headers: lines.length > 0 ? lines : undefined };
}
