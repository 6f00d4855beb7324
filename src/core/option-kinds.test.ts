import { describe, expect, it } from 'vitest';
import {
  byKind,
  byName,
  checkOption,
  checkOptions,
  either,
  flag,
  having,
  listOf,
  milliseconds,
  no,
  oneOf,
  plain,
  type OptionKind,
  shape,
  text,
  texts,
  webUrl,
  wholeNumber,
  word,
  work,
} from './option-kinds.ts';

const doing = having('log', 'count');
const part = { log() {}, count() {} };
const inner = shape({ a: text, b: flag }, 'a');
const chosen = byKind(new Map([['letter', shape({ kind: text, of: text }, 'of')]]));

describe('an option', () => {
  it.each<[OptionKind, readonly unknown[]]>([
    [text, ['', 'x']],
    [word, ['x']],
    [flag, [true, false]],
    [work, [() => {}]],
    [texts, [[], ['', 'x']]],
    [webUrl('u'), ['https://a.example', 'HTTP://a:80/b']],
    [oneOf('a', 'b'), ['a', 'b']],
    [wholeNumber(0, 7), [0, 7]],
    [wholeNumber(1), [1, Number.MAX_SAFE_INTEGER]],
    [doing, [part, Object.assign(() => {}, part)]],
    [either('a text or false', text, no), ['x', false]],
    [plain, [{}, { a: 1 }]],
    [listOf(text), [[], ['x']]],
    [byName(text), [{}, { a: 'x' }, Object.create(null)]],
    [inner, [{ a: '' }, { a: 'x', b: undefined }]],
    [chosen, [{ kind: 'letter', of: 'a' }]],
    [milliseconds, [0, 2_147_483_647]],
  ])('is of its kind: %o', (kind, values) => {
    expect(values.map((value) => kind('name', value))).toEqual(values.map(() => undefined));
  });

  it.each<[OptionKind, readonly unknown[], string]>([
    [text, [null, undefined, 0, {}], 'name must be of type string.'],
    [word, ['', null, 7], 'name must be a text that is not empty.'],
    [flag, [0, 'true', null], 'name must be of type boolean.'],
    [work, [{}, 'x', null], 'name must be of type function.'],
    [texts, ['x', [1], null, {}], 'name must be a list of texts.'],
    [webUrl('u'), ['x', '', 'ftp://a', 'https://', null, 7], 'name must be a URL such as u.'],
    [webUrl('u'), [' https://a', new URL('https://a')], 'name must be a URL such as u.'],
    [oneOf('a', 'b'), ['c', '', null, ['a']], 'name must be one of a, b.'],
    [wholeNumber(0, 7), [-1, 8, NaN, 0.5, '1', null], 'name must be a whole number from 0 to 7.'],
    [wholeNumber(1), [0, Infinity, [1]], 'name must be a whole number from 1.'],
    [doing, [null, 'x', {}], 'name must have the method log.'],
    [chosen, [null, 'letter', {}, { kind: 'word' }], 'name.kind must be one of letter.'],
    [chosen, [{ kind: 'letter' }], 'name.of must be of type string.'],
    [milliseconds, [-1, 2 ** 31], 'name must be a whole number from 0 to 2147483647.'],
    [doing, [{ log() {} }, { log() {}, count: 1 }], 'name must have the method count.'],
    [doing, [Promise.resolve()], 'name must have the method log: await what makes it.'],
    [either('a text or false', text, no), [true, 0, null], 'name must be a text or false.'],
    [no, [true, null], 'name must be false.'],
    [plain, [null, [], 'x', new Map()], 'name must be a plain object.'],
    [listOf(text), [{}, 'x', null], 'name must be a list.'],
    [listOf(text), [['x', 1]], 'name[1] must be of type string.'],
    [byName(text), [[], new Map(), null, 'x', () => {}], 'name must be a plain object.'],
    [byName(text), [{ a: '', b: 1 }], 'name.b must be of type string.'],
    [inner, [[], new Map(), null], 'name must be a plain object.'],
    [inner, [{ a: '', c: 1 }], 'name has no member named c; there are a, b.'],
    [inner, [{}, { a: undefined }], 'name.a must be of type string.'],
    [inner, [{ a: '', b: null }], 'name.b must be of type boolean.'],
  ])('is not of its kind, and is told so: %o %o', (kind, values, fault) => {
    expect(values.map((value) => kind('name', value))).toEqual(values.map(() => fault));
    for (const value of values) {
      expect(() => checkOption('name', value, kind)).toThrow(new TypeError(fault));
    }
  });
});

describe('options', () => {
  const check = (given: unknown, what?: string): void => checkOptions(given, { a: text }, what);

  it('are an object, and may be absent each or have company', () => {
    class Settings {
      readonly a: string = 'x';
    }
    for (const given of [{}, { a: undefined }, { a: 'x', b: 1 }, new Settings()]) {
      expect(() => check(given)).not.toThrow();
    }
  });

  it.each([null, 'x', 0, true, [], () => {}])('are not %o', (given) => {
    expect(() => check(given)).toThrow(new TypeError('The options must be an object.'));
    expect(() => check(given, 'tls')).toThrow(new TypeError('tls must be an object.'));
  });

  it('are each of their kind', () => {
    expect(() => check({ a: 7 })).toThrow(new TypeError('a must be of type string.'));
  });
});
