import { describe, expect, it } from 'vitest';
import { bridgedCapabilities, canBeAsked, covers, requiredBy } from './client-capabilities.ts';

describe('what a client declared', () => {
  it.each([
    [undefined, {}],
    ['all', {}],
    [{ roots: true, sampling: null }, {}],
    [{ roots: { listChanged: true }, extensions: { a: {} }, experimental: {} }, { roots: {} }],
    [
      { sampling: { tools: {}, more: 1 }, elicitation: { url: {}, form: { a: 1 } } },
      { sampling: { tools: {} }, elicitation: { form: {}, url: {} } },
    ],
  ])('%o is carried as %o', (declared, carried) => {
    expect(bridgedCapabilities(declared)).toEqual(carried);
    expect(canBeAsked(bridgedCapabilities(declared))).toBe(Object.keys(carried).length > 0);
  });

  it('is one text, in whatever order it was declared', () => {
    const one = bridgedCapabilities({ elicitation: { url: {}, form: {} }, roots: {} });
    const other = bridgedCapabilities({ roots: { x: 1 }, elicitation: { form: {}, url: {} } });
    expect(JSON.stringify(one)).toBe(JSON.stringify(other));
  });

  it.each([
    [{}, 'roots/list', {}, false],
    [{ roots: {} }, 'roots/list', undefined, true],
    [{ sampling: {} }, 'sampling/createMessage', {}, true],
    [{ sampling: {} }, 'sampling/createMessage', { tools: [] }, false],
    [{ sampling: { tools: {} } }, 'sampling/createMessage', { tools: [] }, true],
    [{ elicitation: {} }, 'elicitation/create', {}, true],
    [{ elicitation: {} }, 'elicitation/create', { mode: 'url' }, false],
    [{ elicitation: { url: {} } }, 'elicitation/create', { mode: 'url' }, true],
    [{ elicitation: { url: {} } }, 'elicitation/create', { mode: 'form' }, false],
    [{ elicitation: { form: {} } }, 'elicitation/create', { mode: 'form' }, true],
  ] as const)('%o covers %s with %o: %s', (declared, method, params, isCovered) => {
    expect(covers(declared, requiredBy(method, params))).toBe(isCovered);
  });
});
