/**
 * What the engine says of a policy it could not evaluate, without what it quotes of a request: it
 * repeats an argument that is no IP address and the numbers that overflow.
 */
export function engineFault(said: string): string {
  for (const sentence of WITHOUT_VALUES) if (sentence.test(said)) return said;
  for (const beginning of BEGINNINGS) {
    const found = beginning.exec(said)?.[0];
    if (found !== undefined) return found;
  }
  return 'it could not be evaluated';
}

/** Sentences of types, and of attributes as the policies name them. */
const WITHOUT_VALUES = [
  /^type error: expected [\w\s`[\](),]+, got [\w\s`()]+$/,
  /^record does not have the attribute `[^`]+`$/,
];

const BEGINNINGS = [
  /^error while evaluating `\w+` extension function/,
  /^integer overflow while attempting to \w+/,
];
