/**
 * The program of the watchdog process, which outlives us to end what we started.
 *
 * It travels as text to `node -e`, so that it needs no file of its own: the same from `dist`, from
 * source under a test runner and inside a bundle, none of which agree on where a second file would
 * be. Hence the rule of this module: nothing here may use an import, a constant or a function that
 * is not listed in `PARTS`.
 *
 * It reads lines from its input: `+pid` a process group to end when we die, `-pid n` it is gone,
 * our n-th child; look for strays that left the group. When its input ends, by our orderly end or
 * by any death, it ends all.
 */
export const MARKER_NAME = 'TIDEGATE_CHILD';

interface Watched {
  /** Leaders of process groups that may live. */
  readonly groups: Set<number>;
  /** Children whose strays are being ended: the text in their environment, and since when. */
  readonly ended: Map<string, number>;
  /** Strays that got SIGTERM already. */
  readonly asked: Set<number>;
  /** What every child of ours has in its environment. */
  readonly marker: string;
  isLast: boolean;
}

function watchdog(): void {
  const marker = `TIDEGATE_CHILD=${process.argv[1]}.`;
  const watched: Watched = {
    groups: new Set(),
    ended: new Map(),
    asked: new Set(),
    marker,
    isLast: false,
  };
  process.title = 'tidegate-watchdog';
  // A supervisor that signals every process of a service must not take the watchdog away before us.
  for (const signal of ['SIGINT', 'SIGTERM', 'SIGHUP'] as const) process.on(signal, () => {});
  let rest = '';
  const last = (): void => {
    if (watched.isLast) return;
    watched.isLast = true;
    endAll(watched, Date.now(), true);
  };
  process.stdin.setEncoding('latin1');
  process.stdin.on('data', (text) => {
    const lines = `${rest}${String(text)}`.split('\n');
    rest = lines.pop() ?? '';
    for (const line of lines) obey(watched, line);
  });
  process.stdin.on('end', last).on('error', last).on('close', last);
}

function obey(watched: Watched, line: string): void {
  const [, verb, digits, child] = /^([+-])(\d+)(?: (\d+))?$/.exec(line) ?? [];
  const pid = Number(digits);
  if (!(pid > 1)) return;
  if (verb === '+') {
    watched.groups.add(pid);
    return;
  }
  watched.groups.delete(pid);
  if (child === undefined || process.platform !== 'linux') return;
  if (watched.ended.size === 0) setTimeout(() => endStrays(watched), 50);
  watched.ended.set(`${watched.marker}${child}\0`, Date.now());
}

/** Ends what left the groups of children that are gone: SIGTERM, and SIGKILL two seconds later. */
function endStrays(watched: Watched): void {
  if (watched.isLast) return;
  for (const [needle, since] of watched.ended) {
    const strays = marked(needle);
    const isOver = Date.now() - since > 2000;
    for (const pid of strays) {
      if (isOver || !watched.asked.has(pid)) signal(pid, isOver ? 'SIGKILL' : 'SIGTERM');
      watched.asked.add(pid);
    }
    if (strays.length === 0 || Date.now() - since > 4000) watched.ended.delete(needle);
  }
  if (watched.ended.size > 0) setTimeout(() => endStrays(watched), 100);
  else watched.asked.clear();
}

/**
 * SIGTERM to all, SIGKILL two seconds later to what is left, and exit when nothing is, or two
 * seconds after.
 */
function endAll(watched: Watched, since: number, isFirst: boolean): void {
  const elapsed = Date.now() - since;
  const isOver = elapsed > 2000;
  for (const pid of watched.groups) {
    const target = process.platform === 'win32' ? pid : -pid;
    const isLeft = signal(target, isOver ? 'SIGKILL' : isFirst ? 'SIGTERM' : 0);
    if (!isLeft || !isGroupRunning(pid)) watched.groups.delete(pid);
  }
  let left = watched.groups.size;
  if (left === 0 || isOver) {
    for (const pid of marked(watched.marker)) {
      if (isOver || !watched.asked.has(pid)) signal(pid, isOver ? 'SIGKILL' : 'SIGTERM');
      watched.asked.add(pid);
      left += 1;
    }
  }
  if (left === 0 || elapsed > 4000) process.exit(0);
  setTimeout(() => endAll(watched, since, false), 25);
}

/** Whether the target existed. On Windows any signal ends the tree. */
function signal(target: number, name: NodeJS.Signals | 0): boolean {
  try {
    process.kill(target, process.platform === 'win32' ? 0 : name);
  } catch (error) {
    return (error as NodeJS.ErrnoException).code !== 'ESRCH';
  }
  if (process.platform === 'win32' && name !== 0) {
    const { spawnSync } = process.getBuiltinModule('node:child_process');
    const asked = ['/PID', String(target), '/T', '/F'];
    spawnSync('taskkill', asked, { stdio: 'ignore', windowsHide: true });
  }
  return true;
}

/** Processes with this text in their environment; only Linux lets us look. */
function marked(needle: string): readonly number[] {
  if (process.platform !== 'linux') return [];
  const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs');
  return readdirSync('/proc')
    .map(Number)
    .filter((pid) => {
      if (!(pid > 1)) return false;
      try {
        return readFileSync(`/proc/${pid}/environ`, 'latin1').includes(needle);
      } catch {
        // It is gone, or it is another user's and so none of ours.
        return false;
      }
    });
}

/**
 * Whether a group that still takes signals has a member that runs. The dead stay members until
 * somebody collects them, which in a container whose first process is no init may be never.
 */
export function isGroupRunning(group: number): boolean {
  if (process.platform !== 'linux') return true;
  const { readdirSync, readFileSync } = process.getBuiltinModule('node:fs');
  return readdirSync('/proc').some((name) => {
    if (!(Number(name) > 1)) return false;
    try {
      const stat = readFileSync(`/proc/${name}/stat`, 'latin1');
      // After the name, which may hold anything: state, parent, group.
      const [state, , member] = stat.slice(stat.lastIndexOf(')') + 2).split(' ');
      return Number(member) === group && state !== 'Z' && state !== 'X';
    } catch {
      return false;
    }
  });
}

const PARTS = [watchdog, obey, endStrays, endAll, signal, marked, isGroupRunning] as const;

/** What `node -e` runs; its first argument is the text that marks our children. */
export const WATCHDOG_PROGRAM: string = `${PARTS.map(String).join('\n')}\n${watchdog.name}();`;
