import { describe, expect, it } from 'vitest';
import type { RequestHead } from '../../core/ports.ts';
import { PresentedTokens } from './presented-tokens.ts';
import { tokenDigest } from './verified-tokens.ts';

function head(authorization: string | undefined, connection?: object): RequestHead {
  const count = authorization === undefined ? 0 : 1;
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    remoteAddress: '127.0.0.1',
    connection,
    header: (name) => (name === 'authorization' ? authorization : undefined),
    headerCount: (name) => (name === 'authorization' ? count : 0),
    headerNames: () => [],
  };
}

class Stage {
  asked = 0;
  readonly tokens = new PresentedTokens((text) => {
    this.asked += 1;
    if (text.startsWith('f')) return 'foreign';
    return text.startsWith('t') ? 'ours' : 'unfit';
  });
}

describe('what is presented', () => {
  it('is read with its digest', () => {
    expect(new Stage().tokens.of(head('DPoP tok'))).toEqual({
      scheme: 'dpop',
      token: 'tok',
      digest: tokenDigest('tok'),
    });
  });

  it('may be nothing, or nothing of that kind', () => {
    const { tokens } = new Stage();
    expect(tokens.of(head(undefined))).toBeUndefined();
    expect(tokens.of(head('Basic t'))).toBeUndefined();
    expect(tokens.of(head('Bearer other'))).toBe('unfit');
    expect(tokens.of(head('Bearer foreign'))).toBe('foreign');
    expect(tokens.of(head(`Bearer t${'x'.repeat(16_384)}`))).toBe('unfit');
    expect(tokens.of(head(`Bearer t${'x'.repeat(16_383)}`))).toMatchObject({ scheme: 'bearer' });
  });

  it('is read once for a connection, as long as it stays the same', () => {
    const { tokens } = new Stage();
    const connection = {};
    const first = tokens.of(head('Bearer t1', connection));
    expect(tokens.of(head('Bearer t1', connection))).toBe(first);
    expect(tokens.of(head('Bearer t2', connection))).toMatchObject({ token: 't2' });
    expect(tokens.of(head('Bearer t1', connection))).toMatchObject({ token: 't1' });
    expect(tokens.of(head(undefined, connection))).toBeUndefined();
    expect(tokens.of(head('Bearer t1', {}))).toMatchObject({ token: 't1' });
  });

  it('that was verified before is not asked about, on a connection that many share', () => {
    const known = new Set<string>();
    const tokens = new PresentedTokens(
      (_text, isKnown) => (isKnown() ? 'ours' : 'foreign'),
      (digest) => known.has(digest),
    );
    const connection = {};
    expect(tokens.of(head('Bearer t1', connection))).toBe('foreign');
    known.add(tokenDigest('t2'));
    expect(tokens.of(head('Bearer t2', connection))).toMatchObject({ digest: tokenDigest('t2') });
    expect(tokens.of(head('Bearer t3', connection))).toBe('foreign');
    const unknown = new PresentedTokens((_text, isKnown) => (isKnown() ? 'ours' : 'foreign'));
    expect(unknown.of(head('Bearer t1', connection))).toBe('foreign');
  });

  it('that is unfit, or none, is read once, too', () => {
    const stage = new Stage();
    const connection = {};
    for (let i = 0; i < 3; i += 1) {
      expect(stage.tokens.of(head('Bearer other', connection))).toBe('unfit');
    }
    expect(stage.asked).toBe(1);
    expect(stage.tokens.of(head('Basic x', connection))).toBeUndefined();
    expect(stage.tokens.of(head('Bearer other'))).toBe('unfit');
    expect(stage.asked).toBe(2);
  });
});
