import { expect, it } from 'vitest';
import type { RequestHead } from '../../core/ports.ts';
import { authorizationOf, bearerOf, tokenIn } from './bearer.ts';

function head(...values: readonly string[]): RequestHead {
  const lines = (name: string): readonly string[] => (name === 'authorization' ? values : []);
  return {
    method: 'POST',
    path: '/mcp',
    query: 'access_token=q',
    remoteAddress: '127.0.0.1',
    header: (name) => lines(name)[0],
    headerCount: (name) => lines(name).length,
    headerNames: () => values.map(() => 'authorization'),
  };
}

it.each([
  ['Bearer t', 'bearer', 't'],
  ['bEARER   t.o-k~en+/=  ', 'bearer', 't.o-k~en+/='],
  ['DPoP t', 'dpop', 't'],
])('%j presents a token', (value, scheme, token) => {
  expect(tokenIn(authorizationOf(head(value)))).toEqual({ scheme, token });
  expect(bearerOf(head(value))).toBe(scheme === 'bearer' ? token : undefined);
});

it.each(['', 'Bearer', 'Bearer ', 'Bearer a b', ' Bearer t', 'Basic t', 'xBearer t', 'Bearert'])(
  '%j presents none',
  (value) => {
    expect(tokenIn(authorizationOf(head(value)))).toBeUndefined();
    expect(bearerOf(head(value))).toBeUndefined();
  },
);

it('is worth nothing twice, and nothing in a URL', () => {
  expect(authorizationOf(head('Bearer t', 'Bearer t'))).toBeUndefined();
  expect(bearerOf(head('Bearer t', 'Bearer t'))).toBeUndefined();
  expect(bearerOf(head())).toBeUndefined();
});
