import { describe, expect, it } from 'vitest';
import { INPUT_KEY, inputRequestOf, isAnswer, readAnswers } from './input-request.ts';

const never = (): boolean => false;

describe('a question as an input request', () => {
  it('shows nothing that only the handshake revisions have', () => {
    const params = { mode: 'url', url: 'u', message: 'm', elicitationId: 'e', task: {}, _meta: {} };
    const { text } = inputRequestOf('elicitation/create', params, 1, never);
    const shown = { mode: 'url', url: 'u', message: 'm' };
    expect(JSON.parse(text)).toEqual({ method: 'elicitation/create', params: shown });
  });

  it('has its own name when that is free, else one by its kind and number', () => {
    const params = { _meta: { [INPUT_KEY]: 'mine' } };
    expect(inputRequestOf('roots/list', params, 3, never).key).toBe('mine');
    expect(inputRequestOf('roots/list', params, 3, (key) => key === 'mine').key).toBe('roots-3');
    for (const name of ['', 7, 'x'.repeat(129), null]) {
      const odd = { _meta: { [INPUT_KEY]: name } };
      expect(inputRequestOf('sampling/createMessage', odd, 2, never).key).toBe('sampling-2');
    }
    expect(inputRequestOf('roots/list', undefined, 1, never).text).toBe(
      '{"method":"roots/list","params":{}}',
    );
  });
});

describe('an answer', () => {
  it('is an object under a key', () => {
    expect(readAnswers(undefined).size + readAnswers([]).size + readAnswers('x').size).toBe(0);
    expect([...readAnswers({ a: {}, b: 1, c: null, d: [] }).keys()]).toEqual(['a']);
  });

  it.each([
    ['elicitation/create', { action: 'decline' }, true],
    ['elicitation/create', { action: 'maybe' }, false],
    ['elicitation/create', {}, false],
    ['roots/list', { roots: [] }, true],
    ['roots/list', { roots: {} }, false],
    ['sampling/createMessage', { role: 'assistant', content: { type: 'text' } }, true],
    ['sampling/createMessage', { role: 'assistant', content: [] }, true],
    ['sampling/createMessage', { content: {} }, false],
    ['sampling/createMessage', { role: 'assistant', content: 'x' }, false],
  ] as const)('to %s of %o makes sense: %s', (method, answer, makesSense) => {
    expect(isAnswer(method, answer)).toBe(makesSense);
  });
});
