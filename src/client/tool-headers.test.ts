import { expect, it } from 'vitest';
import { Message } from '../core/protocol/message.ts';
import { Sight } from '../../test/upstreams/recorder.ts';
import { ToolHeaders } from './tool-headers.ts';

function listed(count: number): Message {
  const properties = { a: { type: 'string', 'x-mcp-header': ' ' } };
  const bad = Array.from({ length: count }, (_, i) => ({
    name: `bad-${i}`,
    inputSchema: { type: 'object', properties },
  }));
  return Message.result('1', JSON.stringify({ tools: [...bad, { name: 'good' }] }));
}

it('takes out all tools that break a rule, and logs some: a server lists as many as it likes', () => {
  const sight = new Sight();
  const tools = new ToolHeaders(sight, 'server');
  expect(tools.learn(listed(1000)).value).toEqual({ tools: [{ name: 'good' }] });
  expect(sight.logs).toHaveLength(11);
  expect(sight.logs[0]?.fields).toMatchObject({ server: 'server', tool: 'bad-0' });
  expect(sight.logs.at(-1)?.fields).toEqual({ server: 'server', unlogged: 990 });
});

it('says nothing of others where all are logged, and nothing at all where none is taken out', () => {
  const sight = new Sight();
  const tools = new ToolHeaders(sight, 'server');
  tools.learn(listed(10));
  expect(sight.logs).toHaveLength(10);
  const answer = listed(0);
  expect(tools.learn(answer)).toBe(answer);
  expect(sight.logs).toHaveLength(10);
});
