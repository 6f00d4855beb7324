import { describe, expect, it } from 'vitest';
import type { RequestHead } from '../../core/ports.ts';
import { PresentedTokens, ReadToken } from './presented-tokens.ts';
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
  read = 0;
  readonly tokens = new PresentedTokens({
    isFit: (text) => {
      this.asked += 1;
      return text.startsWith('t');
    },
    belongingOf: (text) => {
      this.read += 1;
      return text.endsWith('f') ? 'foreign' : 'ours';
    },
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

  it('tells whose it says it is when it is asked, and reads it once for that', () => {
    const stage = new Stage();
    const connection = {};
    const belongingOf = (token: string): string | undefined => {
      const read = stage.tokens.of(head(`Bearer ${token}`, connection));
      return read instanceof ReadToken ? read.belonging : undefined;
    };
    stage.tokens.of(head('Bearer tf', connection));
    expect(stage.read).toBe(0);
    expect([belongingOf('tf'), belongingOf('tf'), stage.read]).toEqual(['foreign', 'foreign', 1]);
    expect([belongingOf('t'), belongingOf('t'), stage.read]).toEqual(['ours', 'ours', 2]);
  });

  it('is ours where nobody else issues such tokens', () => {
    const tokens = new PresentedTokens({ isFit: () => true });
    expect(tokens.of(head('Bearer any'))).toMatchObject({ belonging: 'ours' });
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
