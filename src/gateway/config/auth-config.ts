/** Ways to come in, and who is out: from checked sections to what the gateway is told. */
import type { Denied } from '../../adapters/identity/denials.ts';
import type { TokenRules } from '../../adapters/identity/jwt-identity.ts';
import { SsrfGuard } from '../../adapters/outbound/ssrf-guard.ts';
import type { AuthConfig, ListenConfig } from '../gateway-config.ts';
import {
  type ClaimShape,
  DENIED,
  INTROSPECTION_AUTH,
  JWT_AUTH,
  KEYS_AUTH,
  MTLS_AUTH,
  type TokenRulesShape,
} from './auth-schema.ts';
import { isRecord, type Passed } from './config-section.ts';
import type { FileAccess } from './file-access.ts';
import type { ConfigPath } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { judgeUrl } from './remote-source.ts';

export interface AuthSurroundings {
  readonly listen: ListenConfig;
  readonly files: Pick<FileAccess, 'resolve'>;
  readonly problems: ProblemList;
}

const WAYS = ['keys', 'jwt', 'introspection', 'mtls'] as const;

/** Undefined when the value is none of these ways. */
export function wayConfig(
  value: unknown,
  path: ConfigPath,
  around: AuthSurroundings,
): AuthConfig | undefined {
  if (!isRecord(value)) return undefined;
  const named = WAYS.filter((way) => Object.hasOwn(value, way));
  const [way] = named;
  if (way === undefined) return undefined;
  for (const key of Object.keys(value)) {
    if (key === way) continue;
    around.problems.key([...path, key], 'One way to come in has one key. Make auth a list.');
  }
  if (way === 'keys') {
    const { keys = '' } = KEYS_AUTH.read({ keys: value['keys'] }, path, around.problems);
    return { kind: 'keys', path: around.files.resolve(keys) };
  }
  if (way === 'mtls') return mtlsConfig(value['mtls'], [...path, way], around);
  judgePublicUrl(path, around);
  const inner = [...path, way];
  return way === 'jwt'
    ? jwtConfig(value['jwt'], inner, around)
    : introspectionConfig(value['introspection'], inner, around);
}

/** Without authorities to verify them, certificates say nothing. */
function mtlsConfig(
  value: unknown,
  path: ConfigPath,
  { listen, problems }: AuthSurroundings,
): AuthConfig {
  if (listen.tls?.clientCa === undefined) {
    problems.value(path, 'Name the authorities of client certificates in listen.tls.clientCa.');
  }
  return { kind: 'mtls', ...MTLS_AUTH.read(value, path, problems) };
}

export function deniedConfig(value: unknown, problems: ProblemList): Denied | undefined {
  return value === undefined ? undefined : DENIED.read(value, ['denied'], problems);
}

/** What tokens name, where clients are sent, and what proofs are for all come from it. */
function judgePublicUrl(path: ConfigPath, { listen, problems }: AuthSurroundings): void {
  if (listen.publicUrl !== undefined) return;
  problems.value(path, 'Tokens are for one URL: set listen.publicUrl to what clients call.');
}

function jwtConfig(value: unknown, path: ConfigPath, { problems }: AuthSurroundings): AuthConfig {
  const found = JWT_AUTH.read(value, path, problems);
  const { issuer = '', jwksUri, algorithms, types, allowedHosts = [], clientId } = found;
  const guard = new SsrfGuard(allowedHosts);
  judgeUrl(found.issuer, guard, [...path, 'issuer'], problems);
  judgeUrl(jwksUri, guard, [...path, 'jwksUri'], problems);
  const rules = { ...rulesOf(found), clientId: claimOf(clientId) };
  return { kind: 'jwt', issuer, jwksUri, algorithms, types, allowedHosts, ...rules };
}

function introspectionConfig(
  value: unknown,
  path: ConfigPath,
  { problems }: AuthSurroundings,
): AuthConfig {
  const found = INTROSPECTION_AUTH.read(value, path, problems);
  const { url = '', issuer = '', clientId = '', clientSecret = '', allowedHosts = [] } = found;
  judgeUrl(found.url, new SsrfGuard(allowedHosts), [...path, 'url'], problems);
  return {
    kind: 'introspection',
    url,
    issuer,
    keptMsMax: found.cache,
    allowedHosts,
    client: { id: clientId, secret: clientSecret },
    ...rulesOf(found),
  };
}

function rulesOf(found: Passed<Omit<TokenRulesShape, 'clientId'>>): TokenRules {
  const { audience = [], tenant, claims, requiredScopes, dpop, dpopNonce } = found;
  return {
    audiences: typeof audience === 'string' ? [audience] : audience,
    tenant,
    subject: claimOf(found.subject),
    groups: claimOf(found.groups),
    scopes: claimOf(found.scopes),
    claims,
    requiredScopes,
    dpop,
    dpopNonce,
    failuresPerSecondMax: found.failuresPerSecond,
  };
}

function claimOf(shape: ClaimShape | undefined): string | undefined {
  return typeof shape === 'object' ? shape.claim : shape;
}
