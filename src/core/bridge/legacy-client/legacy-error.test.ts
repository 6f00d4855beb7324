import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { failedAcross, legacyError } from './legacy-error.ts';

function translated(error: object, method: string): Message {
  return legacyError(Message.error('1', JSON.stringify(error)), method);
}

describe('an error for a legacy client', () => {
  it('has the code of its era for a resource that is not there', () => {
    const error = { code: -32602, message: 'Resource not found', data: { uri: 'a:b', more: 1 } };
    const message = translated(error, 'resources/read');
    expect(message.isError).toBe(true);
    expect(message.value).toEqual({ ...error, code: -32002 });
    expect(translated(error, 'tools/call').value).toEqual(error);
    expect(translated({ code: -32602, message: 'x' }, 'resources/read').value).toMatchObject({
      code: -32602,
    });
  });

  it.each([-32020, -32022])('%i is a fault of ours, and says what the server said', (code) => {
    const message = translated({ code, message: 'no such header' }, 'tools/list');
    expect(message.value).toEqual({
      code: -32603,
      message: 'The server refused us: no such header',
    });
  });

  it('names the capability a client lacks: in the result of a tool, else as an error', () => {
    const error = { code: -32021, message: 'x', data: { requiredCapabilities: { sampling: {} } } };
    const result = translated(error, 'tools/call');
    expect(result.isError).toBe(false);
    expect(result.value).toMatchObject({
      isError: true,
      content: [{ type: 'text', text: expect.stringContaining('sampling') as string }],
    });
    expect(translated(error, 'prompts/get').value).toMatchObject({ code: -32600 });
    expect(translated({ code: -32021 }, 'prompts/get').isError).toBe(true);
  });

  it('is the very same for every other code', () => {
    const message = Message.error('1', '{"code":-32601,"message":"m","data":{"n":1.0}}');
    expect(legacyError(message, 'x/y')).toBe(message);
  });

  it('failing across is a result for tools and an error for the rest', () => {
    expect(failedAcross('1', 'tools/call', 'why').value).toEqual({
      content: [{ type: 'text', text: 'why' }],
      isError: true,
    });
    expect(failedAcross('1', 'prompts/get', 'why').value).toEqual({ code: -32603, message: 'why' });
  });
});
