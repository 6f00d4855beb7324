/** `tidegate --config <file>`: what the line may still say when a file says the rest. Pure. */
import { type CommandLineRest, laterFault, strayFault } from './checked-options.ts';
import type { RawOptions } from './raw-options.ts';
import type { ServeOptions } from './serve-options.ts';

/** Undefined: as the file says. */
export interface GatewayLineOptions {
  readonly file: string;
  readonly host: string | undefined;
  readonly port: number | undefined;
  readonly drainMs: number | undefined;
  readonly logLevel: ServeOptions['logLevel'];
  readonly logFormat: ServeOptions['logFormat'];
  readonly isJson: boolean;
}

export type GatewayLine =
  | { readonly kind: 'gateway'; readonly options: GatewayLineOptions }
  /** `reason` is one line that says what to do. */
  | { readonly kind: 'wrong'; readonly reason: string };

/** Options whose place is the file: the flag, and the key to write there. */
const IN_THE_FILE: Readonly<Record<string, readonly [flag: string, key: string]>> = {
  token: ['--token', 'auth'],
  auth: ['--no-auth', 'auth'],
  insecure: ['--insecure', 'auth'],
  publicUrl: ['--public-url', 'listen'],
  allowedOrigin: ['--allowed-origin', 'listen'],
  tlsCert: ['--tls-cert', 'listen'],
  tlsKey: ['--tls-key', 'listen'],
  tlsClientCa: ['--tls-client-ca', 'listen'],
  tlsClientCrl: ['--tls-client-crl', 'listen'],
  upstreamHeader: ['--upstream-header', 'headers'],
  upstreamAllow: ['--upstream-allow', 'allowedHosts'],
  upstreamCa: ['--upstream-ca', 'ca'],
  upstreamClientId: ['--upstream-client-id', 'auth'],
  upstreamIssuer: ['--upstream-issuer', 'auth'],
  upstreamScope: ['--upstream-scope', 'auth'],
  proxy: ['--proxy', 'proxy'],
  isolation: ['--isolation', 'isolation'],
  env: ['--env', 'env'],
  cwd: ['--cwd', 'cwd'],
  logStderr: ['--log-stderr', 'stderr'],
  endpointForm: ['--endpoint-form', 'endpointForm'],
  priming: ['--priming', 'priming'],
  heartbeat: ['--heartbeat', 'heartbeat'],
  bridgeTasks: ['--bridge-tasks', 'tasks'],
  limit: ['--limit', 'limits'],
};

/**
 * @param isGiven - whether the line itself gives an option, by commander's name for it; the others
 * have their defaults in `raw`.
 */
export function readGatewayLine(
  raw: RawOptions & Readonly<Record<string, unknown>>,
  isGiven: (name: string) => boolean,
  rest: CommandLineRest,
): GatewayLine {
  const reason = laterFault(raw, undefined) ?? wordsFault(raw, rest) ?? placeFault(isGiven);
  if (reason !== undefined) return { kind: 'wrong', reason };
  return {
    kind: 'gateway',
    options: {
      file: raw.config ?? '',
      host: isGiven('host') ? raw.host : undefined,
      port: isGiven('port') ? raw.port : undefined,
      drainMs: isGiven('drain') ? raw.drain : undefined,
      logLevel: raw.logLevel,
      logFormat: raw.logFormat,
      isJson: raw.json === true,
    },
  };
}

function wordsFault(raw: RawOptions, rest: CommandLineRest): string | undefined {
  const { strayWords, strayPlace, command } = rest;
  if (raw.config === '') return '--config needs the path of a file.';
  if (command.length > 0) return 'a command and --config are both given. Drop one of them.';
  if (strayWords.length > 0) return strayFault(strayPlace);
  return raw.upstream === undefined
    ? undefined
    : '--upstream and --config are both given. Drop one of them.';
}

function placeFault(isGiven: (name: string) => boolean): string | undefined {
  const found = Object.keys(IN_THE_FILE).find(isGiven);
  const [flag, key] = IN_THE_FILE[found ?? ''] ?? [];
  return flag === undefined ? undefined : `write ${key} into the file instead of ${flag}.`;
}
