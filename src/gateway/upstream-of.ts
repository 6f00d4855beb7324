/** From what a config says of a server to the server itself. Nothing is started or called by it. */
import type { SubjectTokens } from '../adapters/credentials/subject-tokens.ts';
import type { UpstreamCredential } from '../adapters/credentials/upstream-credentials.ts';
import { inProcess } from '../adapters/upstreams/in-process/in-process.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { stdio } from '../adapters/upstreams/stdio/stdio.ts';
import type { Limits } from '../core/limits.ts';
import type { Telemetry, Upstream } from '../core/ports.ts';
import type { ServerSource, TenantAccess, UpstreamCredentialConfig } from './gateway-config.ts';
import { moduleFactory } from './module-factory.ts';
import { TenantUpstream } from './tenant-upstream.ts';
import { unusableUpstream } from './unusable-upstream.ts';

export interface UpstreamParts {
  /** The server's name in the config. */
  readonly name: string;
  readonly limits: Partial<Limits>;
  readonly telemetry: Telemetry;
  /** Where the gateway's identity notes the tokens of callers, for their exchange. */
  readonly subjectTokens?: SubjectTokens | undefined;
}

/** Never throws: a server whose settings cannot be used is one that cannot be started. */
export function upstreamOf(source: ServerSource, parts: UpstreamParts): Upstream {
  try {
    return sourceUpstream(source, parts);
  } catch (error) {
    return unusableUpstream(parts.name, error instanceof Error ? error.message : String(error));
  }
}

/** A tenant with a credential of its own never shows that of all others. */
function remoteUpstream(
  source: Extract<ServerSource, { readonly kind: 'url' }>,
  { limits, telemetry, subjectTokens }: UpstreamParts,
): Upstream {
  const { url, allowedHosts, ca, proxy, tenants = {} } = source;
  const upstreamWith = ({ headers, credential }: TenantAccess): Upstream =>
    remote(url, {
      headers,
      allowedHosts,
      ca,
      proxy,
      credential: credentialOf(credential, subjectTokens),
      limits,
      telemetry,
    });
  const common = upstreamWith(source);
  const own = Object.entries(tenants).map(([tenant, access]): [string, Upstream] => [
    tenant,
    upstreamWith(ownAccess(source, access)),
  ]);
  const [first] = own;
  if (first === undefined) return common;
  const hasCommon = source.credential !== undefined || Object.keys(source.headers).length > 0;
  return new TenantUpstream(common, new Map(own), hasCommon ? common : first[1]);
}

/** A header of the tenant's stands in place of one of the same name, however it is written. */
function ownAccess(common: TenantAccess, own: TenantAccess): TenantAccess {
  const credential = own.credential ?? common.credential;
  const taken = new Set(Object.keys(own.headers).map((name) => name.toLowerCase()));
  if (own.credential !== undefined) taken.add('authorization');
  const kept = Object.entries(common.headers).filter(([name]) => !taken.has(name.toLowerCase()));
  const isReplaced = own.credential === undefined && taken.has('authorization');
  return {
    headers: { ...Object.fromEntries(kept), ...own.headers },
    credential: isReplaced ? undefined : credential,
  };
}

function sourceUpstream(
  source: ServerSource,
  { name, limits, telemetry, subjectTokens }: UpstreamParts,
): Upstream {
  switch (source.kind) {
    case 'command': {
      const { command, args, kind: _, ...options } = source;
      return stdio(command, args, { ...options, limits, telemetry });
    }
    case 'url':
      return remoteUpstream(source, { name, limits, telemetry, subjectTokens });
    case 'module':
      return inProcess(moduleFactory(source.path, source.exportName), { name, limits });
  }
}

function credentialOf(
  config: UpstreamCredentialConfig | undefined,
  subjectTokens: SubjectTokens | undefined,
): UpstreamCredential | undefined {
  return config?.kind === 'token-exchange' ? { ...config, subjectTokens } : config;
}
