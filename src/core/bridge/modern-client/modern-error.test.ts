import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { toModernError, urlElicitations } from './modern-error.ts';

function failed(error: object): Message {
  return Message.error('1', JSON.stringify(error));
}

describe('an error in the codes of 2026', () => {
  it('has no code in the reserved range but those that mean the same', () => {
    for (let code = -32100; code <= -31990; code += 1) {
      const told = toModernError(failed({ code, message: 'm' }), undefined).value as {
        code: number;
      };
      const isReserved = code <= -32000 && code >= -32099;
      const wanted = code === -32002 ? -32602 : isReserved ? -32603 : code;
      expect(told.code).toBe(wanted);
    }
  });

  it('keeps what the server said of a missing resource beside its address', () => {
    const told = toModernError(failed({ code: -32002, message: 'm', data: { why: 1 } }), 'a:b');
    expect(told.value).toEqual({ code: -32602, message: 'm', data: { uri: 'a:b', why: 1 } });
  });

  it('leaves an explanation alone that has data of its own', () => {
    const error = { code: -32602, message: 'm', data: { issues: [] } };
    expect(toModernError(failed(error), 'a:b').value).toEqual(error);
  });
});

describe('an error that asks for visits', () => {
  const visit = { mode: 'url', elicitationId: 'e', url: 'https://x.y', message: 'Go.' };

  it('names them', () => {
    const error = failed({ code: -32042, message: 'm', data: { elicitations: [visit, {}] } });
    expect(urlElicitations(error)).toEqual([visit]);
  });

  it.each([
    ['another code', { code: -32041, message: 'm', data: { elicitations: [visit] } }],
    ['no visit', { code: -32042, message: 'm', data: { elicitations: [{ url: 7 }] } }],
    ['no list', { code: -32042, message: 'm' }],
  ])('is none with %s', (_, error) => {
    expect(urlElicitations(failed(error))).toBeUndefined();
  });

  it('is none when it is a result', () => {
    const result = { code: -32042, data: { elicitations: [visit] } };
    expect(urlElicitations(Message.result('1', JSON.stringify(result)))).toBeUndefined();
  });
});
