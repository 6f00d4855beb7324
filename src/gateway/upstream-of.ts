/** From what a config says of a server to the server itself. Nothing is started or called by it. */
import { inProcess } from '../adapters/upstreams/in-process/in-process.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { stdio } from '../adapters/upstreams/stdio/stdio.ts';
import type { Limits } from '../core/limits.ts';
import type { Telemetry, Upstream } from '../core/ports.ts';
import type { ServerSource } from './gateway-config.ts';
import { moduleFactory } from './module-factory.ts';
import { unusableUpstream } from './unusable-upstream.ts';

export interface UpstreamParts {
  /** The server's name in the config. */
  readonly name: string;
  readonly limits: Partial<Limits>;
  readonly telemetry: Telemetry;
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
  { name, limits, telemetry }: UpstreamParts,
): Upstream {
  switch (source.kind) {
    case 'command': {
      const { command, args, env, cwd } = source;
      return stdio(command, args, { env, cwd, limits, telemetry });
    }
    case 'url': {
      const { url, headers, allowedHosts, ca } = source;
      return remote(url, { headers, allowedHosts, ca, limits, telemetry });
    }
    case 'module':
      return inProcess(moduleFactory(source.path, source.exportName), { name, limits });
  }
}
