/**
 * Joins what the log still holds to what the stream has numbered since: without a hole, or with a
 * gap that is named. Pure: from one read of the log to the bytes that bring a reader up to date.
 */
import type { LoggedEvent, ReadOutcome } from '../ports.ts';
import { encodeEvent } from '../protocol/sse-encoder.ts';

export type Joined =
  /** Frames were appended while the log was read: read again. */
  | { readonly kind: 'again' }
  | {
      readonly kind: 'joined';
      readonly text: string;
      readonly hasGap: boolean;
      /** The first sequence that is still there; beyond the last when nothing is. */
      readonly firstSequence: number;
    };

/**
 * @param after - the sequence the reader has.
 * @param last - the last sequence the stream has assigned.
 * @param isLastRead - join what there is: a log that cannot keep up is a gap, not a reason to read
 * for ever.
 */
export function joinReplay(
  outcome: ReadOutcome,
  after: number,
  last: number,
  isLastRead: boolean,
  idOf: (sequence: number) => string,
): Joined {
  const { events } = outcome;
  const newest = events.at(-1)?.sequence ?? after;
  if (newest < last && !isLastRead) return { kind: 'again' };
  const firstSequence = events[0]?.sequence ?? last + 1;
  const hasGap = outcome.kind === 'gap' || newest < last || !isContiguous(events, after);
  let text = '';
  for (const { sequence, data } of events) text += encodeEvent('message', data, idOf(sequence));
  return { kind: 'joined', text, hasGap, firstSequence };
}

function isContiguous(events: readonly LoggedEvent[], after: number): boolean {
  let expected = after + 1;
  for (const { sequence } of events) {
    if (sequence !== expected) return false;
    expected += 1;
  }
  return true;
}
