import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { principalOf } from '../../principal.ts';
import { bindingOf, readState, writeState } from './request-state.ts';

const ALICE = principalOf({ tenant: 't', issuer: 'i', subject: 'alice', clientId: 'c' });
const BOB = principalOf({ tenant: 't', issuer: 'i', subject: 'bob', clientId: 'c' });

function call(params: object, method = 'tools/call'): Message {
  return Message.request('1', method, JSON.stringify(params));
}

describe('a request state', () => {
  it('is read back until it expires', () => {
    const state = { call: 'x', round: 2, expiresAt: 100 };
    expect(readState(writeState(state), 99.9)).toEqual(state);
    expect(readState(writeState(state), 100)).toBeUndefined();
    expect(readState(undefined, 0)).toBeUndefined();
    const again = { call: undefined, round: 1, expiresAt: 100 };
    expect(readState(writeState(again), 0)).toEqual(again);
  });

  it('is bound to who asks for what, not to how it was written or what is new in a retry', () => {
    const bound = bindingOf(
      ALICE,
      call({ name: 'n', arguments: { a: 1, b: [1, { c: 2, d: 3 }] } }),
    );
    const retry = {
      requestState: 's',
      inputResponses: { k: {} },
      _meta: { progressToken: 9 },
      arguments: { b: [1, { d: 3, c: 2 }], a: 1 },
      name: 'n',
    };
    expect(bindingOf(ALICE, call(retry))).toBe(bound);
    expect(bindingOf(BOB, call(retry))).not.toBe(bound);
    expect(bindingOf(ALICE, call(retry, 'prompts/get'))).not.toBe(bound);
    expect(bindingOf(ALICE, call({ ...retry, name: 'm' }))).not.toBe(bound);
    expect(
      bindingOf(ALICE, call({ ...retry, arguments: { a: 1, b: [{ c: 2, d: 3 }, 1] } })),
    ).not.toBe(bound);
  });

  it('is bound to what the params hold and not to what looks like it', () => {
    const held = [[1, 2], { 0: 1, 1: 2 }, null, {}, [], undefined].map((a) =>
      bindingOf(ALICE, call({ name: 'n', arguments: { a } })),
    );
    expect(new Set(held).size).toBe(held.length);
    const bare = bindingOf(ALICE, Message.request('1', 'tools/call'));
    expect(bare).toBe(bindingOf(ALICE, call({})));
  });
});
