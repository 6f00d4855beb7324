import { basename } from 'node:path';
import { DEFAULT_LIMITS, type Limits } from '../../../core/limits.ts';
import type {
  Telemetry,
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../../core/ports.ts';
import { childEnvironment } from './child-environment.ts';
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
  /** Uses `upstreamLineBytesMax` and `upstreamQueueBytesMax`. */
  readonly limits?: Partial<Limits> | undefined;
  /** Default: nothing is seen. */
  readonly telemetry?: Telemetry | undefined;
  /** Default: SIGTERM 2,000 ms after the end of the input, SIGKILL 5,000 ms later. */
  readonly stopMs?: Partial<StopTimes> | undefined;
  /**
   * `log`: stderr goes to the log, bounded and escaped; `count`: its lines are only counted.
   * Default: `log`.
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
 */
export function stdio(
  command: string,
  args: readonly string[] = [],
  options: StdioOptions = {},
): Upstream {
  const limits = { ...DEFAULT_LIMITS, ...options.limits };
  return new StdioUpstream({
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
    logsStderr: options.stderr !== 'count',
    telemetry: options.telemetry ?? SILENT,
  });
}

class StdioUpstream implements Upstream {
  readonly kind = 'stdio';
  readonly name: string;
  readonly #plan: ChildPlan;
  readonly #connections: Set<StdioConnection> = new Set();
  #watchdog: ReturnType<typeof acquireWatchdog> | undefined;
  #onEmpty: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(plan: ChildPlan) {
    this.name = plan.name;
    this.#plan = plan;
  }

  /** The era makes no difference to a child: it learns it from the first message. */
  connect(_era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    if (this.#closing !== undefined) return refusedConnection(events);
    this.#watchdog ??= acquireWatchdog(this.#plan.telemetry);
    const connection = new StdioConnection(this.#plan, events, this.#watchdog.watchdog, () => {
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

function refusedConnection(events: UpstreamEvents): UpstreamConnection {
  process.nextTick(() => events.onClosed('closed', 'the upstream was closed before'));
  return { send: () => 'closed', close() {} };
}
