import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { Message } from '../../protocol/message.ts';
import { legacyResult } from './legacy-result.ts';

function translated(result: string, method = 'tools/call', isWrapped = false): string {
  return legacyResult(Message.result('1', result), method, isWrapped).payload ?? '';
}

describe('a result for a legacy client', () => {
  it('has nothing of the stateless revision, and all else as it came', () => {
    fc.assert(
      fc.property(fc.dictionary(fc.string(), fc.jsonValue({ maxDepth: 2 })), (own) => {
        const { content: _, structuredContent: __, tools: ___, _meta: ____, ...rest } = own;
        const added = { resultType: 'complete', ttlMs: 1, cacheScope: 'public' };
        const text = JSON.stringify({ ...rest, ...added });
        const {
          resultType: _1,
          ttlMs: _2,
          cacheScope: _3,
          ...kept
        } = JSON.parse(text) as Record<string, unknown>;
        expect(JSON.parse(translated(text))).toEqual(kept);
      }),
    );
  });

  it('keeps what others put into _meta, and drops it when nothing is left', () => {
    const info = '"io.modelcontextprotocol/serverInfo":{"name":"s"}';
    expect(translated(`{"a":1.0,"_meta":{${info},"x":2.50}}`)).toBe('{"a":1.0,"_meta":{"x":2.50}}');
    expect(translated(`{"_meta":{${info}},"a":1}`)).toBe('{"a":1}');
    expect(translated('{"a":1,"_meta":{"x":{"y":[]}}}')).toBe('{"a":1,"_meta":{"x":{"y":[]}}}');
  });

  it.each([
    ['[1,9007199254740993]', '[1,9007199254740992]'],
    ['"word"', '"word"'],
    ['null', 'null'],
    ['7', '7'],
  ])('wraps structured content %s, and says it as text', (value, asText) => {
    const block = `{"type":"text","text":${JSON.stringify(asText)}}`;
    expect(translated(`{"content":[],"structuredContent":${value}}`)).toBe(
      `{"content":[${block}],"structuredContent":{"result":${value}}}`,
    );
    const spoken = '{"type":"text","text":"said"}';
    expect(translated(`{"content":[${spoken}],"structuredContent":${value}}`)).toBe(
      `{"content":[${spoken}],"structuredContent":{"result":${value}}}`,
    );
    const image = '{"type":"image","data":"","mimeType":"image/png"}';
    expect(translated(`{"content":[ ${image} ],"structuredContent":${value}}`)).toBe(
      `{"content":[${image},${block}],"structuredContent":{"result":${value}}}`,
    );
  });

  it('wraps an object only where its schema was wrapped', () => {
    const text = '{"content":[],"structuredContent":{"a":1}}';
    expect(translated(text)).toBe(text);
    expect(translated(text, 'tools/call', true)).toBe(
      '{"content":[],"structuredContent":{"result":{"a":1}}}',
    );
    const other = '{"structuredContent":[1]}';
    expect(translated(other, 'resources/read')).toBe(other);
  });

  it('shows tools whose output is no object as ones whose output is', () => {
    const plain = '{"tools":[{"name":"a","outputSchema":{"type":"object","n":1.0}},{"name":"b"}]}';
    expect(translated(plain, 'tools/list')).toBe(plain);
    const { tools } = JSON.parse(
      translated('{"tools":[{"name":"a","outputSchema":{"type":"array"}}, null]}', 'tools/list'),
    ) as { tools: unknown };
    expect(tools).toEqual([
      {
        name: 'a',
        outputSchema: {
          type: 'object',
          properties: { result: { type: 'array' } },
          required: ['result'],
        },
      },
      null,
    ]);
  });
});
