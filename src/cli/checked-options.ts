/**
 * What no option can tell alone: options together, the environment, and what this version lacks.
 */
import { tokenFault } from '../adapters/identity/static-token.ts';
import { proxyFault } from '../adapters/outbound/proxy-choice.ts';
import { isLoopback } from '../core/security/listen-host.ts';
import { nearest } from '../gateway/config/nearest.ts';
import type { RawOptions } from './raw-options.ts';
import type {
  CredentialChoice,
  Environment,
  RemoteChoice,
  ServeOptions,
  TlsChoice,
} from './serve-options.ts';
import { upstreamSecret } from './upstream-secret.ts';
import { variableHeaders } from './variable-headers.ts';

export type CheckedOptions =
  | { readonly kind: 'serve'; readonly options: ServeOptions }
  /** `reason` is one line that says what to do. */
  | { readonly kind: 'wrong'; readonly reason: string };

export interface CommandLineRest {
  /** Words before `--` that belong to no option. */
  readonly strayWords: readonly string[];
  /** Which word of ours the first of them is, from 1. */
  readonly strayPlace: number;
  /** Words after `--`. */
  readonly command: readonly string[];
  readonly env: Environment;
}

export function checkedOptions(
  raw: RawOptions & Readonly<Record<string, unknown>>,
  rest: CommandLineRest,
): CheckedOptions {
  const [command, ...args] = rest.command;
  const reason =
    laterFault(raw, rest.strayWords[0]) ??
    (raw.upstream === undefined ? commandFault(raw, rest) : upstreamFault(raw, rest)) ??
    tlsFault(raw) ??
    credentialFault(raw, rest.env) ??
    exposureFault(raw);
  if (reason !== undefined) return { kind: 'wrong', reason };
  return {
    kind: 'serve',
    options: {
      upstream: remoteChoice(raw, rest.env),
      command: command ?? '',
      args,
      env: raw.env ?? {},
      cwd: raw.cwd,
      logsStderr: raw.logStderr === true,
      host: raw.host,
      port: raw.port,
      publicUrl: raw.publicUrl,
      allowedOrigins: raw.allowedOrigin,
      tls: tlsChoice(raw),
      credential: credentialChoice(raw, rest.env),
      isolation: raw.isolation,
      endpointForm: raw.endpointForm,
      priming: raw.priming,
      heartbeat: raw.heartbeat,
      tasks: raw.bridgeTasks === true ? 'bridge' : 'off',
      limits: raw.limit ?? {},
      logLevel: raw.logLevel,
      logFormat: raw.logFormat,
      drainMs: raw.drain,
      isJson: raw.json === true,
    },
  };
}

/**
 * Options of later versions, by commander's name for them, with the one value this version knows.
 */
const LATER_OPTIONS: Readonly<Record<string, { readonly flag: string; readonly only?: string }>> = {
  store: { flag: '--store', only: 'memory' },
  workers: { flag: '--workers', only: '1' },
  adminPort: { flag: '--admin-port' },
  adminHost: { flag: '--admin-host' },
};

/** Commands with words of their own, which stand first on the line. */
export const SUBCOMMAND_USAGES: ReadonlyMap<string, string> = new Map([
  ['connect', 'connect <url> [options]'],
  ['check', 'check <file> [options]'],
  ['keys', 'keys add|list|revoke [options]'],
  ['audit', 'audit verify <file...> [options]'],
  ['policy', 'policy test <file> [options]'],
]);

const LATER_COMMANDS: ReadonlySet<string> = new Set(['doctor', 'bench', 'init']);

/** An option or a command that this version lacks. */
export function laterFault(
  raw: Readonly<Record<string, unknown>>,
  firstWord: string | undefined,
): string | undefined {
  for (const [name, { flag, only }] of Object.entries(LATER_OPTIONS)) {
    if (raw[name] === undefined || raw[name] === only) continue;
    return only === undefined
      ? `this version does not have ${flag}.`
      : `this version has no ${flag} other than ${only}.`;
  }
  if (firstWord === undefined) return undefined;
  const usage = SUBCOMMAND_USAGES.get(firstWord);
  if (usage !== undefined) return `put ${firstWord} first: tidegate ${usage}`;
  if (!LATER_COMMANDS.has(firstWord)) return undefined;
  return `this version does not have the command ${firstWord}.`;
}

/** Options that speak of the other kind of server are a misunderstanding. */
function commandFault(raw: RawOptions, rest: CommandLineRest): string | undefined {
  if (raw.upstreamHeader !== undefined) return '--upstream-header needs --upstream.';
  if (raw.upstreamAllow !== undefined) return '--upstream-allow needs --upstream.';
  if (raw.upstreamClientId !== undefined) return '--upstream-client-id needs --upstream.';
  if (raw.upstreamIssuer !== undefined) return '--upstream-issuer needs --upstream.';
  if (raw.upstreamScope !== undefined) return '--upstream-scope needs --upstream.';
  if (raw.upstreamCa !== undefined) return '--upstream-ca needs --upstream.';
  if (raw.proxy !== undefined) return '--proxy needs --upstream.';
  return commandWordsFault(rest);
}

function upstreamFault(
  raw: RawOptions,
  { strayWords, strayPlace, command, env }: CommandLineRest,
): string | undefined {
  if (command.length > 0) return 'a command and --upstream are both given. Drop one of them.';
  if (strayWords.length > 0) return strayFault(strayPlace);
  if (raw.env !== undefined) return '--env is for a command; --upstream has none.';
  if (raw.cwd !== undefined) return '--cwd is for a command; --upstream has none.';
  if (raw.logStderr === true) return '--log-stderr is for a command; --upstream has none.';
  const headers = variableHeaders(env);
  return typeof headers === 'string' ? headers : clientFault(raw, env);
}

function clientFault(raw: RawOptions, env: Environment): string | undefined {
  // Said here and not by the parser, which would repeat a password with it.
  const fault = raw.proxy === undefined ? undefined : proxyFault(raw.proxy, 'proxy');
  if (fault !== undefined) return fault;
  const isNamed = raw.upstreamClientId !== undefined;
  if (isNamed && upstreamSecret(env) === undefined) {
    return '--upstream-client-id needs the variable TIDEGATE_UPSTREAM_CLIENT_SECRET.';
  }
  if (!isNamed && raw.upstreamIssuer !== undefined) {
    return '--upstream-issuer needs --upstream-client-id.';
  }
  if (!isNamed && raw.upstreamScope !== undefined) {
    return '--upstream-scope needs --upstream-client-id.';
  }
  return undefined;
}

function remoteChoice(raw: RawOptions, env: Environment): RemoteChoice | undefined {
  if (raw.upstream === undefined) return undefined;
  const headers = variableHeaders(env);
  return {
    url: raw.upstream,
    headers: { ...(typeof headers === 'string' ? {} : headers), ...raw.upstreamHeader },
    allowedHosts: raw.upstreamAllow ?? [],
    caFile: raw.upstreamCa,
    proxy: raw.proxy,
    client: {
      id: raw.upstreamClientId,
      secret: upstreamSecret(env),
      issuer: raw.upstreamIssuer,
      scope: raw.upstreamScope,
    },
  };
}

function commandWordsFault(rest: CommandLineRest): string | undefined {
  const { strayWords, strayPlace, command } = rest;
  const example = 'tidegate -- npx -y @modelcontextprotocol/server-everything';
  if (strayWords.length > 0) {
    return command.length > 0
      ? `${strayFault(strayPlace)} Only the words after -- are the server's command.`
      : meantBy(strayWords);
  }
  if (command.length === 0) return `no command is given. Put the server's after --: ${example}`;
  return command[0] === '' ? `the command after -- is empty. An example: ${example}` : undefined;
}

/** The word is not said again: it may be a secret whose option is missing. */
export function strayFault(place: number): string {
  return `word ${place} after tidegate belongs to no option.`;
}

/** Says no word again, as above: commands and URLs hold keys. */
function meantBy([first = '']: readonly string[]): string {
  if (/^https?:\/\//i.test(first)) {
    const ways = 'tidegate --upstream <url> serves it, tidegate connect <url> is its client';
    return `say what the URL is for: ${ways}.`;
  }
  if (/\.(?:ya?ml|json)$/i.test(first)) {
    return 'a file of servers is given by --config: tidegate --config <file>';
  }
  const serving = "put -- before the server's command: tidegate -- <command> [args...]";
  const near = nearest(first.slice(0, 100), [...SUBCOMMAND_USAGES.keys()]);
  return near === undefined ? serving : `did you mean tidegate ${near}? To serve it, ${serving}`;
}

function tlsFault(raw: RawOptions): string | undefined {
  const { tlsCert, tlsKey, tlsClientCa, tlsClientCrl } = raw;
  if (tlsCert === undefined && tlsKey !== undefined) return '--tls-key needs --tls-cert.';
  if (tlsCert !== undefined && tlsKey === undefined) return '--tls-cert needs --tls-key.';
  if (tlsCert === undefined && tlsClientCa !== undefined) {
    return '--tls-client-ca needs --tls-cert and --tls-key.';
  }
  if (tlsClientCa === undefined && tlsClientCrl !== undefined) {
    return '--tls-client-crl needs --tls-client-ca.';
  }
  return undefined;
}

function tlsChoice(raw: RawOptions): TlsChoice | undefined {
  const { tlsCert, tlsKey, tlsClientCa, tlsClientCrl } = raw;
  if (tlsCert === undefined || tlsKey === undefined) return undefined;
  return { cert: tlsCert, key: tlsKey, clientCa: tlsClientCa, clientCrl: tlsClientCrl };
}

/** A credential that was meant and is missing must not open the door. */
function credentialFault(raw: RawOptions, env: Environment): string | undefined {
  const fromEnv = env['TIDEGATE_TOKEN'];
  if (!raw.auth) {
    if (raw.token !== undefined) return '--no-auth and --token contradict each other. Drop one.';
    if (fromEnv !== undefined) {
      return '--no-auth is given while TIDEGATE_TOKEN is set. Drop one of them.';
    }
    return undefined;
  }
  const token = raw.token ?? fromEnv;
  const fault = token === undefined ? undefined : tokenFault(token);
  if (fault === undefined) return undefined;
  const where = raw.token === undefined ? 'TIDEGATE_TOKEN' : '--token';
  return `the token in ${where} ${fault}. Give a random one of 32 characters, or none.`;
}

function credentialChoice(raw: RawOptions, env: Environment): CredentialChoice {
  if (!raw.auth) return { kind: raw.tlsClientCa === undefined ? 'none' : 'certificate' };
  if (raw.token !== undefined) return { kind: 'given', token: raw.token, by: '--token' };
  const token = env['TIDEGATE_TOKEN'];
  return token === undefined ? { kind: 'kept' } : { kind: 'given', token, by: 'TIDEGATE_TOKEN' };
}

/** A tunnel or a proxy named by --public-url brings strangers to a loopback address, too. */
function exposureFault(raw: RawOptions): string | undefined {
  if (raw.auth || raw.insecure === true || raw.tlsClientCa !== undefined) return undefined;
  const publicHost = raw.publicUrl === undefined ? undefined : new URL(raw.publicUrl).hostname;
  const where = isLoopback(raw.host)
    ? publicHost !== undefined && !isLoopback(publicHost) && publicHost
    : raw.host;
  if (where === false) return undefined;
  return (
    `--no-auth on ${where} lets whoever reaches it use this server. ` +
    `Drop --no-auth, or add --insecure if something in front asks for a credential.`
  );
}
