import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { encodeComment, encodeEvent, encodePriming, encodeRetry } from './sse-encoder.ts';
import { type SseEvent, SseParser } from './sse-parser.ts';

interface Seen {
  readonly events: SseEvent[];
  readonly comments: string[];
  readonly retries: number[];
}

function readIn(chunks: readonly string[]): Seen {
  const seen: Seen = { events: [], comments: [], retries: [] };
  const parser = new SseParser({
    onEvent: (event) => seen.events.push(event),
    onComment: (text) => seen.comments.push(text),
    onRetry: (ms) => seen.retries.push(ms),
  });
  for (const chunk of chunks) parser.push(chunk);
  return seen;
}

/** Cuts a text at arbitrary places. */
function cut(text: string, places: readonly number[]): string[] {
  const ends = [...places.map((place) => place % (text.length + 1)), text.length].toSorted(
    (a, b) => a - b,
  );
  return ends.map((end, index) => text.slice(index === 0 ? 0 : ends[index - 1], end));
}

const field = fc.string({ unit: 'binary' }).filter((text) => !/[\0\r\n]/.test(text));
const anyEvent = fc.record({
  event: field,
  data: fc.oneof(
    fc.string({ unit: 'binary' }),
    fc
      .array(
        fc.constantFrom('\n', '\r', '\r\n', 'a', ':', ' ', 'data: x', '\uFEFF', '\u2028', '\0'),
      )
      .map((parts) => parts.join('')),
  ),
  id: fc.option(field, { nil: undefined }),
});

describe('events', () => {
  test('an event is its name, its id, its data and an empty line', () => {
    expect(encodeEvent('message', '{"a":1}', '3-1')).toBe(
      'event: message\nid: 3-1\ndata: {"a":1}\n\n',
    );
    expect(encodeEvent('endpoint', '/messages')).toBe('event: endpoint\ndata: /messages\n\n');
    expect(encodeEvent('', 'x')).toBe('data: x\n\n');
    expect(encodeEvent('message', '')).toBe('event: message\ndata: \n\n');
  });

  test('line breaks in the data become lines of data', () => {
    expect(encodeEvent('', 'a\nb\r\nc\rd')).toBe('data: a\ndata: b\ndata: c\ndata: d\n\n');
    expect(encodeEvent('', '\n')).toBe('data: \ndata: \n\n');
  });

  test('V52: any events, cut anywhere, are read back as exactly those events', () => {
    fc.assert(
      fc.property(
        fc.array(anyEvent, { maxLength: 5 }),
        fc.array(fc.nat(), { maxLength: 20 }),
        (events, places) => {
          const text = events.map(({ event, data, id }) => encodeEvent(event, data, id)).join('');
          expect(readIn(cut(text, places)).events).toEqual(
            events.map(({ event, data, id }) => ({
              event: event === '' ? 'message' : event,
              data: data.replace(/\r\n?/g, '\n'),
              id,
            })),
          );
        },
      ),
      { numRuns: 1000 },
    );
  });

  test.each(['\r', '\n', '\0', 'a\nevent: x', '\r\ndata: x'])(
    'V52: %j in a name, an id or a comment is a broken invariant',
    (text) => {
      expect(() => encodeEvent(text, 'x')).toThrow(RangeError);
      expect(() => encodeEvent('message', 'x', text)).toThrow(RangeError);
      expect(() => encodePriming(text)).toThrow(RangeError);
      expect(() => encodeComment(text)).toThrow(RangeError);
    },
  );
});

describe('what is no event', () => {
  test('W74: a comment is read by nobody as an event', () => {
    expect(encodeComment()).toBe(':\n\n');
    expect(encodeComment('still here')).toBe(': still here\n\n');
    const seen = readIn([encodeComment(), encodeEvent('', 'a'), encodeComment('b')]);
    expect(seen.events.map((event) => event.data)).toEqual(['a']);
    expect(seen.comments).toEqual(['', 'b']);
  });

  test('a retry is whole milliseconds', () => {
    expect(encodeRetry(1500)).toBe('retry: 1500\n\n');
    expect(readIn([encodeRetry(0)])).toMatchObject({ events: [], retries: [0] });
    for (const ms of [-1, 1.5, Number.NaN, Infinity])
      expect(() => encodeRetry(ms)).toThrow(RangeError);
  });

  test('W29: a priming event has an id and empty data', () => {
    expect(encodePriming('1-0')).toBe('id: 1-0\ndata: \n\n');
    expect(readIn([encodePriming('1-0')]).events).toEqual([
      { event: 'message', data: '', id: '1-0' },
    ]);
  });
});
