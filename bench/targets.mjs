/** What the numbers must be, and whether they are. A target without a measurement says so. */
import { judgeConnect, judgeEras, judgeGateway, judgePrincipals } from './era-targets.mjs';
import { judgeNeighbours } from './neighbours-report.mjs';
import { judgeTrust } from './trust-targets.mjs';
import { spread } from './measure/statistics.mjs';

const median = (rounds, key) => spread(rounds.map((round) => round[key])).median;

export function judge({ calls, idle, flat, stalled, ...others }) {
  const rows = [];
  if (calls) rows.push(...judgeCalls(calls));
  rows.push(...judgeEras(others));
  if (others.connect) rows.push(judgeConnect(others.connect));
  if (others.principals) rows.push(judgePrincipals(others.principals));
  if (others.gateway) rows.push(...judgeGateway(others.gateway));
  if (others.trust) rows.push(...judgeTrust(others.trust));
  if (others.neighbours) rows.push(...judgeNeighbours(others.neighbours));
  if (idle) rows.push(...judgeIdle(idle));
  if (flat) rows.push(judgeFlat(flat));
  if (stalled) rows.push(...judgeStalled(stalled));
  return rows;
}

function judgeCalls(calls) {
  return [2024, 2025, 2026].map((era) => {
    const find = (name) => calls.find((row) => row.era === era && row.name === name);
    const what = `tools/call, era ${era}: gateway CPU against the bare gateway floor`;
    const ours = find('tidegate');
    const floor = find('bare-gateway');
    const missing = whyMissing(ours) ?? whyMissing(floor);
    if (missing !== undefined) return { what, target: '<= 1.6 times', missing };
    const mine = median(ours.rounds, 'gatewayUs');
    const bare = median(floor.rounds, 'gatewayUs');
    const ratio = mine / bare;
    return {
      what,
      target: '<= 1.6 times',
      value: `${ratio.toFixed(2)} times (${mine.toFixed(1)} / ${bare.toFixed(1)} us)`,
      isMet: ratio <= 1.6,
    };
  });
}

function judgeIdle(idle) {
  const find = (name) => idle.find((row) => row.name === name);
  const ours = find('tidegate');
  const floor = find('bare-http');
  const missing = whyMissing(ours) ?? whyMissing(floor);
  const count = ours?.count ?? 5_000;
  const lines = [
    {
      what: `resident memory of an idle 2024 stream, ${count} open`,
      target: '<= 12 KB',
      take: () => [ours.kbPerStream, 12, 'KB', (x) => x <= 12],
    },
    {
      what: `idle process CPU with ${count} streams and heartbeats`,
      target: '< 5 % of a core',
      take: () => [ours.idleCpuPercent, 5, '%', (x) => x < 5],
    },
    {
      what: '2024 streams opened a second',
      target: '>= 3000',
      take: () => [ours.opensPerS, 3000, 'a second', (x) => x >= 3000],
    },
    {
      what: `fan-out to ${count} streams: CPU a delivered event against bare node:http`,
      target: '<= 1.15 times',
      take: () => {
        const why = ours.fanOutWhy ?? floor.fanOutWhy;
        if (why !== undefined) return why;
        const ratio = spread(ours.fanOutUs).median / spread(floor.fanOutUs).median;
        return [ratio, 1.15, 'times', (x) => x <= 1.15];
      },
    },
  ];
  return lines.map(({ what, target, take }) => {
    if (missing !== undefined) return { what, target, missing };
    const taken = take();
    if (typeof taken === 'string') return { what, target, missing: taken };
    const [value, , unit, isMet] = taken;
    return { what, target, value: `${value.toFixed(2)} ${unit}`, isMet: isMet(value) };
  });
}

function judgeFlat(flat) {
  const ours = flat.filter(({ name }) => name === 'tidegate');
  const [few, many] = ours;
  const what = `call cost with ${many?.count ?? 10_000} idle streams against ${few?.count ?? 10}`;
  const target = '<= 1.2 times';
  const missing = whyMissing(few) ?? whyMissing(many);
  if (missing !== undefined) return { what, target, missing };
  const ratio = median(many.rounds, 'gatewayUs') / median(few.rounds, 'gatewayUs');
  return { what, target, value: `${ratio.toFixed(2)} times`, isMet: ratio <= 1.2 };
}

function judgeStalled(stalled) {
  const ours = stalled.find(({ name }) => name === 'tidegate');
  const growth = {
    what: 'stalled reader of 100 MB: resident growth, at the peak or at rest',
    target: '< 8 MB',
  };
  const goodbye = { what: 'stalled reader: its stream is closed', target: 'yes' };
  const missing = whyMissing(ours);
  if (missing !== undefined) return [growth, goodbye].map((row) => ({ ...row, missing }));
  const mb = Math.max(ours.growthPeakMb, ours.growthMb);
  return [
    { ...growth, value: `${mb.toFixed(1)} MB`, isMet: mb < 8 },
    { ...goodbye, value: ours.isClosed ? 'yes' : 'no', isMet: ours.isClosed },
  ];
}

function whyMissing(row) {
  return row === undefined ? 'not measured' : row.why;
}
