import { expect, it } from 'vitest';
import { isLoopback, isWildcard, urlHost } from './listen-host.ts';

it.each(['localhost', 'LOCALHOST', '::1', '[::1]', '127.0.0.1', '127.255.0.3'])(
  'only this machine reaches %s',
  (host) => expect(isLoopback(host)).toBe(true),
);

it.each([
  '0.0.0.0',
  '::',
  '10.0.0.1',
  '128.0.0.1',
  '1127.0.0.1',
  '127.0.0.1.evil.test',
  '127.0.0',
  '127.0.0.1234',
  'localhost.evil.test',
  '[::1',
  '::1]',
  '[x[::1]',
  '',
])('others may reach %s', (host) => expect(isLoopback(host)).toBe(false));

it('tells addresses that stand for all', () => {
  for (const host of ['0.0.0.0', '::', '::0', '0']) expect(isWildcard(host)).toBe(true);
  for (const host of ['127.0.0.1', '::1', 'a::', '', '0.0.0.1']) {
    expect(isWildcard(host)).toBe(false);
  }
});

it('writes a host as a URL has it', () => {
  expect(urlHost('127.0.0.1')).toBe('127.0.0.1');
  expect(urlHost('::1')).toBe('[::1]');
  expect(urlHost('fe80::1%eth0')).toBe('[fe80::1]');
});
