/**
 * CPU and memory of a server and everything it started, from the kernel's own accounting in /proc.
 * The stdio children are told from the gateway by their command line, so that each pays for itself.
 */
import { readdirSync, readFileSync, writeFileSync } from 'node:fs';

const CHILD_MARK = '/bench/children/';
// Clock ticks a second of /proc/<pid>/stat; 100 on every Linux that Node supports.
const TICK_NS = 10_000_000;

/** The process ids of `root` and its descendants, oldest first. */
export function processTree(root) {
  const parents = new Map();
  for (const name of readdirSync('/proc')) {
    if (!/^\d+$/.test(name)) continue;
    const stat = statOf(name);
    if (stat !== undefined) parents.set(Number(name), stat.parent);
  }
  const tree = [root];
  for (const pid of tree) {
    for (const [child, parent] of parents) if (parent === pid) tree.push(child);
  }
  return tree;
}

/** Nanoseconds of CPU used so far: `gatewayNs`, `childNs` and the number of stdio children alive. */
export function cpuOf(root) {
  const total = { gatewayNs: 0, childNs: 0, children: 0 };
  for (const pid of processTree(root)) {
    const stat = statOf(pid);
    if (stat === undefined) continue;
    const command = commandOf(pid);
    const isChild = pid !== root && command.includes(CHILD_MARK);
    // A shell that only waits for the child is part of its bill, not another child.
    if (isChild && !command.startsWith('/bin/sh')) total.children += 1;
    total[isChild ? 'childNs' : 'gatewayNs'] += threadsNs(pid);
    // Children that came and went are only in their parent's books.
    total.childNs += stat.reapedTicks * TICK_NS;
  }
  return total;
}

/** Resident KiB of the one process `pid`. */
export function residentKb(pid) {
  const status = readFileSync(`/proc/${pid}/status`, 'utf8');
  return Number(/VmRSS:\s+(\d+)/.exec(status)[1]);
}

/** Begins a new high-water mark of `pid`, as proc(5) has it for clear_refs. */
export function resetPeak(pid) {
  writeFileSync(`/proc/${pid}/clear_refs`, '5');
}

/** The most resident KiB of `pid` since `resetPeak`. */
export function peakKb(pid) {
  return Number(/VmHWM:\s+(\d+)/.exec(readFileSync(`/proc/${pid}/status`, 'utf8'))[1]);
}

function commandOf(pid) {
  try {
    return readFileSync(`/proc/${pid}/cmdline`, 'utf8').replaceAll('\0', ' ');
  } catch {
    return '';
  }
}

// schedstat counts nanoseconds but one thread a file, so the threads are added up.
function threadsNs(pid) {
  let ns = 0;
  try {
    for (const thread of readdirSync(`/proc/${pid}/task`)) {
      ns += Number(readFileSync(`/proc/${pid}/task/${thread}/schedstat`, 'utf8').split(' ')[0]);
    }
  } catch {
    return ns;
  }
  return ns;
}

function statOf(pid) {
  try {
    const text = readFileSync(`/proc/${pid}/stat`, 'utf8');
    const fields = text.slice(text.lastIndexOf(')') + 2).split(' ');
    return { parent: Number(fields[1]), reapedTicks: Number(fields[13]) + Number(fields[14]) };
  } catch {
    return undefined;
  }
}
