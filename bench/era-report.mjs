/** The parts of a report about what lies between eras, servers and principals. */
import { spread } from './measure/statistics.mjs';

const lines = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');

export function connectText({ rounds, why }) {
  if (why !== undefined) return `n/a: ${why}`;
  const p50 = (key) => spread(rounds.map((round) => round[key])).median.toFixed(2);
  return lines(
    ['the SDK client', 'p50 ms of a call'],
    [
      ['directly', p50('directMs')],
      ['through `tidegate connect`', p50('throughMs')],
    ],
  );
}

export function principalsText({ points, kbPerPrincipal, r2, why }) {
  if (why !== undefined) return `n/a: ${why}`;
  const rows = points.map(({ count, residentKb }) => [count, (residentKb / 1024).toFixed(1)]);
  const line = `${kbPerPrincipal.toFixed(1)} KB a principal, r2 ${r2.toFixed(3)}.`;
  return `${lines(['principals', 'resident MB at rest'], rows)}\n\n${line}`;
}

export function gatewayText({ reload, merged, why }) {
  if (why !== undefined) return `n/a: ${why}`;
  const took = `${reload.ms.toFixed(0)} ms until idle, ${reload.cpuMs.toFixed(0)} ms of CPU`;
  const kept = `${reload.after} of ${reload.unchanged} streams of unchanged servers went on`;
  const us = (rounds) => spread(rounds.map(({ gatewayUs }) => gatewayUs)).median.toFixed(1);
  const rows = merged.map(({ name, rounds }) => [
    name === 'own' ? '`/<name>`' : '`/all`',
    us(rounds),
  ]);
  const table = lines(['2025 call to a remote server, through', 'gateway CPU, us a call'], rows);
  return `A reload of 50 servers with one changed: ${took}; ${kept}.\n\n${table}`;
}
