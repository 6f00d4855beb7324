/** A command or `--upstream <url>` to serve: from checked options to a running server and back. */
import { statSync } from 'node:fs';
import { type RunningServer, serve } from '../adapters/http/node.ts';
import {
  type ConsoleTelemetry,
  consoleTelemetry,
} from '../adapters/telemetry/console-telemetry.ts';
import { remote } from '../adapters/upstreams/http/remote.ts';
import { stdio } from '../adapters/upstreams/stdio/stdio.ts';
import type { Application, HttpExchange, Identity, Upstream } from '../core/ports.ts';
import { createEndpoint } from '../index.ts';
import { credential } from './credential.ts';
import { commandFault } from './find-command.ts';
import { listenFailure } from './listen-failure.ts';
import { isLoopback, isWildcard, urlHost } from '../core/security/listen-host.ts';
import { reachableHosts } from '../adapters/system/reachable-hosts.ts';
import { serverName } from './server-name.ts';
import type { Environment, ServeOptions } from './serve-options.ts';
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

export interface ServeFailure {
  readonly kind: 'failed';
  readonly exitCode: 1 | 2;
  readonly reason: string;
}

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
  const server = await listen(seat, options, telemetry);
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
        baseUrl: options.publicUrl ?? baseUrl(options.host, server.port),
        credential: door.facts,
        notes: notes(options),
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

/** Where the listener expects its application. It is taken in the same turn the port is. */
class ApplicationSeat implements Application {
  app: Application | undefined;

  handle(exchange: HttpExchange): void {
    this.app?.handle(exchange);
  }

  async drain(windowMs: number): Promise<void> {
    await this.app?.drain(windowMs);
  }
}

/** Nothing is started or called by it yet. */
function upstreamOf(options: ServeOptions, telemetry: ConsoleTelemetry): Upstream | ServeFailure {
  const { limits, upstream } = options;
  if (upstream === undefined) {
    const { command, args, env, cwd } = options;
    return stdio(command, args, { env, cwd, limits, telemetry });
  }
  const { url, headers, allowedHosts } = upstream;
  try {
    return remote(url, { headers, allowedHosts, limits, telemetry });
  } catch (error) {
    const fault = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', exitCode: 2, reason: `--upstream: ${fault}` };
  }
}

function nameOf({ upstream, command, args }: ServeOptions): string {
  return upstream === undefined
    ? serverName(command, args)
    : serverName(new URL(upstream.url).hostname, []);
}

function commandFaultOf(options: ServeOptions, env: Environment): ServeFailure | undefined {
  if (options.upstream !== undefined) return undefined;
  const { cwd } = options;
  if (cwd !== undefined && !(statSync(cwd, { throwIfNoEntry: false })?.isDirectory() ?? false)) {
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
  });
}

async function listen(
  app: Application,
  options: ServeOptions,
  telemetry: ConsoleTelemetry,
): Promise<RunningServer | ServeFailure> {
  const { host, port } = options;
  try {
    return await serve(app, {
      host,
      port,
      drainMs: drainWindow(options.drainMs),
      // The options were refused by now if nobody asks for a credential and --insecure is absent.
      insecure: true,
      onError: (error) => telemetry.log('error', 'listener_error', { error: error.message }),
    });
  } catch (error) {
    const cause = error instanceof Error ? (error.cause as NodeJS.ErrnoException) : undefined;
    const reason = listenFailure(cause?.code ?? 'unknown error', host, port);
    return { kind: 'failed', exitCode: 1, reason };
  }
}

/** What calls get of the whole: closing the rest has to fit in as well. */
function drainWindow(drainMs: number): number {
  return Math.max(drainMs / 2, drainMs - 1500);
}

/** A wildcard is no address to call; this machine's own is. */
function baseUrl(host: string, port: number): string {
  const called = isWildcard(host) ? '127.0.0.1' : urlHost(host);
  return `http://${called}:${port}`;
}

function notes(options: ServeOptions): readonly string[] {
  if (isLoopback(options.host)) return [];
  const { publicUrl } = options;
  if (publicUrl === undefined) {
    return ['Others can reach this without TLS. Put it behind TLS and set --public-url.'];
  }
  if (publicUrl.startsWith('https:')) return [];
  return ['The token travels unencrypted. Put TLS in front, and https in --public-url.'];
}
