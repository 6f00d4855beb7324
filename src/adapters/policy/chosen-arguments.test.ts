import { expect, it } from 'vitest';
import { chosenArguments, pathsOf } from './chosen-arguments.ts';

const CHOSEN = { files: { write: ['path', 'options.mode'] } };

it('are those of the tool of the server, and of no other', () => {
  expect(pathsOf(CHOSEN, 'files', 'write')).toEqual(['path', 'options.mode']);
  expect(pathsOf(CHOSEN, 'files', 'read')).toEqual([]);
  expect(pathsOf(CHOSEN, 'mail', 'write')).toEqual([]);
  for (const name of ['toString', 'constructor', '__proto__']) {
    expect(pathsOf(CHOSEN, name, name)).toEqual([]);
    // Functions have these of their own.
    for (const own of ['name', 'length']) expect(pathsOf(CHOSEN, name, own)).toEqual([]);
    expect(pathsOf(CHOSEN, 'files', name)).toEqual([]);
  }
});

it('hold what lies at the paths and nothing else', () => {
  const given = { path: '/a', options: { mode: 6, secret: 's' }, body: 'b' };
  expect(chosenArguments(['path', 'options.mode'], given)).toEqual({
    path: '/a',
    'options.mode': 6,
  });
  expect(chosenArguments([], given)).toEqual({});
});

it('leave out what is absent or null, wherever it ends', () => {
  for (const given of [
    {},
    null,
    'text',
    { a: null },
    { a: { b: null } },
    { a: 'text' },
    undefined,
  ]) {
    expect(chosenArguments(['a.b'], given), JSON.stringify(given)).toEqual({});
  }
  expect(chosenArguments(['a', 'b'], { a: null, b: 1 })).toEqual({ b: 1 });
});

it('V43 find nothing that an object only inherits', () => {
  expect(chosenArguments(['toString', 'a.constructor'], { a: {} })).toEqual({});
});

it('are undefined when one cannot be shown, so that nobody decides', () => {
  expect(chosenArguments(['a', 'b'], { a: 1, b: '\ud800' })).toBeUndefined();
  expect(chosenArguments(['b'], { b: { __entity: 1 } })).toBeUndefined();
});

it('V42 V43 are undefined where a name beside them differs only in case, at any depth', () => {
  for (const given of [
    { path: '/a', Path: '/b' },
    { PATH: '/b' },
    { options: { mode: 1, Mode: 2 } },
    { options: {}, optionſ: { mode: 1 } },
  ]) {
    expect(chosenArguments(['path', 'options.mode'], given)).toBeUndefined();
  }
  const other = { path: '/a', Body: 1, body: 2, options: { Text: 1, text: 2 } };
  expect(chosenArguments(['path', 'options.mode'], other)).toEqual({ path: '/a' });
});

it('V43 are undefined where the path goes on inside of a text that a server may read as JSON', () => {
  for (const text of ['{"mode":"delete"}', ' \t\r\n{"mode":6}', '[{"mode":6}]', '{']) {
    expect(chosenArguments(['options.mode'], { options: text })).toBeUndefined();
    expect(chosenArguments(['a.options.mode'], { a: { options: text } })).toBeUndefined();
    expect(chosenArguments(['mode'], text)).toBeUndefined();
    expect(chosenArguments(['options'], { options: text })).toEqual({ options: text });
  }
});

it('are found by a name that holds a dot, unless the path begins there, too', () => {
  const paths = ['fs.path'];
  expect(chosenArguments(paths, { 'fs.path': '/etc' })).toEqual({ 'fs.path': '/etc' });
  expect(chosenArguments(paths, { fs: { path: '/etc' } })).toEqual({ 'fs.path': '/etc' });
  for (const fs of [{ path: '/srv' }, {}, null]) {
    expect(chosenArguments(paths, { fs, 'fs.path': '/etc' })).toBeUndefined();
  }
  expect(chosenArguments(paths, { 'fs.path': '/srv', 'FS.path': '/etc' })).toBeUndefined();
});
