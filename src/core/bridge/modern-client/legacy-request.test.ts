import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { META } from '../../protocol/eras/stateless-2026.ts';
import { clientBounds, readMessage } from '../../protocol/read-message.ts';
import { DEFAULT_LIMITS } from '../../limits.ts';
import type { Message } from '../../protocol/message.ts';
import { isBridged, mayAsk, toLegacyRequest } from './legacy-request.ts';

const ENVELOPE = {
  [META.protocolVersion]: '2026-07-28',
  [META.clientCapabilities]: {},
  [META.logLevel]: 'info',
};

function request(params: object): Message {
  const text = JSON.stringify({ jsonrpc: '2.0', id: 1, method: 'tools/call', params });
  const read = readMessage(text, clientBounds(DEFAULT_LIMITS));
  if (read.kind !== 'message') throw new Error(text);
  return read.message;
}

const name = fc.string({ maxLength: 5 }).filter((each) => !['__proto__', '_meta'].includes(each));
// Refused before it gets here.
const value = fc
  .json({ maxDepth: 2 })
  .filter((text) => !text.includes('__proto__'))
  .map((text) => JSON.parse(JSON.stringify(JSON.parse(text))) as unknown);
const token = fc.option(fc.oneof(fc.string(), fc.integer()), { nil: undefined });

describe('a 2026 request in the words of the handshake revisions', () => {
  it('loses what only 2026 has, keeps all else, and still knows where its token is', () => {
    fc.assert(
      fc.property(
        fc.dictionary(name, value),
        fc.dictionary(name, value),
        token,
        fc.boolean(),
        (params, own, progressToken, isRetry) => {
          const answers = isRetry ? { inputResponses: {}, requestState: 's' } : {};
          const kept = progressToken === undefined ? own : { ...own, progressToken };
          const message = request({ ...params, ...answers, _meta: { ...ENVELOPE, ...kept } });
          const legacy = toLegacyRequest(message);
          expect(JSON.parse(legacy.payload ?? '')).toEqual({ ...params, _meta: kept });
          const place = legacy.token(legacy.spans.progressToken);
          expect(place).toBe(
            progressToken === undefined ? undefined : JSON.stringify(progressToken),
          );
        },
      ),
    );
  });

  it.each(['"task":{}', '"requestState":"s"', '"inputResponses":{"a":{}}'])(
    'leaves the spelling of numbers alone when it takes out %s',
    (member) => {
      const meta = `{"${META.protocolVersion}":"2026-07-28","k":1.0,"progressToken":1}`;
      const params = `{"arguments":{"n":9007199254740993,"f":1.0,"x":1e400},${member},"_meta":${meta}}`;
      const text = `{"jsonrpc":"2.0","id":1,"method":"tools/call","params":${params}}`;
      const read = readMessage(text, clientBounds(DEFAULT_LIMITS));
      if (read.kind !== 'message') throw new Error(text);
      const legacy = toLegacyRequest(read.message);
      expect(legacy.payload).toBe(
        '{"_meta":{"progressToken":1,"k":1.0},"arguments":{"n":9007199254740993,"f":1.0,"x":1e400}}',
      );
      expect(legacy.token(legacy.spans.progressToken)).toBe('1');
    },
  );

  it('leaves the spelling of numbers alone', () => {
    const text =
      '{"jsonrpc":"2.0","id":1,"method":"tools/call","params":{"n":1.0,"_meta":{"progressToken":9007199254740993}}}';
    const read = readMessage(text, clientBounds(DEFAULT_LIMITS));
    if (read.kind !== 'message') throw new Error(text);
    expect(toLegacyRequest(read.message).payload).toBe(
      '{"n":1.0,"_meta":{"progressToken":9007199254740993}}',
    );
  });

  it('exists for the methods both sides have', () => {
    expect(isBridged('resources/read')).toBe(true);
    expect(['ping', 'tasks/get', 'toString', undefined].map(isBridged)).not.toContain(true);
    expect(['tools/call', 'prompts/get', 'resources/read'].map(mayAsk)).not.toContain(false);
    expect(['tools/list', 'completion/complete', 'server/discover'].map(mayAsk)).not.toContain(
      true,
    );
  });
});
