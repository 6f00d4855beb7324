import { expect, it } from 'vitest';
import { eventIdHeader, resumeLines } from './event-id.ts';

it('of plain characters is sent as it is', () => {
  expect(eventIdHeader('a-1 ~')).toBe('a-1 ~');
  expect(resumeLines('a-1')).toEqual(['Last-Event-ID', 'a-1']);
});

it('V44 of other characters is sent as UTF-8, one character a byte', () => {
  expect(Buffer.from(eventIdHeader('ž🐎') ?? '', 'latin1').toString()).toBe('ž🐎');
});

it.each(['\u0001', 'a\tb', '\u007f', 'a\u0085'])(
  'V44 that no header can carry is not sent: %j',
  (id) => {
    expect(eventIdHeader(id)).toBeUndefined();
    expect(resumeLines(id)).toEqual([]);
  },
);

it('V44 that no head has room for is not sent', () => {
  expect(eventIdHeader('x'.repeat(4096))).toHaveLength(4096);
  expect(eventIdHeader('x'.repeat(4097))).toBeUndefined();
  expect(eventIdHeader('ž'.repeat(2048))).toHaveLength(4096);
  expect(eventIdHeader('ž'.repeat(2049))).toBeUndefined();
});

it('of nothing resumes nothing', () => {
  expect(resumeLines('')).toEqual([]);
});
