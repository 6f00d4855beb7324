/** Reads the words after `tidegate connect`. Pure, as `command-line.ts` is. */
import { Command, Option } from 'commander';
import { readAllowedHost, readHeader, readServerUrl } from './read-option.ts';
import type { LogFormat } from '../adapters/telemetry/console-telemetry.ts';
import type { LogLevel } from '../core/ports.ts';
import { type Environment, LOG_FORMATS, LOG_LEVELS, type RemoteChoice } from './serve-options.ts';
import { parseSubcommand, type SubcommandEnd } from './subcommand.ts';
import { variableHeaders } from './variable-headers.ts';

/** `tidegate connect <url> [options]`, checked. */
export interface ConnectOptions {
  readonly remote: RemoteChoice;
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
  return {
    kind: 'connect',
    options: {
      remote: {
        url: program.processedArgs[0] as string,
        headers: { ...headers, ...raw.header },
        allowedHosts: raw.allow ?? [],
      },
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
