/** What the parts of a scripted upstream ask of each other. */
import type { UpstreamEra } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { SeededRandom } from './seeded-random.ts';
import type { VirtualClock } from './virtual-clock.ts';

export type JsonObject = { readonly [key: string]: unknown };

export interface ScriptedUpstreamOptions {
  /** `in-process` tells which call a message belongs to; `stdio`, the default, cannot. */
  readonly kind?: 'stdio' | 'in-process';
  /** Handshakes it answers; both by default. */
  readonly eras?: readonly UpstreamEra[];
  /** Shortest and longest time between two things it does, in milliseconds; 1 to 20 by default. */
  readonly latencyMs?: readonly [number, number];
  /** How long the step `pause` takes, in milliseconds; 100 to 2,000 by default. */
  readonly pauseMs?: readonly [number, number];
  /** Probability that a connection cannot be started; the first two, which probe, always can. */
  readonly startFailureRate?: number;
  /** Probability that a send is not taken because too much waits. */
  readonly fullRate?: number;
  /** Probability that a cancelled call is answered all the same: the two crossed on the way. */
  readonly cancelRaceRate?: number;
}

/** Where connections play: time, chance, and the record of what an engine must not do. */
export interface ScriptedStage {
  readonly kind: 'stdio' | 'in-process';
  readonly clock: VirtualClock;
  readonly random: SeededRandom;
  readonly options: Required<ScriptedUpstreamOptions>;
  /** A tool begins with this secret, which no call but this one has: nothing is ever sent twice. */
  called(secret: string): void;
  /** A fresh number for one emission. */
  nextMarker(): number;
  violate(what: string): void;
}

/** What a call may do in the conversation it came by. */
export interface ScriptedConversation {
  readonly stage: ScriptedStage;
  readonly era: UpstreamEra;
  /** Runs a step after a random latency, unless the conversation has ended by then. */
  later(step: () => void, range?: readonly [number, number]): void;
  emit(message: Message, relatedTo?: string): void;
  answer(id: string, result: JsonObject): void;
  refuse(id: string, code: number, message: string): void;
  oversized(id: string): void;
  closeStreamOf(id: string): void;
  /** A question to the client; `done` gets undefined after a minute without an answer. */
  ask(relatedTo: string, text: string, done: (answer: Message | undefined) => void): void;
  announceTools(): void;
  announceResource(): void;
  crash(): void;
}

/** A member that should be a string; empty when it is anything else. */
export function textOf(holder: JsonObject, name: string): string {
  const value = holder[name];
  return typeof value === 'string' ? value : '';
}
