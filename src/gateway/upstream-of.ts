/** From what a config says of a server to the server itself. Nothing is started or called by it. */
import type { SubjectTokens } from '../adapters/credentials/subject-tokens.ts';
import type { UpstreamCredential } from '../adapters/credentials/upstream-credentials.ts';
import { inProcess } from '../adapters/upstreams/in-process/in-process.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { stdio } from '../adapters/upstreams/stdio/stdio.ts';
import type { Limits } from '../core/limits.ts';
import type { Telemetry, Upstream } from '../core/ports.ts';
import type { ServerSource, UpstreamCredentialConfig } from './gateway-config.ts';
import { moduleFactory } from './module-factory.ts';
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

function sourceUpstream(
  source: ServerSource,
  { name, limits, telemetry, subjectTokens }: UpstreamParts,
): Upstream {
  switch (source.kind) {
    case 'command': {
      const { command, args, kind: _, ...options } = source;
      return stdio(command, args, { ...options, limits, telemetry });
    }
    case 'url': {
      const { url, headers, allowedHosts, ca, proxy } = source;
      const credential = credentialOf(source.credential, subjectTokens);
      const parts = { allowedHosts, ca, proxy, credential };
      return remote(url, { headers, ...parts, limits, telemetry });
    }
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
