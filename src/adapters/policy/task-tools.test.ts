import { expect, it } from 'vitest';
import type { AccessRequest } from '../../core/access.ts';
import { BARE_GRANT } from '../../core/grant.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import { TaskTools } from './task-tools.ts';

function call(
  subject = 'ann',
  server = 'files',
  params: unknown = { name: 'read' },
  tenant = 't',
): AccessRequest {
  return {
    principal: principalOf({ tenant, issuer: 'i', subject, clientId: '' }),
    grant: BARE_GRANT,
    server,
    era: '2025',
    address: '127.0.0.1',
    message: Message.request('1', 'tools/call', JSON.stringify(params)),
  };
}

const answer = (result: unknown): Message => Message.result('1', JSON.stringify(result));

it.each([
  ['of 2025-11-25', { task: { taskId: 'a' } }],
  ['of the extension', { resultType: 'task', taskId: 'a' }],
])('are known from an answer %s, to their principal at their server', (_, result) => {
  const tools = new TaskTools();
  tools.learn(call(), answer(result));
  expect(tools.toolOf(call(), 'a')).toBe('read');
  expect(tools.toolOf(call(), 'b')).toBeUndefined();
  expect(tools.toolOf(call('bob'), 'a')).toBeUndefined();
  expect(tools.toolOf(call('ann', 'mail'), 'a')).toBeUndefined();
});

it('are not known from anything else', () => {
  const tools = new TaskTools();
  const learnt = (request: AccessRequest, given: Message): string | undefined => {
    tools.learn(request, given);
    return tools.toolOf(call(), 'a');
  };
  expect(learnt(call(), Message.error('1', '{"code":1,"message":"taskId"}'))).toBeUndefined();
  expect(learnt(call(), answer({ content: ['"taskId"'] }))).toBeUndefined();
  expect(learnt(call(), answer({ taskId: 7 }))).toBeUndefined();
  expect(learnt(call('ann', 'files', {}), answer({ taskId: 'a' }))).toBeUndefined();
  expect(learnt(call('ann', 'files', { name: 7 }), answer({ taskId: 'a' }))).toBeUndefined();
});

it('are forgotten when there are fifty thousand newer ones', () => {
  const tools = new TaskTools();
  tools.learn(call(), answer({ taskId: 'old' }));
  for (let i = 0; i < 49_999; i += 1) tools.learn(call(), answer({ taskId: `${i}` }));
  expect(tools.toolOf(call(), 'old')).toBe('read');
  tools.learn(call(), answer({ taskId: 'last' }));
  expect(tools.toolOf(call(), 'old')).toBeUndefined();
  expect([tools.toolOf(call(), '0'), tools.toolOf(call(), 'last')]).toEqual(['read', 'read']);
});

it('of one tenant are not forgotten because of the tasks of another', () => {
  const tools = new TaskTools();
  const quiet = call('eve', 'files', { name: 'read' }, 'quiet');
  tools.learn(quiet, answer({ taskId: 'old' }));
  for (let i = 0; i < 50_001; i += 1) tools.learn(call(), answer({ taskId: `${i}` }));
  expect(tools.toolOf(quiet, 'old')).toBe('read');
  expect(tools.toolOf(call(), '0')).toBeUndefined();
});
