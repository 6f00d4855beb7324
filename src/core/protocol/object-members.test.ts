import fc from 'fast-check';
import { expect, it } from 'vitest';
import { membersOf, objectText } from './object-members.ts';

const OBJECT = fc.dictionary(fc.string(), fc.jsonValue());

it('any object is put together again from its members', () => {
  fc.assert(
    fc.property(OBJECT, fc.constantFrom(undefined, 1, '\t'), (value, indent) => {
      const text = JSON.stringify(value, undefined, indent);
      const members = membersOf(text);
      expect(members.map(({ name }) => name)).toEqual(Object.keys(value));
      expect(JSON.parse(objectText(members.map(({ text: own }) => own)))).toEqual(JSON.parse(text));
      for (const { name, value: own } of members) {
        expect(JSON.parse(own)).toEqual((JSON.parse(text) as typeof value)[name]);
      }
    }),
  );
});

it('numbers and escapes keep every character', () => {
  const text = '{ "a\\u0062" : 9007199254740993 , "c":"\\u0041\\/", "d" : 1.0e+2 }';
  expect(membersOf(text)).toEqual([
    { name: 'ab', text: '"a\\u0062" : 9007199254740993', value: '9007199254740993' },
    { name: 'c', text: '"c":"\\u0041\\/"', value: '"\\u0041\\/"' },
    { name: 'd', text: '"d" : 1.0e+2', value: '1.0e+2' },
  ]);
});

it.each(['{}', '{ }', '{\n}'])('%j has no members', (text) => {
  expect(membersOf(text)).toEqual([]);
});
