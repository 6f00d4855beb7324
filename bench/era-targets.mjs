/** The targets of what lies between eras, servers and principals. */
import { spread } from './measure/statistics.mjs';

const PAIRS = [
  { of: 'bridged', name: 'tidegate-bridged', factor: 1.3, what: 'bridged call', base: 'same-era' },
  { of: 'remote', name: 'tidegate-remote', factor: 2, what: 'remote call', base: 'stdio' },
];
const median = (rounds) => spread(rounds.map(({ gatewayUs }) => gatewayUs)).median;

export function judgeEras(results) {
  return PAIRS.filter(({ of }) => results[of]?.length > 0).flatMap((pair) =>
    [2024, 2025, 2026].map((era) => judgePair(results[pair.of], era, pair)),
  );
}

function judgePair(rows, era, { name, factor, what, base }) {
  const find = (wanted) => rows.find((row) => row.era === era && row.name === wanted);
  const [ours, plain] = [find(name), find('tidegate')];
  const row = {
    what: `${what}, era ${era}: gateway CPU against the ${base} call`,
    target: `<= ${factor} times`,
  };
  const lacking = [ours, plain].find((each) => !each?.rounds?.length);
  if (!ours?.rounds?.length || !plain?.rounds?.length) {
    return { ...row, missing: lacking?.why ?? 'not measured' };
  }
  const ratio = median(ours.rounds) / median(plain.rounds);
  const alone = (median(ours.alone) / median(plain.alone)).toFixed(2);
  const us = `${median(ours.rounds).toFixed(1)} / ${median(plain.rounds).toFixed(1)} us`;
  const value = `${ratio.toFixed(2)} times (${us}); one in flight ${alone} times`;
  return { ...row, value, isMet: ratio <= factor };
}

export function judgeConnect({ rounds, why }) {
  const row = { what: '`tidegate connect`: added to a call at p50', target: '<= 1 ms' };
  if (why !== undefined) return { ...row, missing: why };
  const { median: added } = spread(rounds.map(({ directMs, throughMs }) => throughMs - directMs));
  return { ...row, value: `${added.toFixed(2)} ms`, isMet: added <= 1 };
}

export function judgePrincipals({ kbPerPrincipal, r2, why }) {
  const row = {
    what: '1,000 principals on one remote server: memory is linear',
    target: 'r2 >= 0.95',
  };
  if (why !== undefined) return { ...row, missing: why };
  const value = `r2 ${r2.toFixed(3)}, ${kbPerPrincipal.toFixed(1)} KB a principal`;
  return { ...row, value, isMet: r2 >= 0.95 };
}

export function judgeGateway({ reload, why }) {
  const row = {
    what: 'reload of 50 servers: streams of unchanged servers that go on',
    target: 'all of them',
  };
  if (why !== undefined) return [{ ...row, missing: why }];
  const value = `${reload.after} of ${reload.unchanged}`;
  return [{ ...row, value, isMet: reload.after === reload.unchanged }];
}
