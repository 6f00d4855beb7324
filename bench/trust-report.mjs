/** The part of a report about what trust costs. */
import { rangeOf, spread } from './measure/statistics.mjs';

const lines = (head, rows) =>
  [head, head.map(() => '---'), ...rows].map((cells) => `| ${cells.join(' | ')} |`).join('\n');
const median = (rounds, key) => spread(rounds.map((round) => round[key])).median;

export function trustText(trust) {
  if (trust.why !== undefined) return `n/a: ${trust.why}`;
  return [
    callsTable(trust.calls, 'rounds', '32 clients, one call in flight each'),
    callsTable(trust.calls, 'alone', 'One call in flight'),
    tokensTable(trust),
    floodTable(trust.floods),
  ].join('\n\n');
}

function callsTable(calls, kind, title) {
  const rows = calls
    .filter((row) => row[kind]?.length > 0)
    .map((row) => {
      const base = calls.find(({ name, era }) => name === 'static' && era === row.era);
      const us = median(row[kind], 'gatewayUs');
      const ratio = us / median(base[kind], 'gatewayUs');
      return [
        row.era,
        row.label,
        us.toFixed(1),
        ratio.toFixed(2),
        median(row[kind], 'p99Ms').toFixed(2),
      ];
    });
  return lines(['era', title, 'gateway CPU, us a call', 'times', 'p99 ms'], rows);
}

function tokensTable({ algorithm, known, first, dpop }) {
  const row = (what, { p50Ms, p99Ms, gatewayUs }) => [
    what,
    p50Ms.toFixed(2),
    p99Ms.toFixed(2),
    gatewayUs.toFixed(0),
  ];
  return lines(
    ['2026 call, everything on, one in flight', 'p50 ms', 'p99 ms', 'gateway CPU, us a call'],
    [
      row('a token that is known', known),
      row(`a token that is new, ${algorithm}`, first),
      row('a bound token with a fresh proof, ES256 (DPoP)', dpop),
    ],
  );
}

const KINDS = {
  quiet: 'nobody else',
  'bare-rubbish': 'a bare server on the same core is flooded, tokens that are none',
  'bare-forged': 'the same, tokens whose signature is wrong',
  rubbish: 'flooded with tokens that are none',
  forged: 'flooded with tokens whose signature is wrong',
};

function floodTable(floods) {
  const rows = floods.map(({ kind, rounds, p99Ms }) => [
    KINDS[kind],
    rounds[0].perSecond === undefined ? '' : median(rounds, 'perSecond').toFixed(0),
    median(rounds, 'calls').toFixed(0),
    median(rounds, 'p50Ms').toFixed(2),
    `${p99Ms.toFixed(2)} ${rangeOf(rounds, 'p99Ms')}`,
    (median(rounds, 'share') * 100).toFixed(0),
  ]);
  const head = [
    'meanwhile',
    'denied a second',
    'calls',
    'p50 ms',
    'p99 ms (least to most of a round)',
    'flooded server, % of a core',
  ];
  return lines(head, rows);
}
