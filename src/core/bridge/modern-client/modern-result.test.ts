import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import type { Message } from '../../protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../protocol/read-message.ts';
import { discoverResult, legacyServerOf, SERVER_INFO, toModernResult } from './modern-result.ts';

const INFO = { name: 'server', version: '1' };
const { infoText } = legacyServerOf({ serverInfo: INFO });

function received(result: object): Message {
  const read = readMessage(JSON.stringify({ jsonrpc: '2.0', id: 1, result }), UPSTREAM_BOUNDS);
  if (read.kind !== 'message') throw new Error(JSON.stringify(read));
  return read.message;
}

const member = fc.constantFrom('content', 'tools', 'x', 'resultType', 'ttlMs', 'cacheScope');
const meta = fc.dictionary(fc.constantFrom('a', SERVER_INFO), fc.jsonValue({ maxDepth: 1 }));
const result = fc
  .tuple(fc.dictionary(member, fc.jsonValue({ maxDepth: 2 })), fc.option(meta, { nil: undefined }))
  .map(([members, own]) => (own === undefined ? members : { ...members, _meta: own }))
  .map((value) => JSON.parse(JSON.stringify(value)) as Record<string, unknown>)
  // Refused before it gets here.
  .filter((value) => !JSON.stringify(value).includes('__proto__'));

describe('a result in the words of 2026', () => {
  it('has every member it had, those of its revision once, and the name its server gave', () => {
    fc.assert(
      fc.property(fc.constantFrom('tools/list', 'tools/call'), result, (method, value) => {
        const text = toModernResult(method, received(value), infoText).payload ?? '';
        const told = JSON.parse(text) as Record<string, unknown>;
        const cache = method === 'tools/list' ? { ttlMs: 0, cacheScope: 'private' } : {};
        const own = (value as { _meta?: object })._meta ?? {};
        expect(told).toEqual({
          ...value,
          resultType: 'complete',
          ...cache,
          _meta: { [SERVER_INFO]: INFO, ...own },
        });
        // A repeated name would be read differently by different parsers.
        const scan = readMessage(`{"jsonrpc":"2.0","id":1,"result":${text}}`, UPSTREAM_BOUNDS);
        expect(scan.kind).toBe('message');
      }),
      { numRuns: 1000 },
    );
  });

  it('keeps the text of what it does not own', () => {
    const read = readMessage(
      '{"jsonrpc":"2.0","id":1,"result":{ "content":[],"n":12345678901234567890}}',
      UPSTREAM_BOUNDS,
    );
    if (read.kind !== 'message') throw new Error('Not a message.');
    expect(toModernResult('tools/call', read.message, '').payload).toBe(
      '{"resultType":"complete","_meta":{}, "content":[],"n":12345678901234567890}',
    );
  });
});

describe('a synthesised discovery', () => {
  it('names the capabilities that mean the same, and drops the others', () => {
    const server = legacyServerOf({
      protocolVersion: '2025-11-25',
      capabilities: { tools: { listChanged: true }, tasks: {}, extensions: {}, logging: {} },
      serverInfo: INFO,
      instructions: 'Be kind.',
    });
    expect(JSON.parse(discoverResult(server))).toMatchObject({
      capabilities: { tools: { listChanged: true }, logging: {} },
      instructions: 'Be kind.',
      _meta: { [SERVER_INFO]: INFO },
    });
    expect(discoverResult(server)).not.toMatch(/tasks|extensions/);
  });

  it('is made of whatever a server said', () => {
    for (const said of [undefined, {}, { capabilities: 7, serverInfo: 'x', instructions: [] }]) {
      expect(JSON.parse(discoverResult(legacyServerOf(said)))).toMatchObject({ capabilities: {} });
    }
  });
});
