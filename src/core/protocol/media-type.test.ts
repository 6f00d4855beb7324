import fc from 'fast-check';
import { expect, test } from 'vitest';
import { acceptOf, isJsonContentType } from './media-type.ts';

const BOTH = { json: true, eventStream: true };
const JSON_ONLY = { json: true, eventStream: false };
const STREAM_ONLY = { json: false, eventStream: true };
const NEITHER = { json: false, eventStream: false };

test.each([
  [undefined, BOTH],
  ['', BOTH],
  [' , ', BOTH],
  ['*/*', BOTH],
  ['*', BOTH],
  ['application/json, text/event-stream', BOTH],
  ['text/event-stream,application/json', BOTH],
  ['Application/JSON , TEXT/event-stream', BOTH],
  ['application/*, text/*', BOTH],
  ['text/html, */*;q=0.1', BOTH],
  ['application/json;charset=utf-8, text/event-stream;q=0.001', BOTH],
  ['application/json', JSON_ONLY],
  ['application/*', JSON_ONLY],
  ['application/json;q=0.5', JSON_ONLY],
  ['text/event-stream;q=0, */*', JSON_ONLY],
  ['*/*, text/*;q=0', JSON_ONLY],
  ['application/json, text/event-stream;q=0.000', JSON_ONLY],
  ['text/event-stream', STREAM_ONLY],
  ['text/*', STREAM_ONLY],
  ['application/json; Q=0, */*;q=0.8', STREAM_ONLY],
  ['application/*;q=0, */*', STREAM_ONLY],
  ['text/html', NEITHER],
  ['*/*;q=0', NEITHER],
  ['application/jsonx, text/event-streams', NEITHER],
  ['image/png;note="application/json, text/event-stream"', NEITHER],
  ['image/png;note="\\", application/json"', NEITHER],
])('W14: Accept %j', (header, accepted) => {
  expect(acceptOf(header)).toEqual(accepted);
});

test('W14: the most exact range decides, in whatever order the ranges come', () => {
  const ranges = [
    '*/*',
    'application/*;q=0',
    'application/json',
    'text/event-stream;q=0',
    'text/*',
  ];
  fc.assert(
    fc.property(fc.shuffledSubarray(ranges, { minLength: ranges.length }), (shuffled) => {
      expect(acceptOf(shuffled.join(', '))).toEqual(JSON_ONLY);
    }),
  );
});

test('any header at all has an answer', () => {
  const pieces = fc.constantFrom(
    '*',
    '/',
    ';',
    ',',
    'q=',
    '0',
    '"',
    '\\',
    ' ',
    'application/json',
    '=',
    '.',
  );
  fc.assert(
    fc.property(fc.array(pieces), (parts) => {
      expect(Object.keys(acceptOf(parts.join('')))).toEqual(['json', 'eventStream']);
      expect(typeof isJsonContentType(parts.join(''))).toBe('boolean');
    }),
  );
});

test.each([
  'application/json',
  'Application/Json',
  'application/json;charset=utf-8',
  'application/json; charset=UTF-8',
  'application/json ; charset="utf-8"',
  'application/json;charset=utf8',
  'application/json;',
  'application/json; profile="a;b"; charset=utf-8',
  'application/json;odata=verbose',
])('W37: %j is JSON', (header) => {
  expect(isJsonContentType(header)).toBe(true);
});

test.each([
  undefined,
  '',
  'text/plain',
  'text/json',
  'application/jsonp',
  'application/json-rpc',
  'application/x-www-form-urlencoded',
  'multipart/form-data; boundary=application/json',
  'application/json, text/plain',
  'text/plain; application/json',
  'application/json; charset=utf-16',
  'application/json; charset=iso-8859-1',
  'application/json; charset=utf-8; charset=latin1',
  'application/json; charset',
  'application/json; =utf-8',
  'application/json; charset="utf-8',
  'application / json',
])('W37: %j is no JSON', (header) => {
  expect(isJsonContentType(header)).toBe(false);
});
