/**
 * What a simulated tool does, told by its caller in `arguments.script`: steps in order, each after
 * a latency, and an ending. So one tool is every tool, and a failing run shows what it was asked to
 * do.
 */
import type { SeededRandom } from './seeded-random.ts';

export type ToolStep =
  /** A progress notification, if the caller gave a token. */
  | 'progress'
  /** A log message that repeats the caller's secret. */
  | 'log'
  /** A question to the client (legacy), or `input_required` (modern). */
  | 'ask'
  /** `notifications/tools/list_changed`. */
  | 'changed'
  /** `notifications/resources/updated` for one subscribed resource. */
  | 'updated'
  /** A long wait. */
  | 'pause'
  /** Asks the engine to end the reply stream, so that the client polls (in-process only). */
  | 'poll';

export type ToolEnding =
  | 'answer'
  | 'error'
  /** Two responses with one id: the second must vanish. */
  | 'twice'
  /** A response longer than the bound. */
  | 'oversized'
  /** No response, ever. */
  | 'silent'
  /** The server dies. */
  | 'crash';

export interface ToolScript {
  readonly steps: readonly ToolStep[];
  readonly ending: ToolEnding;
}

export type StepWeights = Readonly<Partial<Record<ToolStep, number>>>;
export type EndingWeights = Readonly<Partial<Record<ToolEnding, number>>>;

export function randomScript(
  random: SeededRandom,
  steps: StepWeights,
  endings: EndingWeights,
  stepsMax: number,
): ToolScript {
  const count = random.chance(0.4) ? 0 : random.int(1, stepsMax);
  return {
    steps: Array.from({ length: count }, () => random.weighted<ToolStep>(steps)),
    ending: random.weighted<ToolEnding>(endings),
  };
}

export function formatScript(script: ToolScript): string {
  return [...script.steps, script.ending].join(' ');
}

export function parseScript(text: string): ToolScript {
  const words = text.split(' ');
  return {
    steps: words.slice(0, -1) as ToolStep[],
    ending: (words.at(-1) ?? 'answer') as ToolEnding,
  };
}
