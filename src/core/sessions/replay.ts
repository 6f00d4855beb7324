/**
 * Joins what the log still holds to what the stream has numbered since: without a hole, or with a
 * gap that is named. Pure: from one read of the log to the bytes that bring a reader up to date.
 */
import { errorResponse } from '../errors.ts';
import type { LoggedEvent, ReadOutcome } from '../ports.ts';
import { encodeEvent } from '../protocol/sse-encoder.ts';

export type Joined =
  /** Frames were appended while the log was read: read again. */
  | { readonly kind: 'again' }
  | { readonly kind: 'joined'; readonly text: string; readonly hasGap: boolean };

/** A response and its place: when its event is gone, the client is told so by its id. */
export interface AnswerPlace {
  readonly id: string;
  readonly sequence: number;
}

/** What a reader has, and what the stream has numbered since. */
export interface ReplayFacts {
  /** The sequence the reader has. */
  readonly after: number;
  /** The last sequence the stream has assigned. */
  readonly last: number;
  readonly answers: readonly AnswerPlace[];
  /** Join what there is: a log that cannot keep up is a gap, not a reason to read for ever. */
  readonly isLastRead: boolean;
  readonly idOf: (sequence: number) => string;
}

export function joinReplay({ kind, events }: ReadOutcome, facts: ReplayFacts): Joined {
  const { after, last, isLastRead, idOf } = facts;
  const newest = events.at(-1)?.sequence ?? after;
  if (newest < last && !isLastRead) return { kind: 'again' };
  const hasGap = kind === 'gap' || newest < last || !isContiguous(events, after);
  let text = '';
  for (const { sequence, data } of hasGap ? withLostAnswers(events, facts) : events) {
    text += encodeEvent('message', data, idOf(sequence));
  }
  return { kind: 'joined', text, hasGap };
}

/** Errors in the places of answers that left the log before their client came back for them. */
function withLostAnswers(
  events: readonly LoggedEvent[],
  { after, answers }: ReplayFacts,
): readonly LoggedEvent[] {
  const kept = new Set(events.map(({ sequence }) => sequence));
  const lost = answers
    .filter(({ sequence }) => sequence > after && !kept.has(sequence))
    .map(({ id, sequence }) => {
      return { sequence, data: errorResponse({ error: 'ANSWER_EVICTED', id }) };
    });
  return [...events, ...lost].toSorted((one, other) => one.sequence - other.sequence);
}

function isContiguous(events: readonly LoggedEvent[], after: number): boolean {
  let expected = after + 1;
  for (const { sequence } of events) {
    if (sequence !== expected) return false;
    expected += 1;
  }
  return true;
}
