/** Reads the command line. Pure: what is wrong is a value, and nothing is printed here. */
import { Command, CommanderError, Option } from 'commander';
import { type AuditLine, readAuditLine } from './audit-line.ts';
import { type CheckLine, readCheckLine } from './check-line.ts';
import { type CheckedOptions, checkedOptions, SUBCOMMAND_USAGES } from './checked-options.ts';
import { type ConnectLine, readConnectLine } from './connect-line.ts';
import { type GatewayLine, readGatewayLine } from './gateway-line.ts';
import { type KeysLine, readKeysLine } from './keys-line.ts';
import { type PolicyLine, readPolicyLine } from './policy-line.ts';
import {
  readAllowedHost,
  readDrain,
  readHeader,
  readHost,
  readLimit,
  readOrigin,
  readPort,
  readPublicUrl,
  readServerUrl,
  readVariable,
} from './read-option.ts';
import type { RawOptions } from './raw-options.ts';
import {
  ENDPOINT_FORMS,
  type Environment,
  HEARTBEATS,
  ISOLATIONS,
  LOG_FORMATS,
  LOG_LEVELS,
  PRIMINGS,
} from './serve-options.ts';
import { usageFault } from './usage-fault.ts';

export type CommandLine =
  | CheckedOptions
  | ConnectLine
  | CheckLine
  | KeysLine
  | AuditLine
  | PolicyLine
  | GatewayLine
  /** What was asked for is this text: help or the version. */
  | { readonly kind: 'shown'; readonly text: string };

/**
 * @param argv - the words after the program's name.
 * @param env - the environment, for `TIDEGATE_TOKEN` and `--env NAME`.
 */
export function readCommandLine(
  argv: readonly string[],
  env: Environment,
  version: string,
): CommandLine {
  // `help` and `help keys` are what many type first.
  if (argv[0] === 'help') return readCommandLine([...helpTopic(argv[1]), '--help'], env, version);
  if (argv[0] === 'connect') return readConnectLine(argv.slice(1), env);
  if (argv[0] === 'check') return readCheckLine(argv.slice(1));
  if (argv[0] === 'keys') return readKeysLine(argv.slice(1));
  if (argv[0] === 'audit') return readAuditLine(argv.slice(1));
  if (argv[0] === 'policy') return readPolicyLine(argv.slice(1));
  const end = argv.indexOf('--');
  const ours = end === -1 ? argv : argv.slice(0, end);
  const command = end === -1 ? [] : argv.slice(end + 1);
  let shown = '';
  const program = defineProgram(env, version).configureOutput({
    writeOut: (text) => {
      shown += text;
    },
    writeErr: () => {},
  });
  try {
    program.parse(ours, { from: 'user' });
  } catch (error) {
    if (!(error instanceof CommanderError)) throw error;
    if (error.exitCode === 0) return { kind: 'shown', text: shown };
    return { kind: 'wrong', reason: `${usageFault(program, error)} See tidegate --help.` };
  }
  const raw = program.opts<RawOptions & Record<string, unknown>>();
  const strayWords = program.args;
  // The first word that belongs to no option ends the options.
  const strayPlace = ours.length - strayWords.length + 1;
  const rest = { strayWords, strayPlace, command, env };
  if (raw.config === undefined) return checkedOptions(raw, rest);
  const isGiven = (name: string): boolean => program.getOptionValueSource(name) === 'cli';
  return readGatewayLine(raw, isGiven, rest);
}

/** The command of its own that help is asked for; none: ours. */
function helpTopic(word: string | undefined): readonly string[] {
  return word !== undefined && SUBCOMMAND_USAGES.has(word) ? [word] : [];
}

function defineProgram(env: Environment, version: string): Command {
  const program = new Command('tidegate')
    .description('Puts an MCP server on the network, for clients of every protocol era.')
    .usage(
      [
        '[options] -- <command> [args...]',
        'tidegate --upstream <url> [options]',
        'tidegate --config <file> [options]',
        'tidegate connect <url> [options]',
        'tidegate check <file> [options]',
        'tidegate keys add|list|revoke [options]',
        'tidegate audit verify <file...>',
        'tidegate policy test <file>',
      ].join('\n       '),
    )
    .version(version, '-V, --version', 'print the version')
    .helpOption('-h, --help', 'print this text')
    .exitOverride()
    .passThroughOptions()
    // Words outside the options are told apart later, with a better sentence than "too many
    // arguments".
    .allowExcessArguments()
    .addHelpText('after', EXAMPLES);
  addDoorOptions(program);
  addServerOptions(program, env);
  addStreamOptions(program);
  addProcessOptions(program);
  for (const flags of LATER_FLAGS) program.addOption(new Option(flags).hideHelp());
  return program;
}

function addDoorOptions(program: Command): void {
  program
    .option('--host <host>', 'where to listen', readHost, '127.0.0.1')
    .option('--port <n>', 'where to listen; 0 picks a free port', readPort, 8808)
    .option('--token <t>', 'bearer token; others see it in ps, so prefer TIDEGATE_TOKEN')
    .option('--no-auth', 'ask for no credential')
    .option('--insecure', 'allow --no-auth where other machines can reach it')
    .option('--public-url <url>', 'what clients call this server by', readPublicUrl)
    .option('--allowed-origin <origin>', 'a browser origin that may call (repeatable)', readOrigin)
    .option('--tls-cert <file>', 'speak TLS: the certificate and its chain, in PEM')
    .option('--tls-key <file>', 'the key of the certificate, in PEM')
    .option('--tls-client-ca <file>', 'let in only clients with certificates of these authorities')
    .option('--tls-client-crl <file>', 'revocation lists of these authorities, in PEM');
}

function addServerOptions(program: Command, env: Environment): void {
  program
    .option('--config <file>', 'serve the servers of a file: tidegate.yaml, or mcpServers JSON')
    .option('--upstream <url>', 'serve a remote server instead of a command', readServerUrl)
    .option(
      '--upstream-header <line>',
      '"Name: value" for it; seen in ps, so prefer TIDEGATE_UPSTREAM_HEADERS (repeatable)',
      readHeader,
    )
    .option(
      '--upstream-allow <host>',
      'a host to call without TLS and at a private address (repeatable)',
      readAllowedHost,
    )
    .option('--upstream-client-id <id>', 'our client; its secret: TIDEGATE_UPSTREAM_CLIENT_SECRET')
    .option('--upstream-issuer <url>', 'the authorization server that gets it', readServerUrl)
    .option('--upstream-scope <scopes>', 'what our token is for; default: what it asks for')
    .option('--upstream-ca <file>', 'certificates to trust besides the platform’s')
    .option('--proxy <url>', 'the way there; default: HTTPS_PROXY, HTTP_PROXY, NO_PROXY')
    .addOption(
      new Option('--isolation <who>', 'who shares one process of the server')
        .choices(ISOLATIONS)
        .default('session'),
    )
    .option(
      '--env <name[=value]>',
      'pass a variable on to the server, or set it (repeatable)',
      (value: string, before?: Readonly<Record<string, string>>) =>
        readVariable(value, before, env),
    )
    .option('--cwd <folder>', 'the folder the server runs in')
    .option('--log-stderr', 'log what the server writes to stderr, secrets included');
}

function addStreamOptions(program: Command): void {
  program
    .addOption(
      new Option('--endpoint-form <form>', 'how 2024 clients are told where to post')
        .choices(ENDPOINT_FORMS)
        .default('relative'),
    )
    .addOption(
      new Option('--priming <when>', 'the first event of 2025-11-25 streams')
        .choices(PRIMINGS)
        .default('auto'),
    )
    .addOption(
      new Option('--heartbeat <form>', 'what keeps silent streams open')
        .choices(HEARTBEATS)
        .default('comment'),
    )
    .option('--bridge-tasks', 'carry tasks between clients and a server of other eras')
    .option('--limit <name=number>', 'change a bound (repeatable)', readLimit);
}

function addProcessOptions(program: Command): void {
  program
    .addOption(
      new Option('--drain <seconds>', 'how long calls may take to finish after SIGTERM')
        .argParser(readDrain)
        .default(20_000, '20'),
    )
    .addOption(
      new Option('--log-level <level>', 'the least to log').choices(LOG_LEVELS).default('info'),
    )
    .addOption(
      new Option('--log-format <format>', 'default: pretty on a terminal').choices(LOG_FORMATS),
    )
    .option('--json', 'print what is served as one line of JSON on stdout');
}

/** Promised for later: known, so that they are refused by name. */
const LATER_FLAGS = [
  '--store <store>',
  '--workers <n>',
  '--admin-port <n>',
  '--admin-host <host>',
] as const;

const EXAMPLES = `
Examples:
  tidegate -- npx -y @modelcontextprotocol/server-everything
  tidegate --env API_KEY --limit callMsMax=60000 -- uvx mcp-server-git --repository .
  tidegate --upstream https://mcp.example.com/mcp --isolation principal
  tidegate --config tidegate.yaml
  tidegate connect https://mcp.example.com/mcp
  TIDEGATE_TOKEN=… tidegate --host 0.0.0.0 --public-url https://mcp.example.com -- node server.js`;
