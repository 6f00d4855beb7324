/** `tidegate --config <file>`: from the file to a running gateway that follows it, and back. */
import {
  type ConsoleTelemetry,
  consoleTelemetry,
} from '../adapters/telemetry/console-telemetry.ts';
import { urlHost } from '../core/security/listen-host.ts';
import type { FileVersions } from '../gateway/config/file-version.ts';
import { loadConfig } from '../gateway/config/load-config.ts';
import type { ConfigPlaces } from '../gateway/config/read-config.ts';
import { createGateway, type Gateway } from '../gateway/create-gateway.ts';
import type { AuthConfig, GatewayConfig, ServerConfig } from '../gateway/gateway-config.ts';
import { reloadConfig } from './config-reload.ts';
import { ConfigWatch } from './config-watch.ts';
import { type Credential, credential } from './credential.ts';
import { firstProcessNotes } from './first-process.ts';
import type { GatewayLineOptions } from './gateway-line.ts';
import type { GatewayFacts } from './gateway-text.ts';
import { ApplicationSeat, baseUrl, openListener, type ServeFailure } from './open-listener.ts';
import { problemLine } from './problem-line.ts';
import type { Surroundings } from './serve-command.ts';
import type { Environment } from './serve-options.ts';
import { startNotes, startProblems } from './start-problems.ts';

export type GatewayOutcome =
  | { readonly kind: 'running'; readonly command: RunningGateway }
  | ServeFailure;

export interface RunningGateway {
  readonly facts: GatewayFacts;
  readonly telemetry: ConsoleTelemetry;
  /** Milliseconds a shutdown may take. */
  readonly drainMs: number;
  /** Reads the file again. */
  reload(): void;
  close(): Promise<void>;
  /** Ends every child without waiting for calls. */
  abandon(): Promise<void>;
  /** Writes what waits of the record. */
  closeRecord(): Promise<void>;
}

/** What is wrong in the file is told before the port is taken, and that before a server starts. */
export async function gatewayCommand(
  options: GatewayLineOptions,
  around: Surroundings,
): Promise<GatewayOutcome> {
  const { file } = options;
  const read = loadConfig(file, around.env);
  if (read.kind === 'faulty') {
    const lines = read.problems.map((problem) => `\n  ${problemLine(file, problem).trimEnd()}`);
    return { kind: 'failed', exitCode: 1, reason: `the config cannot be used.${lines.join('')}` };
  }
  const config = overridden(read.config, options);
  const door = doorOf(config.auth, file, around);
  if (door.kind === 'failed') return { kind: 'failed', exitCode: 1, reason: door.reason };
  const telemetry = await consoleTelemetry({
    level: options.logLevel,
    format: options.logFormat ?? (around.isTerminal ? 'pretty' : 'json'),
    isColoured: around.isTerminal && (around.env['NO_COLOR'] ?? '') === '',
  });
  const seat = new ApplicationSeat();
  const server = await openListener(seat, config.listen, telemetry);
  if ('reason' in server) return server;
  const gateway = opened(config, telemetry);
  if ('reason' in gateway) {
    await server.close();
    return gateway;
  }
  seat.app = gateway;
  const reload = follow(gateway, options, around.env, telemetry, read.files);
  const { host, tls } = config.listen;
  return {
    kind: 'running',
    command: {
      facts: {
        version: around.version,
        file,
        address: `${urlHost(host)}:${server.port}`,
        baseUrl: (config.listen.publicUrl ?? baseUrl(host, server.port, tls !== undefined)).replace(
          /\/+$/,
          '',
        ),
        servers: config.servers.map(({ name }) => name),
        hasAll: config.all !== undefined,
        credential: door.facts,
        notes: notes(config, read.places, around.env),
      },
      telemetry,
      drainMs: config.listen.drainMs,
      reload: () => reload.now(),
      close: async () => {
        reload.watch.close();
        await server.close();
      },
      abandon: () => gateway.abandon(),
      closeRecord: () => gateway.closeRecord(),
    },
  };
}

/** What the command line says counts, whatever the file says later. */
function overridden(
  config: GatewayConfig,
  { host, port, drainMs }: GatewayLineOptions,
): GatewayConfig {
  const { listen } = config;
  return {
    ...config,
    listen: {
      ...listen,
      host: host ?? listen.host,
      port: port ?? listen.port,
      drainMs: drainMs ?? listen.drainMs,
    },
  };
}

function opened(config: GatewayConfig, telemetry: ConsoleTelemetry): Gateway | ServeFailure {
  try {
    return createGateway(config, { telemetry });
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    return { kind: 'failed', exitCode: 1, reason };
  }
}

function follow(
  gateway: Gateway,
  options: GatewayLineOptions,
  env: Environment,
  telemetry: ConsoleTelemetry,
  files: FileVersions,
): { readonly watch: ConfigWatch; now(): void } {
  const { file } = options;
  const parts = {
    file,
    read: () => {
      const loaded = loadConfig(file, env);
      watch.follow(loaded.files);
      return loaded;
    },
    overridden: (config: GatewayConfig) => overridden(config, options),
    reload: (config: GatewayConfig) => gateway.reload(config),
    telemetry,
  };
  const watch = new ConfigWatch(files, () => reloadConfig(parts, 'file'));
  return { watch, now: () => reloadConfig(parts, 'signal') };
}

/** A token of the file's is repeated to nobody but a person who watches. */
function doorOf(auth: AuthConfig, file: string, around: Surroundings): Door {
  if (auth.kind === 'kept' || auth.kind === 'none') {
    return credential({ kind: auth.kind }, around.env, around.isTerminal);
  }
  if (auth.kind === 'mtls') return { kind: 'ready', facts: { kind: 'certificate' } };
  if (auth.kind !== 'token') {
    const isSignedInFor = auth.kind === 'jwt' || auth.kind === 'introspection';
    const source = SOURCES[auth.kind];
    return { kind: 'ready', facts: { kind: 'token', token: undefined, source, isSignedInFor } };
  }
  const where = around.env['TIDEGATE_TOKEN'] === auth.token ? 'TIDEGATE_TOKEN' : file;
  return credential({ kind: 'given', token: auth.token, by: where }, around.env, around.isTerminal);
}

type Door =
  | Pick<Extract<Credential, { kind: 'ready' }>, 'kind' | 'facts'>
  | Exclude<Credential, { kind: 'ready' }>;

/** Where clients have their credentials from, when it is not from here. */
const SOURCES = {
  keys: 'an API key, made with tidegate keys add',
  jwt: "an access token of the config's issuer, where clients sign in for it",
  introspection: "an access token of the config's issuer, where clients sign in for it",
  several: 'any of the credentials that the config names',
} as const;

function startsProcesses({ source }: ServerConfig): boolean {
  return source.kind === 'command';
}

function notes(config: GatewayConfig, places: ConfigPlaces, env: Environment): readonly string[] {
  const missing = startProblems(config, places, env);
  return [
    ...startNotes(config, places),
    ...(config.servers.some(startsProcesses) ? firstProcessNotes(process.pid) : []),
    ...missing.map(({ line, path, message }) => `Line ${line}, ${path}: ${message}`),
  ];
}
