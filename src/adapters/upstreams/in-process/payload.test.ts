import fc from 'fast-check';
import { expect, test } from 'vitest';
import { Message } from '../../../core/protocol/message.ts';
import type { Span } from '../../../core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../../core/protocol/read-message.ts';
import { writePayload } from './payload.ts';

const SUBSCRIPTION_ID = 'io.modelcontextprotocol/subscriptionId';

function at(text: string, span: Span | undefined): string | undefined {
  return span === undefined ? undefined : text.slice(span.start, span.end);
}

test('the text is what JSON.stringify gives, for every kind of message', () => {
  const json = fc.object({ withDate: true, withNullPrototype: true });
  fc.assert(
    fc.property(
      fc.constantFrom('request', 'notification', 'response'),
      json,
      fc.option(json, { nil: undefined }),
      (kind, value, meta) => {
        const params = meta === undefined ? value : { ...(value as object), _meta: meta };
        expect(writePayload(kind as 'request', params)?.text).toBe(JSON.stringify(params));
      },
    ),
  );
});

test('spans hold the tokens of the members an engine rewrites', () => {
  const progress = writePayload('notification', { a: '"}', progressToken: 'ü"', progress: 1 });
  expect(at(progress?.text ?? '', progress?.spans.progressToken)).toBe('"ü\\""');
  const request = writePayload('request', {
    skipped: undefined,
    name: 'x',
    _meta: { before: { progressToken: 'no' }, progressToken: 7 },
  });
  expect(at(request?.text ?? '', request?.spans.progressToken)).toBe('7');
  expect(at(request?.text ?? '', request?.spans.meta)).toBe(
    '{"before":{"progressToken":"no"},"progressToken":7}',
  );
  const cancelled = writePayload('notification', { requestId: 12, reason: 'r' });
  expect(at(cancelled?.text ?? '', cancelled?.spans.requestId)).toBe('12');
  const result = writePayload('response', { x: 1, _meta: { [SUBSCRIPTION_ID]: 3 } });
  expect(at(result?.text ?? '', result?.spans.subscriptionId)).toBe('3');
});

test('a value without a JSON form is told apart from one that cannot be written', () => {
  expect(writePayload('response', undefined)).toBeUndefined();
  const cycle: Record<string, unknown> = { _meta: {} };
  cycle['self'] = cycle;
  expect(() => writePayload('response', cycle)).toThrow();
  expect(() => writePayload('notification', { big: 1n })).toThrow();
});

test('spans are where the reader finds them in the same text', () => {
  const token = fc.oneof(fc.string(), fc.integer());
  const extra = fc.dictionary(fc.string(), fc.oneof(fc.string(), fc.integer(), fc.object()));
  const members = fc.record(
    { progressToken: token, [SUBSCRIPTION_ID]: token, requestId: token },
    { requiredKeys: [] },
  );
  const kinds = fc.constantFrom('request' as const, 'notification' as const, 'response' as const);
  fc.assert(
    fc.property(kinds, extra, members, extra, members, (kind, outer, top, inner, low) => {
      const value = { ...outer, ...top, _meta: { ...inner, ...low } };
      const payload = writePayload(kind, value);
      const id = kind === 'notification' ? undefined : '1';
      const method = kind === 'response' ? undefined : 'm';
      const line = new Message(kind, id, method, false, payload?.text).toText();
      // The reader refuses this name wherever it stands.
      fc.pre(!line.includes('__proto__'));
      const read = readMessage(line, UPSTREAM_BOUNDS);
      expect(read.kind === 'message' && read.message.spans).toEqual(payload?.spans);
    }),
  );
});
