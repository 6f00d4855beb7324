/** Reads the words after `tidegate connect`. Pure, as `command-line.ts` is. */
import { Command, Option } from 'commander';
import { readAllowedHost, readHeader, readServerUrl } from './read-option.ts';
import { proxyFault } from '../adapters/outbound/proxy-choice.ts';
import type { LogFormat } from '../adapters/telemetry/console-telemetry.ts';
import type { LogLevel } from '../core/ports.ts';
import { type Environment, LOG_FORMATS, LOG_LEVELS, type RemoteChoice } from './serve-options.ts';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';
import { upstreamSecret } from './upstream-secret.ts';
import { variableHeaders } from './variable-headers.ts';

/** `tidegate connect <url> [options]`, checked. */
export interface ConnectOptions {
  readonly remote: RemoteChoice;
  /** Whether a page to sign in at is opened, or only printed. */
  readonly hasBrowser: boolean;
  readonly logLevel: LogLevel | 'silent';
  /** Undefined: `pretty` on a terminal, else `json`. */
  readonly logFormat: LogFormat | undefined;
}

export type ConnectLine =
  | { readonly kind: 'connect'; readonly options: ConnectOptions }
  | SubcommandEnd;

interface RawConnectOptions {
  readonly header?: Readonly<Record<string, string>>;
  readonly allow?: readonly string[];
  readonly clientId?: string;
  readonly issuer?: string;
  readonly scope?: string;
  readonly ca?: string;
  readonly proxy?: string;
  readonly browser: boolean;
  readonly logLevel: ConnectOptions['logLevel'];
  readonly logFormat?: LogFormat;
}

/** @param words - those after `connect`. */
export function readConnectLine(words: readonly string[], env: Environment): ConnectLine {
  const program = defineConnect();
  const end = parseSubcommand(program, words);
  if (end !== undefined) return end;
  const raw = program.opts<RawConnectOptions>();
  const headers = variableHeaders(env);
  if (typeof headers === 'string') return { kind: 'wrong', reason: headers };
  const fault = raw.proxy === undefined ? undefined : proxyFault(raw.proxy, 'proxy');
  if (fault !== undefined) return { kind: 'wrong', reason: fault };
  return {
    kind: 'connect',
    options: {
      remote: {
        url: program.processedArgs[0] as string,
        headers: { ...headers, ...raw.header },
        allowedHosts: raw.allow ?? [],
        caFile: raw.ca,
        proxy: raw.proxy,
        client: {
          id: raw.clientId,
          secret: upstreamSecret(env),
          issuer: raw.issuer,
          scope: raw.scope,
        },
      },
      hasBrowser: raw.browser,
      logLevel: raw.logLevel,
      logFormat: raw.logFormat,
    },
  };
}

function defineConnect(): Command {
  return new Command('tidegate connect')
    .description('Speaks to a local host on standard streams, and to a remote server of any era.')
    .usage('<url> [options]')
    .helpOption('-h, --help', 'print this text')
    .argument('<url>', 'where the server is', readServerUrl)
    .option(
      '--header <line>',
      '"Name: value" for it; seen in ps, so prefer TIDEGATE_UPSTREAM_HEADERS (repeatable)',
      readHeader,
    )
    .option(
      '--allow <host>',
      'a host to call without TLS and at a private address (repeatable)',
      readAllowedHost,
    )
    .option('--client-id <id>', 'our client where it asks to sign in; default: registers one')
    .option('--issuer <url>', 'the authorization server; default: the one it names', readServerUrl)
    .option('--scope <scopes>', 'what to sign in for; default: what it asks for')
    .option('--ca <file>', 'certificates to trust besides the platform’s')
    .option('--proxy <url>', 'the way there; default: HTTPS_PROXY, HTTP_PROXY, NO_PROXY')
    .option('--no-browser', 'print the page to sign in at, and open no browser')
    .addOption(
      new Option('--log-level <level>', 'the least to log').choices(LOG_LEVELS).default('warn'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: pretty on a terminal').choices(LOG_FORMATS),
    )
    .addHelpText(
      'after',
      `
Example, in the configuration of a desktop host:
  {"mcpServers": {"example": {
    "command": "tidegate", "args": ["connect", "https://mcp.example.com/mcp"]}}}`,
    );
}
