/** Runs the chosen scenarios one after the other and writes their report. */
import { spawnSync } from 'node:child_process';
import { cpus, loadavg, release, totalmem } from 'node:os';
import { fileURLToPath } from 'node:url';
import { writeReport } from '../report.mjs';
import { measureBridged } from '../scenarios/bridged.mjs';
import { CONCURRENCY, measureCalls } from '../scenarios/calls.mjs';
import { measureConnect } from '../scenarios/connect.mjs';
import { measureFlat } from '../scenarios/flat.mjs';
import { measureGateway } from '../scenarios/gateway.mjs';
import { measureIdle } from '../scenarios/idle.mjs';
import { measureNeighbours } from '../scenarios/neighbours.mjs';
import { measurePrincipals } from '../scenarios/principals.mjs';
import { measureRemote } from '../scenarios/remote.mjs';
import { measureStalled } from '../scenarios/stalled.mjs';
import { measureTrust } from '../scenarios/trust.mjs';
import { BARE_GATEWAY, MCP_PROXY_6, PACKAGES, SDK_V1, SERVERS, TIDEGATE } from '../servers.mjs';
import { judge } from '../targets.mjs';
import { stopLoads } from './load-process.mjs';
import { canYield, isPinned, LOAD_CORE, pinSelf, SERVER_CORE } from './pinning.mjs';
import { stopServers } from './running-server.mjs';

const MEASURES = {
  calls: measureCalls,
  bridged: measureBridged,
  remote: measureRemote,
  connect: measureConnect,
  principals: measurePrincipals,
  gateway: measureGateway,
  trust: measureTrust,
  neighbours: measureNeighbours,
  idle: measureIdle,
  flat: (context) => measureFlat({ ...context, servers: both(context.servers) }),
  stalled: (context) => measureStalled({ ...context, servers: holders(context.servers) }),
};
// The question of the flat cost is put to Tidegate; the floor shows what the machine itself adds.
const both = (servers) => servers.filter((entry) => [BARE_GATEWAY, TIDEGATE].includes(entry));
// One floor and the peers that differ: each takes a while.
const HOLDERS = [BARE_GATEWAY, TIDEGATE, SDK_V1, MCP_PROXY_6];
const holders = (servers) => servers.filter((entry) => HOLDERS.includes(entry));

/** True when every target that was measured is met. */
export async function measure({ only, servers: names, isQuick }) {
  pinSelf();
  const begun = Date.now();
  const machine = describeMachine(isQuick);
  const servers = SERVERS.filter(({ name }) => names === undefined || names.includes(name));
  const say = (text) => process.stderr.write(`${seconds(begun)} s  ${text}\n`);
  const results = {};
  for (const signal of ['SIGINT', 'SIGTERM']) process.once(signal, () => void leave(1));
  try {
    for (const name of only) results[name] = await MEASURES[name]({ servers, isQuick, say });
  } finally {
    stopLoads();
    await stopServers();
  }
  machine.loadAfter = loadavg()[0].toFixed(2);
  machine.seconds = seconds(begun);
  const targets = judge(results);
  const partial =
    only.length < Object.keys(MEASURES).length || names !== undefined ? `-${only.join('-')}` : '';
  const name = `${machine.date}-${machine.slug}${partial}${isQuick ? '-quick' : ''}`;
  const file = writeReport(name, { machine, targets, ...results });
  for (const row of targets) {
    const verdict = row.missing === undefined ? (row.isMet ? 'pass' : 'FAIL') : 'n/a ';
    say(`${verdict}  ${row.what}: ${row.value ?? row.missing} (${row.target})`);
  }
  say(`written to ${file}`);
  return targets.every(({ isMet }) => isMet !== false);
}

async function leave(code) {
  stopLoads();
  await stopServers();
  process.exit(code);
}

function describeMachine(isQuick) {
  const [cpu] = cpus();
  const git = spawnSync('git', ['rev-parse', '--short', 'HEAD'], {
    cwd: fileURLToPath(new URL('..', import.meta.url)),
    encoding: 'utf8',
  });
  const slug = `${cpu.model} ${cpus().length}-core`.toLowerCase().replaceAll(/[^a-z0-9]+/g, '-');
  return {
    date: new Date().toISOString().slice(0, 10),
    slug,
    cpu: cpu.model,
    cores: cpus().length,
    memoryGb: Math.round(totalmem() / 2 ** 30),
    kernel: `Linux ${release()}`,
    node: process.version,
    packages: PACKAGES,
    commit: `commit ${git.stdout?.trim() || 'unknown'}`,
    pinning: isPinned
      ? `server and its children on core ${SERVER_CORE}, load on core ${LOAD_CORE} (taskset)${canYield ? ', SCHED_IDLE (chrt)' : ''}`
      : 'not pinned: no taskset, or one core only',
    concurrency: CONCURRENCY,
    loadBefore: loadavg()[0].toFixed(2),
    isQuick,
  };
}

function seconds(begun) {
  return Math.round((Date.now() - begun) / 1000);
}
