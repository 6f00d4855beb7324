import { noAuth } from './adapters/identity/no-auth.ts';
import { MemoryEventLog } from './adapters/stores/memory-event-log.ts';
import { MemorySessionDirectory } from './adapters/stores/memory-session-directory.ts';
import { aesSeal } from './adapters/system/aes-seal.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemRandom } from './adapters/system/system-random.ts';
import { silent } from './adapters/telemetry/silent.ts';
import type { Access, AuditTrail } from './core/access.ts';
import { boundsWith } from './core/bounds-with.ts';
import type { Gate } from './core/gate.ts';
import { guardedTelemetry } from './core/guarded-telemetry.ts';
import { DEFAULT_LIMITS, type Limits } from './core/limits.ts';
import type { Identity, Principal, Telemetry, Upstream } from './core/ports.ts';
import type { EndpointForm } from './core/protocol/eras/http-sse-2024.ts';
import type { HostOriginRules } from './core/security/host-origin.ts';
import type { Priming } from './core/protocol/eras/streamable-2025.ts';
import { Endpoint } from './server/endpoint.ts';
import { endpointOptionsFault } from './server/endpoint-options-fault.ts';
import type { Isolation } from './server/instance-places.ts';

/** What an endpoint is made of. Everything but the upstream has a default. */
export interface EndpointOptions {
  /** The server to put on the network: `stdio(…)` or `inProcess(…)`. */
  readonly upstream: Upstream;
  /**
   * Who may call. Default: anybody, as one anonymous principal; right only behind authentication of
   * your own.
   */
  readonly identity?: Identity | undefined;
  /** What may be done by whom. Default: whoever is let in may do everything. */
  readonly access?: Access | undefined;
  /** Where calls, refusals and connections are recorded. Default: nowhere. */
  readonly audit?: AuditTrail | undefined;
  /** How often and how much, by address, principal, tenant and server. Default: not counted. */
  readonly gate?: Gate | undefined;
  /** What the server is called in policies and in the record. Default: the upstream's name. */
  readonly name?: string | undefined;
  /** Who shares one upstream instance. Default `session`: nobody. */
  readonly isolation?: Isolation | undefined;
  /** Bounds that differ from their defaults; units are in their names. */
  readonly limits?: Partial<Limits> | undefined;
  /**
   * The URL clients reach this endpoint by, path prefix included: the source of Host and Origin
   * checks.
   */
  readonly publicUrl?: string | undefined;
  /**
   * What every path begins with, as `/name`: for several endpoints on one listener. Health is then
   * for whoever gathers them to tell. Default: nothing.
   */
  readonly prefix?: string | undefined;
  /** Hosts answered to besides the public URL's. Default: loopback names. `*` answers to any. */
  readonly allowedHosts?: readonly string[] | undefined;
  /**
   * Origins of browsers that may call. Default: the public URL's, or loopback ones of the scheme
   * that the connection speaks.
   */
  readonly allowedOrigins?: readonly string[] | undefined;
  /** How the 2024 `endpoint` event names its POST URL. Default `relative`. */
  readonly endpointForm?: EndpointForm | undefined;
  /** Whether 2025-11-25 streams begin with an event of empty data. Default `auto`. */
  readonly priming?: Priming | undefined;
  /**
   * Whether silence is broken by a comment. Default `comment`; `off` for clients that choke on
   * comments.
   */
  readonly heartbeat?: 'comment' | 'off' | undefined;
  /** Which eras are served, of those that can be. Default `all`. */
  readonly eras?: 'all' | 'legacy' | 'modern' | undefined;
  /**
   * Whether tasks are carried between the experimental ones of 2025-11-25 and the extension of
   * 2026, where client and server have no era in common. Default `off`: then they are not offered
   * there. Same-era conversations have the server's tasks either way.
   */
  readonly tasks?: 'off' | 'bridge' | undefined;
  /**
   * Whether there is such a server for somebody who was let in; to others it answers as a path
   * where nothing is served. Default: for all.
   */
  readonly serves?: ((principal: Principal) => boolean) | undefined;
  /** Whether requests go on to servers in this process, as of several merged. Default false. */
  readonly passesOrigin?: boolean | undefined;
  /**
   * Whether clients are told why the server cannot be reached, as the log is; right where they are
   * of whoever runs this. Default false.
   */
  readonly tellsFaults?: boolean | undefined;
  /** Logs and counters. Default: none. */
  readonly telemetry?: Telemetry | undefined;
}

const LOOPBACK: readonly string[] = ['localhost', '127.0.0.1', '[::1]'];

/**
 * One MCP server, served in every era its upstream speaks. Give it to `serve`, `nodeHandler` or
 * `fetchHandler`.
 * @throws TypeError when there is no upstream, when an option is of the wrong kind, misspelt or
 * out of its bounds, and when `publicUrl`, a host or an origin is malformed.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions
 */
export function createEndpoint(options: EndpointOptions): Endpoint {
  // Programs without types are told here, not by whatever fails first later on.
  const fault = endpointOptionsFault(options);
  if (fault !== undefined) throw new TypeError(fault);
  const limits = boundsWith(DEFAULT_LIMITS, options.limits);
  return new Endpoint(
    {
      upstream: options.upstream,
      identity: options.identity ?? noAuth(),
      access: options.access,
      audit: options.audit,
      gate: options.gate,
      clock: systemClock,
      random: systemRandom,
      seal: aesSeal(),
      log: new MemoryEventLog(limits),
      directory: new MemorySessionDirectory(limits),
      telemetry: options.telemetry === undefined ? silent : guardedTelemetry(options.telemetry),
    },
    {
      name: options.name,
      limits,
      isolation: options.isolation ?? 'session',
      ...hostOriginRules(options),
      publicUrl: options.publicUrl,
      prefix: options.prefix ?? '',
      endpointForm: options.endpointForm ?? 'relative',
      priming: options.priming ?? 'auto',
      heartbeat: options.heartbeat ?? 'comment',
      eras: options.eras ?? 'all',
      tasks: options.tasks ?? 'off',
      serves: options.serves,
      passesOrigin: options.passesOrigin ?? false,
      tellsFaults: options.tellsFaults ?? false,
    },
  );
}

/** Who may be addressed, and from which pages. */
export function hostOriginRules(
  options: Pick<EndpointOptions, 'publicUrl' | 'allowedHosts' | 'allowedOrigins'>,
): HostOriginRules {
  const url = options.publicUrl === undefined ? undefined : new URL(options.publicUrl);
  const loopback = (scheme: string): readonly string[] =>
    LOOPBACK.map((host) => `${scheme}://${host}:*`);
  const given = options.allowedOrigins ?? (url === undefined ? undefined : [url.origin]);
  return {
    allowedHosts: [
      ...(options.allowedHosts ?? LOOPBACK),
      ...(url === undefined ? [] : [url.port === '' ? url.hostname : url.host]),
    ],
    allowedOrigins: given ?? loopback('http'),
    encryptedOrigins: given ?? loopback('https'),
  };
}
