/** The targets of what trust costs. */
import { spread } from './measure/statistics.mjs';

const CALL_FACTOR = 1.35;
const ERAS = [2025, 2026];
const median = (rounds, key) => spread(rounds.map((round) => round[key])).median;

export function judgeTrust(trust) {
  const rows = ERAS.map((era) => judgeCall(trust, era));
  return [
    ...rows,
    judgeFirst(trust),
    ...['rubbish', 'forged'].map((kind) => judgeFlood(trust, kind)),
  ];
}

function judgeCall({ calls, why }, era) {
  const row = {
    what: `call with JWT, policy, limits and audit, era ${era}: gateway CPU against a static token`,
    target: `<= ${CALL_FACTOR} times`,
  };
  const find = (wanted) => calls?.find((each) => each.era === era && each.name === wanted);
  const [ours, plain] = [find('trust'), find('static')];
  const lacking = [ours, plain].find((each) => !each?.rounds?.length);
  if (!ours?.rounds?.length || !plain?.rounds?.length) {
    return { ...row, missing: why ?? lacking?.why ?? 'not measured' };
  }
  const us = (lane, kind) => median(lane[kind], 'gatewayUs');
  const ratio = us(ours, 'rounds') / us(plain, 'rounds');
  const alone = (us(ours, 'alone') / us(plain, 'alone')).toFixed(2);
  const both = `${us(ours, 'rounds').toFixed(1)} / ${us(plain, 'rounds').toFixed(1)} us`;
  const value = `${ratio.toFixed(2)} times (${both}); one in flight ${alone} times`;
  return { ...row, value, isMet: ratio <= CALL_FACTOR };
}

function judgeFirst({ known, first, algorithm, why }) {
  const row = { what: 'first verification of a token: added to a call at p50', target: '< 1 ms' };
  if (why !== undefined) return { ...row, missing: why };
  const added = first.p50Ms - known.p50Ms;
  const whole = `the call ${first.p50Ms.toFixed(2)} ms with it, ${known.p50Ms.toFixed(2)} without`;
  return { ...row, value: `${added.toFixed(2)} ms (${algorithm}; ${whole})`, isMet: added < 1 };
}

function judgeFlood({ floods, why }, kind) {
  const row = {
    what: `5,000 denied requests a second (${kind} tokens): p99 of another client's calls`,
    target: '<= 1.2 times',
  };
  if (why !== undefined) return { ...row, missing: why };
  const of = (wanted) => floods.find((each) => each.kind === wanted);
  const [quiet, bare, denied] = ['quiet', `bare-${kind}`, kind].map((each) => of(each).p99Ms);
  const reached = median(of(kind).rounds, 'perSecond').toFixed(0);
  const ratio = denied / quiet;
  const value =
    `${ratio.toFixed(2)} times (${denied.toFixed(2)} / ${quiet.toFixed(2)} ms) at ${reached} a second; ` +
    `${(bare / quiet).toFixed(2)} times when a bare server beside it is flooded`;
  return { ...row, value, isMet: ratio <= 1.2 };
}
