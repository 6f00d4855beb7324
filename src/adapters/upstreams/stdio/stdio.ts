import { basename } from 'node:path';
import { boundsWith } from '../../../core/bounds-with.ts';
import { guardedTelemetry } from '../../../core/guarded-telemetry.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../core/limits.ts';
import {
  byName,
  checkOption,
  checkOptions,
  flag,
  milliseconds,
  oneOf,
  type OptionKind,
  shape,
  telemetry,
  text,
  texts,
  wholeNumber,
  word,
} from '../../../core/option-kinds.ts';
import type {
  Principal,
  Telemetry,
  Upstream,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../../core/ports.ts';
import { type ChildBounds, childCommand } from './child-command.ts';
import { childEnvironment } from './child-environment.ts';
import type { ChildResources } from './child-resources.ts';
import { DEFAULT_STOP_TIMES, type StopTimes } from './group-ending.ts';
import { type ChildPlan, StdioConnection } from './stdio-connection.ts';
import { acquireWatchdog } from './watchdog.ts';

export interface StdioOptions {
  /** Variables set for the server. Default: none. */
  readonly env?: Readonly<Record<string, string>> | undefined;
  /**
   * Names of our own variables that the server gets too. Default: none besides `HOME`, `LANG`,
   * `LOGNAME`, `PATH`, `SHELL`, `TERM`, `TMPDIR`, `USER`, or on Windows their likes.
   */
  readonly inheritEnv?: readonly string[] | undefined;
  /** The server's working directory. Default: ours. */
  readonly cwd?: string | undefined;
  /**
   * A folder below which each child works in one of its tenant's, or of its principal's where
   * nobody shares an instance: made when needed, mode 0700, never shared by two tenants. Takes the
   * place of `cwd`. Default: none.
   */
  readonly workdir?: string | undefined;
  /**
   * What each process of the server may use; Linux only, by `prlimit`. Where the system cannot hold
   * a child to them, none is started. Default: what we may use.
   */
  readonly resources?: ChildResources | undefined;
  /**
   * Words in front of the command, such as `['bwrap', …, '--']`: what shuts the server in and runs
   * it. `{workdir}` in a word stands for the folder the child works in. No shell. Default: none.
   */
  readonly sandbox?: readonly string[] | undefined;
  /** Uses `upstreamLineBytesMax` and `upstreamQueueBytesMax`. */
  readonly limits?: Partial<Limits> | undefined;
  /** Default: nothing is seen. */
  readonly telemetry?: Telemetry | undefined;
  /** Default: SIGTERM 2,000 ms after the end of the input, SIGKILL 5,000 ms later. */
  readonly stopMs?: Partial<StopTimes> | undefined;
  /**
   * `log`: stderr goes to the log, bounded and escaped, whatever secrets the server writes there;
   * `count`: its lines are only counted. Default: `count`.
   */
  readonly stderr?: 'log' | 'count' | undefined;
  /**
   * Whether processes that left the server's process group (daemons, detached browsers) end with it
   * too. They are known by the variable `TIDEGATE_CHILD` in their environment; Linux only. Default:
   * true.
   */
  readonly endStrays?: boolean | undefined;
}

const SILENT: Telemetry = { log() {}, count() {}, request() {}, streamClosed() {} };

/**
 * An MCP server that is a command: each connection is one child process, spawned without a shell in
 * its own process group. No process of it outlives us, whatever we die of.
 * @param command - a program's name or path. On Windows a `.cmd` file needs `cmd` with `/c` in
 * front.
 * @throws TypeError when the command is no text, its arguments no list of texts, or an option of
 * the wrong kind.
 */
export function stdio(
  command: string,
  args: readonly string[] = [],
  options: StdioOptions = {},
): Upstream {
  if (typeof command !== 'string' || command === '') {
    throw new TypeError(
      "Give a command and a list of its arguments: stdio('node', ['server.js']).",
    );
  }
  // A text is a list of letters, too, and each would be an argument.
  checkOption('The arguments', args, texts);
  checkOptions(options, STDIO_KINDS);
  const limits = boundsWith(DEFAULT_LIMITS, options.limits);
  const { workdir, resources, sandbox = [] } = options;
  const plan = {
    name: basename(command),
    command,
    args: [...args],
    cwd: options.cwd,
    env: childEnvironment(
      process.env,
      options.inheritEnv ?? [],
      options.env ?? {},
      process.platform,
    ),
    lineBytesMax: limits.upstreamLineBytesMax,
    queueBytesMax: limits.upstreamQueueBytesMax,
    stop: { ...DEFAULT_STOP_TIMES, ...options.stopMs },
    endsStrays: options.endStrays ?? true,
    logsStderr: options.stderr === 'log',
    telemetry: guardedTelemetry(options.telemetry ?? SILENT),
  };
  return new StdioUpstream(plan, { workdir, resources, sandbox });
}

type StdioKind = Exclude<keyof StdioOptions, 'limits'>;

const some = wholeNumber(1);

/** What a server may be given. A limit of another name would hold nothing in. */
export const STDIO_KINDS: Readonly<Record<StdioKind, OptionKind>> = {
  env: byName(text),
  inheritEnv: texts,
  cwd: word,
  workdir: word,
  resources: shape({ memoryMb: some, processes: some, files: some, cpuSeconds: some }),
  sandbox: texts,
  telemetry,
  stopMs: shape({ stdinMs: milliseconds, termMs: milliseconds }),
  stderr: oneOf('log', 'count'),
  endStrays: flag,
};

class StdioUpstream implements Upstream {
  readonly kind = 'stdio';
  readonly name: string;
  readonly #plan: ChildPlan;
  readonly #bounds: ChildBounds;
  readonly #connections: Set<StdioConnection> = new Set();
  #watchdog: ReturnType<typeof acquireWatchdog> | undefined;
  #onEmpty: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(plan: ChildPlan, bounds: ChildBounds) {
    this.name = plan.name;
    this.#plan = plan;
    this.#bounds = bounds;
  }

  /** The era makes no difference to a child: it learns it from the first message. */
  connect(
    _era: UpstreamEra,
    events: UpstreamEvents,
    caller?: Principal,
    tenant?: string,
  ): UpstreamConnection {
    if (this.#closing !== undefined) {
      return refusedConnection(events, 'closed', 'the upstream was closed before');
    }
    const spawned = childCommand(this.#plan, this.#bounds, { caller, tenant });
    if (spawned.kind === 'unusable') {
      return refusedConnection(events, 'start-failed', spawned.reason);
    }
    const { command, args, cwd } = spawned;
    const plan = { ...this.#plan, command, args, cwd };
    this.#watchdog ??= acquireWatchdog(this.#plan.telemetry);
    const connection = new StdioConnection(plan, events, this.#watchdog.watchdog, () => {
      this.#connections.delete(connection);
      if (this.#connections.size === 0) this.#onEmpty?.();
    });
    this.#connections.add(connection);
    return connection;
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (this.#connections.size > 0) {
      const emptied = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      for (const connection of this.#connections) connection.close();
      await emptied;
    }
    await this.#watchdog?.release();
  }
}

function refusedConnection(
  events: UpstreamEvents,
  cause: UpstreamClosedCause,
  detail: string,
): UpstreamConnection {
  process.nextTick(() => events.onClosed(cause, detail));
  return { send: () => 'closed', close() {} };
}
