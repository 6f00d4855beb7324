/**
 * Every input that is kept, and inputs made of them. The seed is in the name of a failing test, and
 * `TIDEGATE_SEED` repeats it. `npm run fuzz -- --minutes n` goes on for longer, with seeds of the
 * clock, and keeps inputs that targets tell of in new words.
 */
import { describe, expect, it } from 'vitest';
import { SeededRandom } from '../../src/testing/seeded-random.ts';
import { Corpus, INPUT_CHARS_MAX } from './corpus.ts';
import { changed, messageText, pick } from './messages.ts';
import { TARGETS, type Target } from './targets.ts';

const MINUTES = Number(process.env['TIDEGATE_FUZZ_MINUTES'] ?? 0);
const SEED = Number(process.env['TIDEGATE_SEED'] ?? (MINUTES > 0 ? Date.now() % 1_000_000_007 : 1));
const COUNT = 1500;
const MS_EACH = (MINUTES * 60_000) / TARGETS.length;

describe.each(TARGETS)('$name', (target) => {
  it(
    `V46 holds for what is kept, and for what is made of it (seed ${SEED})`,
    {
      timeout: 60_000 + MS_EACH,
    },
    () => {
      const corpus = new Corpus(target.name);
      expect(corpus.inputs.length).toBeGreaterThan(0);
      const words = new Set(corpus.inputs.map((input) => tried(target, input)));
      const random = new SeededRandom(SEED);
      const end = performance.now() + MS_EACH;
      for (let i = 0; i < COUNT || performance.now() < end; i += 1) {
        const input = nextInput(corpus.inputs, random);
        const told = tried(target, input);
        if (MINUTES === 0 || words.has(told)) continue;
        words.add(told);
        corpus.add(input);
      }
      if (MINUTES > 0) corpus.save();
    },
  );
});

it('an input that breaks a promise is told with its text', () => {
  const broken: Target = {
    name: 'broken',
    run: (text) => {
      expect(text).not.toContain('{');
      return '';
    },
  };
  expect(() => tried(broken, '{')).toThrow('broken: "{"');
});

function tried({ name, run }: Target, input: string): string {
  try {
    return run(input);
  } catch (cause) {
    throw new Error(`${name}: ${JSON.stringify(input)}`, { cause });
  }
}

/** One that is kept, changed in some places; two of them joined; or a message. */
function nextInput(kept: readonly string[], random: SeededRandom): string {
  const choice = random.fraction();
  let input = pick(random, kept);
  if (choice < 0.1) input = messageText(random);
  else if (choice < 0.3) {
    const other = pick(random, kept);
    input =
      input.slice(0, random.fraction() * input.length) +
      other.slice(random.fraction() * other.length);
  }
  for (let i = random.fraction() * 4; i > 0; i -= 1) input = changed(input, random);
  return input.slice(0, INPUT_CHARS_MAX);
}
