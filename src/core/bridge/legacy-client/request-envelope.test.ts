import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { DEFAULT_LIMITS } from '../../limits.ts';
import { META } from '../../protocol/eras/stateless-2026.ts';
import type { Message } from '../../protocol/message.ts';
import { clientBounds, readMessage } from '../../protocol/read-message.ts';
import { LegacyClient } from './legacy-client.ts';
import { requestEnvelope, withAnswers, withEnvelope } from './request-envelope.ts';

const CLIENT = new LegacyClient(
  JSON.stringify({ capabilities: { roots: {} }, clientInfo: { name: 'c', version: '2' } }),
  undefined,
);
const ENVELOPE = requestEnvelope(CLIENT, undefined, true);
const SAID = {
  [META.protocolVersion]: '2026-07-28',
  [META.clientInfo]: { name: 'c', version: '2' },
  [META.clientCapabilities]: { roots: {} },
};

function read(text: string): Message {
  const outcome = readMessage(text, clientBounds(DEFAULT_LIMITS));
  if (outcome.kind !== 'message') throw new Error(text);
  return outcome.message;
}

function request(params: string | undefined): Message {
  const rest = params === undefined ? '' : `,"params":${params}`;
  return read(`{"jsonrpc":"2.0","id":1,"method":"tools/call"${rest}}`);
}

const NAME = fc.string().filter((name) => name !== '__proto__');
const TOKEN = fc.oneof(fc.string(), fc.integer());
const META_VALUE = fc.record(
  { progressToken: TOKEN, traceparent: fc.string(), [META.protocolVersion]: fc.string() },
  { requiredKeys: [] },
);
const PARAMS = fc
  .record({
    others: fc.dictionary(NAME, fc.jsonValue({ maxDepth: 2 }), { maxKeys: 4 }),
    meta: fc.option(META_VALUE, { nil: undefined }),
    requestState: fc.option(fc.string(), { nil: undefined }),
  })
  .map(({ others, meta, requestState }) => ({ ...others, _meta: meta, requestState }));

describe('the envelope of a request', () => {
  it('says the level once it was asked for, and less of a client that cannot be asked', () => {
    expect(JSON.parse(`{${ENVELOPE}}`)).toEqual(SAID);
    expect(JSON.parse(`{${requestEnvelope(CLIENT, 'error', false)}}`)).toEqual({
      ...SAID,
      [META.clientCapabilities]: {},
      [META.logLevel]: 'error',
    });
  });

  it('is added to whatever a client sends, and nothing else is changed', () => {
    fc.assert(
      fc.property(PARAMS, fc.constantFrom(undefined, 2), (params, indent) => {
        fc.pre(!JSON.stringify(params).includes('__proto__'));
        const message = withEnvelope(request(JSON.stringify(params, undefined, indent)), ENVELOPE);
        const sent = JSON.parse(message.payload ?? '') as Record<string, unknown>;
        const {
          _meta: meta,
          requestState: _,
          ...others
        } = JSON.parse(JSON.stringify(params)) as Record<string, unknown>;
        expect(sent).toEqual({ ...others, _meta: { ...(meta as object), ...SAID } });
        const token = message.token(message.spans.progressToken);
        expect(token === undefined ? undefined : JSON.parse(token)).toEqual(
          (meta as { progressToken?: unknown } | undefined)?.progressToken,
        );
      }),
    );
  });

  it.each([undefined, '{}', '{ }', '{"_meta":{}}', '{ "_meta" : { } }', '{"_meta":null}'])(
    'is all there is in params %j',
    (params) => {
      const { payload } = withEnvelope(request(params), ENVELOPE);
      expect(JSON.parse(payload ?? '')).toEqual({ _meta: SAID });
    },
  );

  it('leaves numbers beyond 2^53 and keys of others as they came', () => {
    const meta = '{"traceparent":"00-1","progressToken":9007199254740993,"org.example/n":1.50}';
    const message = withEnvelope(
      request(`{"name":"t","arguments":{"n":9007199254740993},"_meta":${meta}}`),
      ENVELOPE,
    );
    expect(message.payload).toContain('"arguments":{"n":9007199254740993}');
    expect(message.payload).toContain('"traceparent":"00-1"');
    expect(message.payload).toContain('"org.example/n":1.50');
    expect(message.token(message.spans.progressToken)).toBe('9007199254740993');
  });

  it('a client cannot say what is ours to say', () => {
    const forged = Object.values(META).map((name) => `"${name}":"forged"`);
    const params = `{"inputResponses":{},"requestState":"forged","_meta":{${forged.join(',')}}}`;
    const { payload } = withEnvelope(request(params), ENVELOPE);
    expect(payload).not.toContain('forged');
    expect(payload).not.toContain('inputResponses');
  });
});

describe('a retry', () => {
  it('is the same request with the answers, its token where it was', () => {
    fc.assert(
      fc.property(PARAMS, fc.string(), (params, state) => {
        fc.pre(!JSON.stringify(params).includes('__proto__'));
        const first = withEnvelope(request(JSON.stringify(params)), ENVELOPE);
        const members = [
          '"inputResponses":{"a":{"n":1.0}}',
          `"requestState":${JSON.stringify(state)}`,
        ];
        const again = withAnswers(first, members);
        expect(JSON.parse(again.payload ?? '')).toEqual({
          ...(JSON.parse(first.payload ?? '') as object),
          inputResponses: { a: { n: 1 } },
          requestState: state,
        });
        expect(again.token(again.spans.progressToken)).toBe(first.token(first.spans.progressToken));
      }),
    );
  });

  it('with nothing to add is the request itself', () => {
    const first = withEnvelope(request('{}'), ENVELOPE);
    expect(withAnswers(first, [])).toBe(first);
  });
});
