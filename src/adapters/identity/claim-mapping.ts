/**
 * From what a token says to whom we take its bearer for, as the operator mapped it. A claim inside
 * another is named with dots, as `realm_access.roles`; a name that holds dots itself comes first.
 */
import type { Principal } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';

/** The same for everybody, or as a claim says. */
export type TenantMapping = string | { readonly claim: string };

export interface ClaimMapping {
  /** Default: `default`, the same for everybody. */
  readonly tenant?: TenantMapping | undefined;
  /** Default `sub`. */
  readonly subject?: string | undefined;
  /** Default `client_id`, else `azp`. */
  readonly clientId?: string | undefined;
  /** Default: none. */
  readonly groups?: string | undefined;
  /** A claim with a list, or with words and spaces between them. Default `scope`, else `scp`. */
  readonly scopes?: string | undefined;
  /** What policies may look at: their name for it, and the claim. Default: nothing. */
  readonly claims?: Readonly<Record<string, string>> | undefined;
}

export interface MappedClaims {
  readonly principal: Principal;
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

type Claims = Readonly<Record<string, unknown>>;

/** Groups or scopes of one token; beyond it a token is refused, since a policy might need any. */
const WORDS_MAX = 1000;
const NAME_CHARS_MAX = 512;

/** Undefined when what says who somebody is, is missing or of no use. */
export function mapClaims(
  claims: Claims,
  issuer: string,
  mapping: ClaimMapping,
): MappedClaims | undefined {
  const tenant = mapTenant(claims, mapping);
  const subject = nameAt(claims, mapping.subject ?? 'sub');
  const clientId = firstName(claims, [mapping.clientId ?? 'client_id', 'azp']) ?? '';
  const scopes = wordsAt(claims, firstOf(claims, mapping.scopes, ['scope', 'scp']));
  const groups = wordsAt(claims, mapping.groups);
  if (tenant === undefined || subject === undefined) return undefined;
  if (scopes === undefined || groups === undefined) return undefined;
  const mapped = Object.entries(mapping.claims ?? {}).map(([name, claim]) => [
    name,
    claimAt(claims, claim),
  ]);
  return {
    principal: principalOf({ tenant, issuer, subject, clientId }),
    scopes,
    groups,
    claims: Object.fromEntries(mapped.filter(([, value]) => value !== undefined)) as Claims,
  };
}

/** Undefined when no claim says it, or none of any use. */
export function mapTenant(
  claims: Claims,
  { tenant = 'default' }: ClaimMapping,
): string | undefined {
  return typeof tenant === 'string' ? tenant : nameAt(claims, tenant.claim);
}

function claimAt(claims: Claims, name: string): unknown {
  if (Object.hasOwn(claims, name)) return claims[name];
  let found: unknown = claims;
  for (const key of name.split('.')) {
    const isInside = typeof found === 'object' && found !== null && Object.hasOwn(found, key);
    found = isInside ? (found as Claims)[key] : undefined;
  }
  return found;
}

function nameAt(claims: Claims, name: string): string | undefined {
  const value = claimAt(claims, name);
  if (typeof value !== 'string' || value === '' || value.length > NAME_CHARS_MAX) return undefined;
  // Half of a surrogate pair has no bytes of its own: two such names would be one wherever a digest
  // of them or a policy tells people apart.
  return value.isWellFormed() ? value : undefined;
}

function firstName(claims: Claims, names: readonly string[]): string | undefined {
  return names.map((name) => nameAt(claims, name)).find((each) => each !== undefined);
}

function firstOf(claims: Claims, chosen: string | undefined, usual: readonly string[]): string {
  return chosen ?? usual.find((name) => Object.hasOwn(claims, name)) ?? '';
}

/** A list, or words in one text; undefined for what is neither. */
function wordsAt(claims: Claims, name: string | undefined): readonly string[] | undefined {
  const value = name === undefined || name === '' ? undefined : claimAt(claims, name);
  if (value === undefined) return [];
  const words = typeof value === 'string' ? value.split(' ').filter((each) => each !== '') : value;
  if (!Array.isArray(words) || words.length > WORDS_MAX) return undefined;
  return words.every(isWord) ? words : undefined;
}

function isWord(value: unknown): value is string {
  return typeof value === 'string' && value.isWellFormed();
}
