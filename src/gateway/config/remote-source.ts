/** A server at a URL, and what its keys say together: guard, headers, certificates, credential. */
import { X509Certificate } from 'node:crypto';
import { headerFault } from '../../adapters/outbound/checked-headers.ts';
import { SsrfGuard } from '../../adapters/outbound/ssrf-guard.ts';
import type { Isolation } from '../../server/instance-places.ts';
import type { ServerSource, TenantAccess, UpstreamCredentialConfig } from '../gateway-config.ts';
import type { Passed } from './config-section.ts';
import type { UpstreamAuthShape, UrlShape } from './config-shape.ts';
import type { FileAccess } from './file-access.ts';
import type { ConfigPath } from './problem.ts';
import type { ProblemList } from './problem-list.ts';

/** A server at a URL; `auth` that is faulty in itself is not judged with the rest. */
export function remoteSource(
  found: Passed<UrlShape>,
  isolation: Isolation,
  path: ConfigPath,
  files: FileAccess,
  problems: ProblemList,
): ServerSource {
  const guard = new SsrfGuard(found.allowedHosts ?? []);
  judgeUrl(found.url, guard, [...path, 'url'], problems);
  judgeUrl(found.auth?.issuer, guard, [...path, 'auth', 'issuer'], problems);
  judgeHeaders(found, path, problems);
  judgeAuth(found.auth, isolation, path, problems);
  return {
    kind: 'url',
    url: found.url ?? '',
    headers: found.headers ?? {},
    allowedHosts: found.allowedHosts ?? [],
    ca: found.ca === undefined ? undefined : certificates(found.ca, path, files, problems),
    proxy: found.proxy,
    credential: credentialConfig(found.auth),
  };
}

/** What one tenant shows a server in place of what others show it. */
export function tenantAccess(
  found: { readonly headers?: UrlShape['headers']; readonly auth?: UpstreamAuthShape | undefined },
  guard: SsrfGuard,
  isolation: Isolation,
  path: ConfigPath,
  problems: ProblemList,
): TenantAccess {
  judgeUrl(found.auth?.issuer, guard, [...path, 'auth', 'issuer'], problems);
  judgeHeaders(found, path, problems);
  judgeAuth(found.auth, isolation, path, problems);
  return { headers: found.headers ?? {}, credential: credentialConfig(found.auth) };
}

/** The guard's own sentence names the host, which may have come from a variable. */
export function judgeUrl(
  url: string | undefined,
  guard: SsrfGuard,
  path: ConfigPath,
  problems: ProblemList,
): void {
  const parsed = url === undefined ? undefined : new URL(url);
  if (parsed === undefined || guard.faultOf(parsed) === undefined) return;
  const hasUser = parsed.username !== '' || parsed.password !== '';
  problems.value(
    path,
    hasUser
      ? 'The URL holds a user or a password. Send a header instead.'
      : 'Only https to a public address is called, and this machine. ' +
          'Name other hosts in allowedHosts.',
  );
}

function judgeHeaders(
  found: Pick<Passed<UrlShape>, 'headers' | 'auth'>,
  path: ConfigPath,
  problems: ProblemList,
): void {
  const seen = new Set<string>();
  for (const [name, value] of Object.entries(found.headers ?? {})) {
    const here = [...path, 'headers', name];
    const lower = name.toLowerCase();
    const fault = headerFault(name, value);
    if (fault !== undefined) problems.value(here, fault);
    else if (seen.has(lower)) problems.key(here, 'This header is given twice. Leave one out.');
    else if (lower === 'authorization' && found.auth !== undefined) {
      problems.key(here, 'auth sets this header. Drop one of them.');
    }
    seen.add(lower);
  }
}

function judgeAuth(
  auth: UpstreamAuthShape | undefined,
  isolation: Isolation,
  path: ConfigPath,
  problems: ProblemList,
): void {
  if (auth === undefined) return;
  if (auth.type === 'client_credentials') {
    if (auth.audience === undefined) return;
    problems.key([...path, 'auth', 'audience'], 'This belongs to token_exchange. Leave it out.');
  } else if (isolation === 'tenant' || isolation === 'shared') {
    problems.value(
      [...path, 'auth', 'type'],
      `A token of one client may not serve others: token_exchange needs isolation session or ` +
        `principal, and it is ${isolation}.`,
    );
  }
}

function credentialConfig(
  auth: UpstreamAuthShape | undefined,
): UpstreamCredentialConfig | undefined {
  if (auth === undefined) return undefined;
  const { issuer, clientId, clientSecret, scope, audience } = auth;
  return auth.type === 'client_credentials'
    ? { kind: 'client-credentials', issuer, clientId, clientSecret, scope }
    : { kind: 'token-exchange', issuer, clientId, clientSecret, scope, audience };
}

function certificates(
  name: string,
  path: ConfigPath,
  files: FileAccess,
  problems: ProblemList,
): string | undefined {
  const here = [...path, 'ca'];
  const file = files.read(files.resolve(name));
  if (file.kind === 'unreadable') {
    problems.value(here, `The file ${file.fault}.`);
    return undefined;
  }
  const blocks = file.text.match(PEM) ?? [];
  if (blocks.length === 0) problems.value(here, 'The file holds no certificate in PEM.');
  else if (!blocks.every(isCertificate)) {
    problems.value(here, 'The file holds a certificate that cannot be read.');
  }
  return file.text;
}

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).subject !== undefined;
  } catch {
    return false;
  }
}
