import fc from 'fast-check';
import { expect, test } from 'vitest';
import { ResourceRoutes } from './resource-routes.ts';
import { matchesTemplate } from './uri-template.ts';

function routes(): ResourceRoutes {
  const made = new ResourceRoutes();
  made.setServers(['a', 'b', 'c']);
  return made;
}

test('whoever lists a URI is asked, the first of several', () => {
  const known = routes();
  known.learnUris('c', ['x:1'], true);
  known.learnUris('b', ['x:1', 'x:2'], true);
  expect(known.routeOf('x:1')).toEqual({ servers: ['b'], isSure: true });
  known.learnUris('b', ['x:2'], true);
  expect(known.routeOf('x:1')).toEqual({ servers: ['c'], isSure: true });
});

test('a URI nobody lists is asked of the closest template first, then of everybody in order', () => {
  const known = routes();
  known.learnTemplates('b', ['{+any}'], true);
  known.learnTemplates('c', ['file:///{path}', 'db://{table}'], true);
  expect(known.routeOf('file:///x')).toEqual({ servers: ['c', 'b', 'a'], isSure: false });
  expect(known.routeOf('other:1')).toEqual({ servers: ['b', 'a', 'c'], isSure: false });
});

test('a template itself is the server’s that lists it', () => {
  const known = routes();
  known.learnTemplates('b', ['db://{table}'], true);
  expect(known.routeOf('db://{table}')).toEqual({ servers: ['b'], isSure: true });
});

test('a further page adds to what is known, the first replaces it', () => {
  const known = routes();
  known.learnUris('a', ['x:1'], true);
  known.learnUris('a', ['x:2'], false);
  expect([known.ownerOf('x:1'), known.ownerOf('x:2')]).toEqual(['a', 'a']);
  known.learnUris('a', ['x:3'], true);
  expect([known.ownerOf('x:1'), known.ownerOf('x:3')]).toEqual([undefined, 'a']);
});

test('a server is known once both of its lists were read, until it says that they changed', () => {
  const known = routes();
  known.learnUris('a', [], true);
  expect(known.isKnown('a')).toBe(false);
  known.learnTemplates('a', [], true);
  expect(known.isKnown('a')).toBe(true);
  known.forget('a');
  expect(known.isKnown('a')).toBe(false);
});

test('nothing is learnt of a server that is not merged', () => {
  const known = routes();
  known.learnUris('stranger', ['x:1'], true);
  known.learnTemplates('stranger', ['{+any}'], true);
  known.forget('stranger');
  expect(known.routeOf('x:1')).toEqual({ servers: ['a', 'b', 'c'], isSure: false });
});

test('a server that stays keeps what it listed, one that left is asked no more', () => {
  const known = routes();
  known.learnUris('b', ['x:1'], true);
  known.learnUris('c', ['x:2'], true);
  known.setServers(['d', 'b']);
  expect(known.ownerOf('x:1')).toBe('b');
  expect(known.routeOf('x:2')).toEqual({ servers: ['d', 'b'], isSure: false });
});

test.each([
  ['x://{a}/y', 'x://1/y', true],
  ['x://{a}/y', 'x:///y', true],
  ['x://{a}/y', 'x://1/z', false],
  ['x://{a}/y', 'y://1/y', false],
  ['x://{a}{?q*}', 'x://1?q=2', true],
  ['x:{a}-{b}', 'x:-', true],
  ['x:{a}-{b}', 'x:', false],
  ['ab{x}ba', 'aba', false],
  ['x:1', 'x:1', true],
  ['x:1', 'x:12', false],
  ['{+all}', 'anything:at/all', true],
])('%s and %s: %s', (template, uri, expected) => {
  expect(matchesTemplate(template, uri)).toBe(expected);
});

test('a URI made from a template matches it', () => {
  const literal = fc.string({ unit: fc.constantFrom('a', '/', ':', '-') });
  fc.assert(
    fc.property(literal, fc.array(fc.tuple(fc.string(), literal)), (first, rest) => {
      const template = first + rest.map(([, text]) => `{v}${text}`).join('');
      const uri = first + rest.map(([value, text]) => value + text).join('');
      expect(matchesTemplate(template, uri)).toBe(true);
    }),
  );
});
