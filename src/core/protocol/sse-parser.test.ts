import fc from 'fast-check';
import { describe, expect, test } from 'vitest';
import { type SseEvent, type SseParserBounds, SseParser } from './sse-parser.ts';

class Reader {
  readonly events: SseEvent[] = [];
  readonly seen: string[] = [];
  readonly parser: SseParser;

  constructor(bounds?: SseParserBounds, lastEventId?: string) {
    this.parser = new SseParser(
      {
        onEvent: (event) => {
          this.events.push(event);
          this.seen.push(event.data);
        },
        onRetry: (ms) => this.seen.push(`retry ${ms}`),
        onComment: (text) => this.seen.push(`comment ${text}`),
        onOverflow: () => this.seen.push('overflow'),
      },
      bounds,
      lastEventId,
    );
  }

  read(...chunks: string[]): this {
    for (const chunk of chunks) this.parser.push(chunk);
    return this;
  }
}

function eventsIn(...chunks: string[]): SseEvent[] {
  return new Reader().read(...chunks).events;
}

const event = (data: string, name = 'message', id?: string): SseEvent => ({
  event: name,
  data,
  id,
});

describe('the format', () => {
  test('the examples of the standard are read as it says', () => {
    expect(eventsIn('data: YHOO\ndata: +2\ndata: 10\n\n')).toEqual([event('YHOO\n+2\n10')]);
    expect(
      eventsIn(
        ': test stream\n\ndata: first event\nid: 1\n\ndata:second event\nid\n\ndata:  third event\n\n',
      ),
    ).toEqual([
      event('first event', 'message', '1'),
      event('second event', 'message', ''),
      event(' third event'),
    ]);
    expect(eventsIn('data\n\ndata\ndata\n\ndata:')).toEqual([event(''), event('\n')]);
    expect(eventsIn('data:test\n\ndata: test\n\n')).toEqual([event('test'), event('test')]);
  });

  test.each(['\n', '\r', '\r\n'])('lines may end in %j', (end) => {
    const text = `event: a${end}data: 1${end}data: 2${end}${end}data: 3${end}${end}`;
    expect(eventsIn(text)).toEqual([event('1\n2', 'a'), event('3')]);
    expect(eventsIn(...text.split(''))).toEqual([event('1\n2', 'a'), event('3')]);
  });

  test('an event that ends in CR is given at once, without waiting for a line feed', () => {
    expect(eventsIn('data: 1\r\r')).toEqual([event('1')]);
    expect(eventsIn('data: 1\r', '\r', '\ndata: 2\n\n')).toEqual([event('1'), event('2')]);
    expect(eventsIn('data: 1\r', '', '\ndata: 2\r', '\n\r', '\n')).toEqual([event('1\n2')]);
  });

  test('a byte order mark is skipped at the very beginning only', () => {
    expect(eventsIn('\uFEFFdata: 1\n\n')).toEqual([event('1')]);
    expect(eventsIn('\uFEFF', 'data: 1\n\n')).toEqual([event('1')]);
    expect(eventsIn('', '\uFEFFdata: 1\n\n')).toEqual([event('1')]);
    expect(eventsIn('data: 1\n\n\uFEFFdata: 2\n\n')).toEqual([event('1')]);
    expect(eventsIn('data: 1\n\n', '\uFEFFdata: 2\n\n')).toEqual([event('1')]);
  });

  test('unknown fields, an unfinished event and names without data give nothing', () => {
    expect(eventsIn('foo: 1\nDATA: 2\n data: 3\n\n')).toEqual([]);
    expect(eventsIn('event: a\n\ndata: 1\n\n')).toEqual([event('1')]);
    expect(eventsIn('data: 1\n')).toEqual([]);
  });

  test('a retry is digits only', () => {
    const { seen } = new Reader().read(
      'retry: 10\nretry:20\nretry: 1.5\nretry: -1\nretry: 1e3\nretry:\nretry: ٣\nretry: 99999999999999999999\n',
    );
    expect(seen).toEqual(['retry 10', 'retry 20']);
  });

  test('comments are told apart from events, in order', () => {
    expect(new Reader().read(':\n\n: a\ndata: 1\n\n:b\n').seen).toEqual([
      'comment ',
      'comment a',
      '1',
      'comment b',
    ]);
  });
});

describe('ids', () => {
  test('the last id holds until another one comes, also over events that have none', () => {
    const reader = new Reader(undefined, 'before');
    expect(reader.parser.lastEventId).toBe('before');
    reader.read('id: 1\ndata: a\n\n');
    expect(reader.parser.lastEventId).toBe('1');
    reader.read('data: b\n\nid: 2\n');
    expect(reader.parser.lastEventId).toBe('1');
    reader.read('\n');
    expect(reader.parser.lastEventId).toBe('2');
    expect(reader.events.map(({ id }) => id)).toEqual(['1', undefined]);
    reader.read('id\n\n');
    expect(reader.parser.lastEventId).toBe('');
  });

  test('an id with NUL is ignored', () => {
    const reader = new Reader().read('id: 1\ndata: a\n\nid: 2\0\ndata: b\n\n');
    expect(reader.parser.lastEventId).toBe('1');
    expect(reader.events[1]).toEqual(event('b'));
  });
});

describe('bounds', () => {
  const bounds: SseParserBounds = { lineCharsMax: 20, eventCharsMax: 30 };

  test('a line as long as the bound is read; a longer one drops its event and no other', () => {
    const fits = `data: ${'x'.repeat(14)}\n\n`;
    const reader = new Reader(bounds).read(
      fits,
      `data: a\ndata: ${'y'.repeat(15)}\ndata: b\n\n`,
      fits,
    );
    expect(reader.seen).toEqual(['x'.repeat(14), 'overflow', 'x'.repeat(14)]);
  });

  test('an event of many lines drops when it is too large, and is told once', () => {
    const line = `data: ${'x'.repeat(14)}\n`;
    expect(new Reader(bounds).read(line + line, '\n').seen).toEqual([
      `${'x'.repeat(14)}\n${'x'.repeat(14)}`,
    ]);
    const reader = new Reader(bounds).read(line.repeat(50), '\n', 'data: 1\n\n');
    expect(reader.seen).toEqual(['overflow', '1']);
  });

  test('empty lines of data count too', () => {
    const reader = new Reader(bounds).read('data\n'.repeat(1000), '\n', 'data: 1\n\n');
    expect(reader.seen).toEqual(['overflow', '1']);
  });

  test('a line that never ends holds no more than the bound', () => {
    const reader = new Reader(bounds);
    for (let index = 0; index < 1000; index++) reader.read('x'.repeat(1000));
    expect(reader.seen).toEqual(['overflow']);
    expect(reader.read('\n\ndata: 1\n\n').seen).toEqual(['overflow', '1']);
  });

  test('the id of a dropped event still counts, so that a resume goes on after it', () => {
    const reader = new Reader(bounds).read(`id: 9\ndata: ${'y'.repeat(15)}\n\n`);
    expect(reader.seen).toEqual(['overflow']);
    expect(reader.parser.lastEventId).toBe('9');
  });

  test('an oversized comment does not drop the event around it', () => {
    const reader = new Reader(bounds).read(`data: 1\n:${'c'.repeat(40)}\ndata: 2\n\n`);
    expect(reader.seen).toEqual(['1\n2']);
  });
});

describe('chunks', () => {
  const pieces = fc.constantFrom(
    'data',
    ': ',
    ':',
    '\n',
    '\r',
    '\r\n',
    'id: 1',
    'event: e',
    'retry: 5',
    '\uFEFF',
    'x',
    '\n\n',
    '\0',
  );

  test('any text gives the same whether it comes whole or cut anywhere', () => {
    fc.assert(
      fc.property(
        fc.array(pieces, { maxLength: 40 }),
        fc.array(fc.integer({ min: 0, max: 5 })),
        (parts, sizes) => {
          const text = parts.join('');
          const whole = new Reader({ lineCharsMax: 12, eventCharsMax: 16 }).read(text);
          const cut = new Reader({ lineCharsMax: 12, eventCharsMax: 16 });
          let at = 0;
          for (const size of sizes) {
            cut.read(text.slice(at, at + size));
            at += size;
          }
          cut.read(text.slice(at));
          expect(cut.seen).toEqual(whole.seen);
          expect(cut.events).toEqual(whole.events);
          expect(cut.parser.lastEventId).toBe(whole.parser.lastEventId);
        },
      ),
      { numRuns: 2000 },
    );
  });

  test('ten megabytes of one line in small chunks are read in linear time', () => {
    const reader = new Reader();
    reader.read('data: ');
    for (let index = 0; index < 10_000; index++) reader.read('x'.repeat(1000));
    const startedAt = performance.now();
    reader.read('\n\n');
    for (let index = 0; index < 200; index++) reader.read('data: 1\n\n'.repeat(1000));
    expect(performance.now() - startedAt).toBeLessThan(5000);
    expect(reader.events).toHaveLength(200_001);
    expect(reader.events[0]?.data).toHaveLength(10_000_000);
  });
});
