/** What the merged server is made of. */
import type { Limits } from '../../core/limits.ts';
import type { ServerInfo } from '../../core/merge/merged-discover.ts';
import type { Application, Clock, Principal, Randomness, Telemetry } from '../../core/ports.ts';

/** One of the servers that are merged. */
export interface MergedMember {
  /** `[a-z0-9][a-z0-9-]*`, at most 64 characters: what its tools' names begin with. */
  readonly name: string;
  /** Its endpoint, which answers at `/mcp`. */
  readonly app: Application;
}

export interface MergeParts {
  /** Whether somebody sees a server. Default: all see all. */
  readonly sees?: ((caller: Principal, server: string) => boolean) | undefined;
  /** How the merged server introduces itself. */
  readonly serverInfo: ServerInfo;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
  readonly limits: Limits;
}
