import { expect, it } from 'vitest';
import { alternativeNames } from './client-certificate.ts';

it('reads names as Node writes them', () => {
  expect(alternativeNames('DNS:a.example, URI:spiffe://a/b, IP Address:127.0.0.1')).toEqual([
    { type: 'DNS', value: 'a.example' },
    { type: 'URI', value: 'spiffe://a/b' },
    { type: 'IP Address', value: '127.0.0.1' },
  ]);
  expect(alternativeNames(undefined)).toEqual([]);
});

it('takes a quoted value for one name, whatever it spells', () => {
  expect(alternativeNames('DNS:"a.example, URI:spiffe://acme/root", email:b@c')).toEqual([
    { type: 'DNS', value: 'a.example, URI:spiffe://acme/root' },
    { type: 'email', value: 'b@c' },
  ]);
  expect(alternativeNames('URI:"a\\"b\\u0000"')).toEqual([{ type: 'URI', value: 'a"b\0' }]);
});

it.each(['DNS', 'DNS:a,URI:b', 'DNS:"a', 'DNS:"a"b', 'DNS:a, ', ', DNS:a', 'DNS:"\\x"'])(
  'takes nothing of %j, which is not of that form',
  (text) => {
    expect(alternativeNames(text)).toEqual([]);
  },
);
