/**
 * The challenges that a door adds to a refusal. A 401 has one where its refusal names none: the
 * credential was revoked while its request waited, or an identity of a program says no more than
 * that somebody may not come in. Whoever lacks scopes is told which.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-15.5.2
 */
import type { Identity, RequestHead } from '../core/ports.ts';
import type { RefusingDoor } from '../core/refusing-door.ts';
import type { AuthorizationFacts } from '../core/resource-door.ts';
import { challenges, type ChallengeSchemes } from '../core/security/challenge.ts';
import { metadataUrl } from '../core/security/protected-resource.ts';
import type { MetadataSource } from './routes/resource-metadata.ts';

export interface ChallengeSource extends MetadataSource {
  readonly identity: Identity;
  readonly publicUrl?: string | undefined;
  /** Undefined while nobody else's credentials are taken. */
  readonly authorization?: (() => AuthorizationFacts | undefined) | undefined;
}

export function hasChallenge(headers: readonly string[] | undefined): boolean {
  const isName = (each: string, i: number): boolean =>
    i % 2 === 0 && each.toLowerCase() === 'www-authenticate';
  return headers?.some(isName) === true;
}

/** What the identity says of itself, or else what is known of where its tokens come from. */
export function doorChallenges(source: ChallengeSource, head: RequestHead): readonly string[] {
  const own = (source.identity as Partial<RefusingDoor>).refusalOf?.(head).headers;
  if (own !== undefined && hasChallenge(own)) return own;
  const facts = source.authorization?.();
  // RFC 6750 section 3.1: whoever brought nothing is told of no error.
  const isBrought = head.header('authorization') !== undefined;
  return told(source, head, isBrought ? 'invalid_token' : undefined, facts?.scopes);
}

/** What somebody who was let in needs to ask for more. */
export function stepUpChallenges(
  source: ChallengeSource,
  head: RequestHead,
  scopes: readonly string[],
): readonly string[] {
  return told(source, head, 'insufficient_scope', scopes);
}

/** Of credentials that nobody else issues. */
const BEARER_ONLY: ChallengeSchemes = { dpopAlgorithms: [], isDpopRequired: false };

function told(
  source: ChallengeSource,
  head: RequestHead,
  error: string | undefined,
  scopes: readonly string[] | undefined,
): readonly string[] {
  const facts = { error, scopes, metadataUrl: describedAt(source, head.path) };
  return challenges(facts, source.authorization?.() ?? BEARER_ONLY);
}

function describedAt({ publicUrl, metadataAt }: ChallengeSource, path: string): string | undefined {
  const url = publicUrl === undefined ? undefined : metadataUrl(publicUrl, path);
  const isTold = url !== undefined && metadataAt?.(new URL(url).pathname) !== undefined;
  return isTold ? url : undefined;
}
