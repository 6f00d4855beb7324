import { expect, it } from 'vitest';
import type { Message } from '../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../core/protocol/read-message.ts';
import { Pending } from '../core/sessions/pending.ts';
import {
  askedBy,
  cancellationOf,
  numbered,
  progressFor,
  type CallOwner,
  type UpstreamCall,
} from './upstream-call.ts';

function callOf(token: string | undefined): UpstreamCall | undefined {
  const owner = askedBy(() => {});
  return new Pending<CallOwner>(1).begin(owner, '1', 'tools/call', token, 0);
}

function read(message: unknown): Message {
  const text = JSON.stringify(message);
  const outcome = readMessage(text, UPSTREAM_BOUNDS);
  if (outcome.kind !== 'message') throw new Error(`no message: ${text}`);
  return outcome.message;
}

function progress(value: unknown): Message {
  const params = { progressToken: 1, progress: value };
  return read({ jsonrpc: '2.0', method: 'notifications/progress', params });
}

it('V26 progress that grows is told under the token of the client, and no other', () => {
  const call = callOf('"mine"');
  const told = [1, 1, 0.5, 'much', null, 2].map(
    (value) => progressFor(call, progress(value))?.value,
  );
  const first = { progressToken: 'mine', progress: 1 };
  const last = { progressToken: 'mine', progress: 2 };
  expect(told).toEqual([first, undefined, undefined, undefined, undefined, last]);
});

it('V26 nobody is told of progress of no call, or of one whose client did not ask for any', () => {
  const params = { progress: 1 };
  const bare = read({ jsonrpc: '2.0', method: 'notifications/progress', params });
  expect(progressFor(undefined, progress(1))).toBeUndefined();
  expect(progressFor(callOf(undefined), progress(1))).toBeUndefined();
  expect(progressFor(callOf('1'), bare)).toBeUndefined();
});

it('V26 the server sees a number of ours in place of the id and of the progress token', () => {
  const params = { name: 'add', _meta: { progressToken: 'mine' } };
  const asked = read({ jsonrpc: '2.0', id: 'mine', method: 'tools/call', params });
  const sent = JSON.parse(numbered(asked, 7).toText()) as unknown;
  const theirs = { name: 'add', _meta: { progressToken: 7 } };
  expect(sent).toEqual({ jsonrpc: '2.0', id: 7, method: 'tools/call', params: theirs });
  const bare = read({ jsonrpc: '2.0', id: 'mine', method: 'ping' });
  expect(JSON.parse(numbered(bare, 8).toText())).toEqual({ jsonrpc: '2.0', id: 8, method: 'ping' });
});

it('a call is cancelled by the number the server knows, whatever the reason holds', () => {
  const call = callOf(undefined);
  if (call === undefined) throw new Error('no room for a call');
  expect(cancellationOf(call, 'he said "no"').value).toEqual({
    requestId: 1,
    reason: 'he said "no"',
  });
});
