import { describe, expect, it } from 'vitest';
import { folded, hasParamNames, isParamVariant, isReadInside } from './param-names.ts';

/** As it stands in a text, between quotes. */
function within<Told>(
  name: string,
  of: (source: string, start: number, end: number) => Told,
): Told {
  return of(`{"${name}":1}`, 2, 2 + name.length);
}

const NAMES = ['name', 'uri', 'arguments', 'ref', 'taskId', 'notifications', '_meta'];

describe('V42 a member of params', () => {
  it.each(NAMES)('%s is what it is, and a variant in any other case', (name) => {
    expect(within(name, isParamVariant)).toBe(false);
    const upper = name.toUpperCase();
    expect(within(upper, isParamVariant)).toBe(true);
    expect(within(`${upper.slice(0, -1)}${name.slice(-1)}`, isParamVariant)).toBe(true);
  });

  it('is a variant with letters that only fold to it', () => {
    expect(within('argument\u017f', isParamVariant)).toBe(true);
    expect(within('tas\u212aId', isParamVariant)).toBe(true);
  });

  it.each(['', 'nam', 'names', 'cursor', 'Title', 'NOTIFICATIONSX', 'meta'])(
    '%j is none of them and no variant',
    (name) => {
      expect(within(name, isParamVariant)).toBe(false);
    },
  );

  it.each([...NAMES, 'Arguments', 'refs'])('%s is read inside where that matters', (name) => {
    const isRead = ['arguments', 'ref', 'notifications'].includes(name);
    expect(within(name, isReadInside)).toBe(isRead);
  });
});

it.each([
  ['tools/call', true],
  ['prompts/get', true],
  ['resources/read', true],
  ['completion/complete', true],
  ['subscriptions/listen', true],
  ['tasks/get', true],
  ['initialize', false],
  ['logging/setLevel', false],
  ['tools', false],
  ['x/tools/call', false],
  ['notifications/progress', false],
])('the params of %s hold such members: %s', (method, has) => {
  expect(hasParamNames(method)).toBe(has);
});

it('names are folded so that all spellings of one are equal', () => {
  expect(folded('Na\u017fe')).toBe('NASE');
  expect(folded('\u212a')).toBe('K');
});
