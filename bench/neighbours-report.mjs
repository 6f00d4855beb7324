/** What a noisy tenant does to a quiet one: the part of the report, and the targets. */
import { rangeOf, spread } from './measure/statistics.mjs';

const FACTOR = 1.2;
const KINDS = {
  calls: '3,000 calls a second',
  opens: '200 sessions and 100 streams a second',
  large: '60 calls a second with 100 KB each way',
};
const BARE = 'bare-http';
const median = (rounds, key) => spread(rounds.map((round) => round[key])).median;
const find = (lanes, name, where) =>
  lanes.find((lane) => lane.name === name && lane.where === where);

export function judgeNeighbours({ lanes, why }) {
  return Object.entries(KINDS).map(([name, noise]) => {
    const row = {
      what: `a tenant that tries ${noise}: p99 of its neighbour's calls`,
      target: `<= ${FACTOR} times`,
    };
    if (why !== undefined) return { ...row, missing: why };
    const [alone, bare, beside] = [
      find(lanes, 'alone'),
      find(lanes, name, BARE),
      find(lanes, name, 'gateway'),
    ].map((lane) => lane.p99Ms);
    const ratio = beside / alone;
    const value =
      `${ratio.toFixed(2)} times (${beside.toFixed(2)} / ${alone.toFixed(2)} ms); ` +
      `${(bare / alone).toFixed(2)} times when a bare server beside it is sent the same`;
    return { ...row, value, isMet: ratio <= FACTOR };
  });
}

export function neighboursText({ lanes, rates, why }) {
  if (why !== undefined) return `n/a: ${why}`;
  const head = [
    'meanwhile',
    'sent a second',
    'of it answered, a second',
    'quiet calls',
    'p50 ms',
    'p99 ms (least to most of a round)',
    'gateway, % of a core',
    'its children, %',
  ];
  const rows = lanes.map(({ name, where, rounds, p99Ms }) => [
    name === 'alone' ? 'nobody else' : `${KINDS[name]}, ${whereOf(where)}`,
    rounds[0].perSecond === undefined ? '' : median(rounds, 'perSecond').toFixed(0),
    rounds[0].perSecond === undefined ? '' : servedPerSecond(rounds).toFixed(0),
    median(rounds, 'calls').toFixed(0),
    median(rounds, 'p50Ms').toFixed(2),
    `${p99Ms.toFixed(2)} ${rangeOf(rounds, 'p99Ms')}`,
    (median(rounds, 'gateway') * 100).toFixed(1),
    (median(rounds, 'children') * 100).toFixed(1),
  ]);
  const line = (cells) => `| ${cells.join(' | ')} |`;
  const table = [line(head), line(head.map(() => '---')), ...rows.map(line)].join('\n');
  return `Every tenant has: \`${JSON.stringify(rates.tenant)}\`. No call of the quiet one was refused.\n\n${table}`;
}

const whereOf = (where) => (where === BARE ? 'to a bare server' : 'to the gateway');

/** What the noise got: the rest was refused. */
function servedPerSecond(rounds) {
  const shares = rounds.map(({ statuses, perSecond }) => {
    const all = Object.values(statuses).reduce((sum, count) => sum + count, 0);
    return all === 0 ? 0 : ((statuses[200] ?? 0) / all) * perSecond;
  });
  return spread(shares).median;
}
