/** A command or `--upstream <url>` to serve: from checked options to a running server and back. */
import {
  type ConsoleTelemetry,
  consoleTelemetry,
} from '../adapters/telemetry/console-telemetry.ts';
import type { TlsOptions } from '../adapters/http/node.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { stdio } from '../adapters/upstreams/stdio/stdio.ts';
import type { Application, Identity, Upstream } from '../core/ports.ts';
import { createEndpoint } from '../index.ts';
import { certificateNotes } from './certificate-end.ts';
import { credential } from './credential.ts';
import { commandFault, isFolder } from './find-command.ts';
import { firstProcessNotes } from './first-process.ts';
import {
  ApplicationSeat,
  baseUrl,
  exposureNotes,
  openListener,
  publicUrlNotes,
  type ServeFailure,
} from './open-listener.ts';
import { urlHost } from '../core/security/listen-host.ts';
import { reachableHosts } from '../adapters/system/reachable-hosts.ts';
import { ownCredential, remoteOptions } from './remote-options.ts';
import { serverName } from './server-name.ts';
import type { Environment, ServeOptions, TlsChoice } from './serve-options.ts';
import type { StartupFacts } from './startup-text.ts';

export interface Surroundings {
  readonly env: Environment;
  readonly version: string;
  /** Whether a person watches standard error. */
  readonly isTerminal: boolean;
}

export type ServeOutcome =
  | { readonly kind: 'running'; readonly command: RunningCommand }
  /** `reason` is one line that says what to do. */
  | ServeFailure;

export interface RunningCommand {
  readonly facts: StartupFacts;
  readonly telemetry: ConsoleTelemetry;
  /** Drains inside the window of the options, then closes everything. */
  close(): Promise<void>;
  /** Ends every child without waiting for calls. */
  abandon(): Promise<void>;
}

/**
 * Starts to serve. What the operator got wrong is told before anything is started: the port is
 * taken before the server's command runs, so that a port in use is one line and not a server's last
 * words.
 */
export async function serveCommand(
  options: ServeOptions,
  around: Surroundings,
): Promise<ServeOutcome> {
  const fault = commandFaultOf(options, around.env);
  if (fault !== undefined) return fault;
  const door = credential(options.credential, around.env, around.isTerminal);
  if (door.kind === 'failed') return { kind: 'failed', exitCode: 1, reason: door.reason };
  const telemetry = await consoleTelemetry({
    level: options.logLevel,
    format: options.logFormat ?? (around.isTerminal ? 'pretty' : 'json'),
    isColoured: around.isTerminal && (around.env['NO_COLOR'] ?? '') === '',
  });
  const seat = new ApplicationSeat();
  const upstream = upstreamOf(options, telemetry);
  if ('reason' in upstream) return upstream;
  const tls = options.tls && certifiedTls(options.tls);
  const server = await openListener(seat, { ...options, tls }, telemetry);
  if ('reason' in server) {
    await upstream.close();
    return server;
  }
  seat.app = endpointOf(options, upstream, door.identity, telemetry);
  return {
    kind: 'running',
    command: {
      facts: {
        version: around.version,
        program: upstream.name,
        address: `${urlHost(options.host)}:${server.port}`,
        name: nameOf(options),
        baseUrl: options.publicUrl ?? baseUrl(options.host, server.port, tls !== undefined),
        credential: door.facts,
        notes: [
          ...publicUrlNotes(options.publicUrl, ''),
          ...exposureNotes(options.host, options.publicUrl, tls !== undefined, OPTIONS),
          ...certificateNotes(tls),
          ...(options.upstream === undefined ? firstProcessNotes(process.pid) : []),
        ],
      },
      telemetry,
      close: async () => {
        await server.close();
        await upstream.close();
      },
      abandon: () => upstream.close(),
    },
  };
}

const OPTIONS = { tls: '--tls-cert', publicUrl: '--public-url' };

/** Nothing is started or called by it yet. */
function upstreamOf(options: ServeOptions, telemetry: ConsoleTelemetry): Upstream | ServeFailure {
  const { limits, upstream } = options;
  if (upstream === undefined) {
    const { command, args, env, cwd } = options;
    const stderr = options.logsStderr ? 'log' : 'count';
    return stdio(command, args, { env, cwd, stderr, limits, telemetry });
  }
  try {
    const credential = ownCredential(upstream);
    return remote(upstream.url, { ...remoteOptions(upstream), credential, limits, telemetry });
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', exitCode: 2, reason: `--upstream: ${fault}` };
  }
}

/** Where authorities are named, nobody comes in without a certificate of theirs. */
function certifiedTls(tls: TlsChoice): TlsOptions {
  return tls.clientCa === undefined ? tls : { ...tls, clientCertificates: 'required' };
}

function nameOf({ upstream, command, args }: ServeOptions): string {
  return upstream === undefined
    ? serverName(command, args)
    : serverName(new URL(upstream.url).hostname, []);
}

function commandFaultOf(options: ServeOptions, env: Environment): ServeFailure | undefined {
  if (options.upstream !== undefined) return undefined;
  const { cwd } = options;
  if (cwd !== undefined && !isFolder(cwd)) {
    return { kind: 'failed', exitCode: 2, reason: `--cwd ${cwd} is not a folder.` };
  }
  const reason = commandFault(options.command, cwd ?? '.', { ...env, ...options.env });
  return reason === undefined ? undefined : { kind: 'failed', exitCode: 1, reason };
}

function endpointOf(
  options: ServeOptions,
  upstream: Upstream,
  identity: Identity,
  telemetry: ConsoleTelemetry,
): Application {
  return createEndpoint({
    upstream,
    identity,
    telemetry,
    isolation: options.isolation,
    limits: options.limits,
    publicUrl: options.publicUrl,
    allowedHosts: reachableHosts(options.host, options.publicUrl),
    allowedOrigins: options.allowedOrigins,
    endpointForm: options.endpointForm,
    priming: options.priming,
    heartbeat: options.heartbeat,
    tasks: options.tasks,
  });
}
