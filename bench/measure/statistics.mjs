/** Median with its range, the only statistics the result files use. */
export function spread(values) {
  const sorted = values.toSorted((a, b) => a - b);
  const middle = sorted.length >> 1;
  const isOdd = sorted.length % 2 === 1;
  const median = isOdd ? sorted[middle] : (sorted[middle - 1] + sorted[middle]) / 2;
  return { median, min: sorted[0], max: sorted.at(-1) };
}

/** Least and most of what the rounds have at `key`, as text. */
export function rangeOf(rounds, key) {
  const { min, max } = spread(rounds.map((round) => round[key]));
  return `(${min.toFixed(2)} to ${max.toFixed(2)})`;
}

/**
 * Rounds of single times, and the p99 of all their times together: the slowest one in a hundred of a
 * round is ten times, and what the machine itself does now and then decides them.
 */
export function pooled(rounds) {
  const times = Float64Array.from(rounds.flatMap((round) => round.times)).toSorted();
  const p99Ms = times[Math.floor(times.length * 0.99)];
  return { p99Ms, rounds: rounds.map(({ times: _times, ...round }) => round) };
}
