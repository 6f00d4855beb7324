import { expect, test } from 'vitest';
import { Message } from '../protocol/message.ts';
import { targetOf } from './request-target.ts';

const TASKS = 'io.modelcontextprotocol/tasks';
const CAPABILITIES = 'io.modelcontextprotocol/clientCapabilities';

function target(method: string, params: string): ReturnType<typeof targetOf> {
  return targetOf(Message.request('7', method, params));
}

test.each(['tools/call', 'prompts/get'])('%s goes to its server under its own name', (method) => {
  const params = '{"_meta":{"progressToken":7}, "name":"s__a\\u005fb__c" ,"arguments":{"n":1.0}}';
  const found = target(method, params);
  expect(found).toMatchObject({ kind: 'server', server: 's' });
  const { request } = found as { request: Message };
  expect(request.toText()).toBe(
    `{"jsonrpc":"2.0","id":7,"method":"${method}","params":` +
      '{"_meta":{"progressToken":7},"name":"a_b__c","arguments":{"n":1.0}}}',
  );
});

test('a completion of a prompt’s argument goes where the prompt is', () => {
  const ref = '{"type":"ref/prompt","name":"s__p","title":"T"}';
  const found = target('completion/complete', `{"ref":${ref},"argument":{"name":"a"}}`);
  expect(found).toMatchObject({ kind: 'server', server: 's' });
  const { request } = found as { request: Message };
  expect(request.payload).toBe(
    '{"ref":{"type":"ref/prompt","name":"p","title":"T"},"argument":{"name":"a"}}',
  );
});

test('a read and a completion of a resource go to whoever has it', () => {
  expect(target('resources/read', '{"uri":"x:1"}')).toMatchObject({ kind: 'resource', uri: 'x:1' });
  const ref = '{"ref":{"type":"ref/resource","uri":"x:{a}"}}';
  expect(target('completion/complete', ref)).toMatchObject({ kind: 'resource', uri: 'x:{a}' });
});

test.each([
  ['tools/call', '{"name":"plain"}', 'Unknown tool: plain'],
  ['tools/call', '{}', 'The name of a tool is required.'],
  ['prompts/get', '{"name":"_x__y"}', 'Unknown prompt: _x__y'],
  ['resources/read', '{}', 'A uri is required.'],
  ['completion/complete', '{}', 'A uri is required.'],
])('%s of %s is nobody’s', (method, params, detail) => {
  expect(target(method, params)).toEqual({ kind: 'nobody', detail });
});

test.each(['tasks/get', 'logging/setLevel', 'x'])('%s is no request of one server', (method) => {
  expect(target(method, '{}')).toBeUndefined();
});

test('a server is not told that tasks could be followed here', () => {
  const capabilities = { roots: {}, extensions: { [TASKS]: {}, other: {} } };
  const params = JSON.stringify({ _meta: { [CAPABILITIES]: capabilities, x: 1 }, name: 's__a' });
  const { request } = target('tools/call', params) as { request: Message };
  expect(request.value).toEqual({
    _meta: { [CAPABILITIES]: { roots: {}, extensions: { other: {} } }, x: 1 },
    name: 'a',
  });
});
