/** The program `tidegate`: connects the command with this process, and decides nothing. */
import { isatty } from 'node:tty';
import { lowerBackgroundThreads } from '../adapters/system/background-threads.ts';
import { setHeapGrowth } from '../adapters/system/heap-growth.ts';
import { packageVersion } from './package-version.ts';
import { readCommandLine } from './command-line.ts';
import type { AuditOptions } from './audit-line.ts';
import type { CheckOptions } from './check-line.ts';
import type { ConnectOptions } from './connect-line.ts';
import type { KeysOptions } from './keys-line.ts';
import type { RunningGateway } from './gateway-command.ts';
import type { GatewayLineOptions } from './gateway-line.ts';
import { gatewayJson, gatewayText } from './gateway-text.ts';
import { Lifecycle } from './lifecycle.ts';
import type { PolicyOptions } from './policy-line.ts';
import type { RunningCommand } from './serve-command.ts';
import type { ServeOptions } from './serve-options.ts';
import { startupJson, startupText } from './startup-text.ts';

/** @param argv - the words after the program's name. */
export async function runProgram(argv: readonly string[]): Promise<void> {
  // Whoever read our output may be gone before we are.
  process.stdout.on('error', () => {});
  process.stderr.on('error', () => {});
  // Node would open its debugger, which asks nobody for a credential.
  process.on('SIGUSR1', () => {});
  const version = packageVersion();
  const line = readCommandLine(argv, process.env, version);
  if (line.kind === 'shown') process.stdout.write(line.text);
  else if (line.kind === 'wrong') fail(2, line.reason);
  else if (line.kind === 'connect') await connect(line.options, version);
  else if (line.kind === 'keys') await keys(line.options);
  else if (line.kind === 'audit') await audit(line.options);
  else if (isNowhere()) fail(1, 'the current folder is gone. Start in one that exists.');
  else if (line.kind === 'check') await check(line.options);
  else if (line.kind === 'policy') await policy(line.options);
  else if (line.kind === 'gateway') await startGateway(line.options, version);
  else await start(line.options, version);
}

/** Whether the folder that relative paths begin at was removed. */
function isNowhere(): boolean {
  try {
    return process.cwd() === '';
  } catch {
    return true;
  }
}

/** Standard output belongs to the host: whatever else is said goes to standard error. */
async function connect(options: ConnectOptions, version: string): Promise<void> {
  const { connectCommand } = await import('./connect-command.ts');
  const outcome = await connectCommand(
    options,
    { input: process.stdin, output: process.stdout },
    { env: process.env, version, isTerminal: process.stderr.isTTY },
  );
  if (outcome.kind === 'failed') {
    fail(outcome.exitCode, outcome.reason);
    return;
  }
  for (const signal of ['SIGTERM', 'SIGINT', 'SIGHUP'] as const) {
    process.on(signal, () => outcome.connection.close());
  }
  if (process.stdin.isTTY) process.stderr.write(WAITING);
  process.exit(await outcome.connection.ended);
}

async function check(options: CheckOptions): Promise<void> {
  const { checkCommand } = await import('./check-command.ts');
  finish(checkCommand(options, process.env));
}

async function keys(options: KeysOptions): Promise<void> {
  const { keysCommand } = await import('./keys-command.ts');
  finish(keysCommand(options, Date.now()));
}

async function audit(options: AuditOptions): Promise<void> {
  const { auditCommand } = await import('./audit-command.ts');
  finish(await auditCommand(options));
}

async function policy(options: PolicyOptions): Promise<void> {
  const { policyCommand } = await import('./policy-command.ts');
  finish(policyCommand(options, process.env));
}

/**
 * Says what a command that serves nothing has to say, and ends. Its output is what it is for: a key
 * that is printed once and reaches nobody is lost.
 */
function finish(outcome: { exitCode: number; output: string; text: string }): void {
  process.stdout.on('error', ({ code = 'unknown error' }: NodeJS.ErrnoException) => {
    // Whoever reads the first line alone, as head does, has what he wanted.
    if (code !== 'EPIPE') fail(1, `standard output cannot be written (${code}): its text is lost.`);
  });
  process.stdout.write(outcome.output);
  process.stderr.write(outcome.text);
  process.exitCode = outcome.exitCode;
}

/** What we ask of V8 before a server is loaded. */
function prepareEngine(): void {
  setHeapGrowth();
  lowerBackgroundThreads();
}

async function start(options: ServeOptions, version: string): Promise<void> {
  prepareEngine();
  // Loaded only when something is served: `--help` does not wait for it.
  const { serveCommand } = await import('./serve-command.ts');
  const outcome = await serveCommand(options, {
    env: process.env,
    version,
    isTerminal: process.stderr.isTTY,
  });
  if (outcome.kind === 'failed') {
    fail(outcome.exitCode, outcome.reason);
    return;
  }
  const signals = obeySignals(outcome.command, options.drainMs);
  process.on('SIGHUP', () => signals.onSignal('SIGHUP'));
  if (process.stderr.isTTY && !options.isJson) process.once('SIGINT', explainDrain);
  if (options.isJson) process.stdout.write(startupJson(outcome.command.facts));
  else process.stderr.write(startupText(outcome.command.facts));
}

async function startGateway(options: GatewayLineOptions, version: string): Promise<void> {
  prepareEngine();
  const { gatewayCommand } = await import('./gateway-command.ts');
  const { isTTY } = process.stderr;
  const outcome = await gatewayCommand(options, { env: process.env, version, isTerminal: isTTY });
  if (outcome.kind === 'failed') {
    fail(outcome.exitCode, outcome.reason);
    return;
  }
  const { command } = outcome;
  const signals = obeySignals(command, command.drainMs);
  process.on('SIGHUP', () => {
    // A terminal that was closed says the same; nobody would see what it left running.
    if (isTTY && !isatty(process.stderr.fd)) signals.onSignal('SIGHUP');
    else command.reload();
  });
  if (isTTY && !options.isJson) process.once('SIGINT', explainDrain);
  if (options.isJson) process.stdout.write(gatewayJson(command.facts));
  else process.stderr.write(gatewayText(command.facts));
}

function obeySignals(
  command: Pick<RunningCommand, 'telemetry' | 'close' | 'abandon'> &
    Partial<Pick<RunningGateway, 'closeRecord'>>,
  drainMs: number,
): Lifecycle {
  const { telemetry } = command;
  const lifecycle = new Lifecycle({
    close: () => command.close(),
    abandon: () => command.abandon(),
    closeRecord: command.closeRecord,
    exit: (code) => {
      telemetry.flush();
      process.exit(code);
    },
    after: (delayMs, task) => {
      const timer = setTimeout(task, delayMs);
      return () => clearTimeout(timer);
    },
    now: () => performance.now(),
    drainMs,
    telemetry,
  });
  for (const signal of ['SIGTERM', 'SIGINT'] as const) {
    process.on(signal, () => lifecycle.onSignal(signal));
  }
  process.on('uncaughtException', (error, origin) => lifecycle.onFault(origin, error));
  return lifecycle;
}

/** A stream that idles may take most of the window; who waits at a terminal should know. */
function explainDrain(): void {
  process.stderr.write('Letting calls finish, and ending streams. Ctrl-C again stops at once.\n');
}

/** Whoever starts `connect` by hand sees nothing else, and would take it for stuck. */
const WAITING =
  'Waiting for messages on standard input, where a desktop host writes them. Ctrl-C ends it.\n';

function fail(exitCode: number, reason: string): void {
  process.stderr.write(`tidegate: ${reason}\n`);
  process.exitCode = exitCode;
}
