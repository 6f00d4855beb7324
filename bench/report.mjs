/** Writes the result of one run as Markdown for people and JSON beside it for programs. */
import { mkdirSync, writeFileSync } from 'node:fs';
import { fileURLToPath } from 'node:url';
import { connectText, gatewayText, principalsText } from './era-report.mjs';
import { neighboursText } from './neighbours-report.mjs';
import { trustText } from './trust-report.mjs';
import { spread } from './measure/statistics.mjs';

const FOLDER = fileURLToPath(new URL('./results/', import.meta.url));

export function writeReport(name, report) {
  mkdirSync(FOLDER, { recursive: true });
  writeFileSync(`${FOLDER}${name}.json`, `${JSON.stringify(report, undefined, 2)}\n`);
  writeFileSync(`${FOLDER}${name}.md`, markdown(report));
  return `bench/results/${name}.md`;
}

function markdown({ machine, targets, calls, idle, flat, stalled, ...others }) {
  const { bridged, remote, connect, principals, gateway, trust, neighbours } = others;
  const parts = [
    `# Benchmark of ${machine.date}`,
    section('Machine', machineTable(machine)),
    section('Targets', targetTable(targets)),
  ];
  if (calls) parts.push(section('A `tools/call`', callsText(calls, machine)));
  if (bridged) parts.push(section('A bridged call', callsText(bridged, machine)));
  if (remote) parts.push(section('A call to a remote server', callsText(remote, machine)));
  if (connect) parts.push(section('`tidegate connect`', connectText(connect)));
  if (principals) parts.push(section('Many principals', principalsText(principals)));
  if (gateway) parts.push(section('Many servers', gatewayText(gateway)));
  if (trust) parts.push(section('What trust costs', trustText(trust)));
  if (neighbours) parts.push(section('A noisy neighbour', neighboursText(neighbours)));
  if (idle) parts.push(section('Idle 2024 streams and fan-out', idleText(idle)));
  if (flat) parts.push(section('Cost of a call beside idle streams', flatText(flat)));
  if (stalled) parts.push(section('A reader that stalls', stalledText(stalled)));
  return `${parts.join('\n\n')}\n`;
}

const section = (title, text) => `## ${title}\n\n${text}`;

function table(head, rows) {
  const line = (cells) => `| ${cells.join(' | ')} |`;
  return [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
}

function machineTable(machine) {
  const rows = [
    ['machine', `${machine.cpu}, ${machine.cores} cores, ${machine.memoryGb} GB`],
    ['kernel', machine.kernel],
    ['Node', machine.node],
    ['packages', machine.packages.join(', ')],
    ['tidegate', machine.commit],
    ['cores', machine.pinning],
    ['load average before and after', `${machine.loadBefore} and ${machine.loadAfter}`],
    ['took', `${machine.seconds} s${machine.isQuick ? ', shortened with --quick' : ''}`],
  ];
  return `${table(['what', 'value'], rows)}\n\nMethod: [bench/README.md](../README.md).`;
}

function targetTable(targets) {
  const verdict = (row) => (row.missing === undefined ? (row.isMet ? 'pass' : '**fail**') : 'n/a');
  const rows = targets.map((row) => [
    row.what,
    row.target,
    row.value ?? `n/a: ${row.missing}`,
    verdict(row),
  ]);
  return table(['what', 'target', 'measured', 'verdict'], rows);
}

const CALL_HEAD = [
  'server',
  'gateway CPU, us a call',
  'against the floor',
  'child CPU, us a call',
  'calls a second',
  'p50 ms',
  'p99 ms',
  'children',
];

function callsText(calls, machine) {
  const intro =
    `Closed loop, ${machine.concurrency} clients with one call in flight each; median of ` +
    'interleaved rounds (least to most). Latency at saturation is mostly waiting in line.';
  const alone = 'One client, one call in flight: latency without a line to wait in.';
  return [
    intro,
    ...[2024, 2025, 2026].map((era) => callTable(calls, era, 'rounds', `Era ${era}`)),
    alone,
    ...[2024, 2025, 2026].map((era) => callTable(calls, era, 'alone', `Era ${era}, alone`)),
  ].join('\n\n');
}

function callTable(calls, era, kind, title) {
  const ofEra = calls.filter((row) => row.era === era);
  const floor = ofEra.find(({ name }) => name === 'bare-gateway');
  const floorUs = floor?.[kind]?.length ? spread(floor[kind].map((r) => r.gatewayUs)).median : 0;
  const rows = ofEra.map((row) => callRow(row, row[kind], floorUs));
  return `### ${title}\n\n${table(CALL_HEAD, rows)}`;
}

function callRow(row, rounds, floorUs) {
  const label = row.note === undefined ? row.label : `${row.label} (${row.note})`;
  if (!rounds?.length) return [label, `n/a: ${row.why}`, '', '', '', '', '', ''];
  const show = (key, digits) =>
    ranged(
      rounds.map((round) => round[key]),
      digits,
    );
  const ratio = spread(rounds.map(({ gatewayUs }) => gatewayUs)).median / floorUs;
  return [
    label,
    show('gatewayUs', 1),
    Number.isFinite(ratio) ? ratio.toFixed(2) : '',
    show('childUs', 1),
    show('callsPerS', 0),
    show('p50Ms', 2),
    show('p99Ms', 2),
    String(row.children),
  ];
}

function idleText(idle) {
  const head = [
    'server',
    'streams',
    'resident KB a stream',
    'of it live JavaScript memory',
    'idle CPU, % of a core',
    'opens a second',
    'CPU us an open',
    'fan-out, CPU us a delivered event',
  ];
  const rows = idle.map((row) => {
    if (row.why !== undefined) return [row.label, `n/a: ${row.why}`, '', '', '', '', '', ''];
    const fanOut = row.fanOutWhy === undefined ? ranged(row.fanOutUs, 1) : `n/a: ${row.fanOutWhy}`;
    return [
      row.label,
      String(row.count),
      row.kbPerStream.toFixed(1),
      row.usedKbPerStream.toFixed(1),
      row.idleCpuPercent.toFixed(2),
      row.opensPerS.toFixed(0),
      row.openCpuUs.toFixed(0),
      fanOut,
    ];
  });
  return table(head, rows);
}

function flatText(flat) {
  const rows = flat.map((row) => {
    if (row.why !== undefined) return [row.label, String(row.count), `n/a: ${row.why}`, ''];
    const show = (key, digits) =>
      ranged(
        row.rounds.map((round) => round[key]),
        digits,
      );
    return [row.label, String(row.count), show('gatewayUs', 1), show('callsPerS', 0)];
  });
  const head = ['server', 'idle 2024 streams', 'gateway CPU, us a 2025 call', 'calls a second'];
  return table(head, rows);
}

function stalledText(stalled) {
  const head = [
    'server',
    'growth to the peak when read, MB',
    'when stalled, MB',
    'the difference, MB',
    'growth at rest, MB a reader',
    'stream closed',
    'MB handed over when it reads again',
    'note',
  ];
  const rows = stalled.map((row) => {
    if (row.why !== undefined) return [row.label, `n/a: ${row.why}`, '', '', '', '', '', ''];
    return [
      row.label,
      row.growthReadMb.toFixed(1),
      row.growthHeldMb.toFixed(1),
      row.growthPeakMb.toFixed(1),
      row.growthMb.toFixed(1),
      row.isClosed ? 'yes' : 'no',
      (row.deliveredBytes / 1024 / 1024).toFixed(1),
      row.note ?? '',
    ];
  });
  return table(head, rows);
}

function ranged(values, digits) {
  const { median, min, max } = spread(values);
  return `${median.toFixed(digits)} (${min.toFixed(digits)} to ${max.toFixed(digits)})`;
}
