import { expect, it } from 'vitest';
import { decodedForms, templateForms, uriForms } from './uri-forms.ts';

it.each([
  'file:///secret/b',
  'note://1',
  'ui://Board/View',
  'urn:isbn:0451450523',
  'https://intra.example/secret?q=1#x',
  'file:///public/%7Bname%7D',
  'no URI at all',
  '',
])('%s is read in one way', (uri) => {
  expect(uriForms(uri)).toEqual([uri]);
});

it.each([
  ['file:///public/../secret/b', 'file:///secret/b'],
  ['file:///public/%2e%2E/secret/b', 'file:///secret/b'],
  ['file:///public\\..\\secret/b', 'file:///secret/b'],
  ['FILE:///secret/b', 'file:///secret/b'],
  ['file:/secret/b', 'file:///secret/b'],
  ['file:///sec\tret/b', 'file:///secret/b'],
  ['FILE:///%53ecret', 'file:///%53ecret'],
  ['https://INTRA.example:443/secret', 'https://intra.example/secret'],
  ['https://intra.example', 'https://intra.example/'],
  ['file:///public/{name}', 'file:///public/%7Bname%7D'],
  ['file:///public/../secret/{name}', 'file:///secret/%7Bname%7D'],
])('%s is also %s', (uri, read) => {
  expect(uriForms(uri)).toEqual([uri, read]);
});

it.each(['note://{id}', 'file:///public/{name}', 'https://intra.example/{+path}{?q,r}', '{+uri}'])(
  'the template %s is read in one way',
  (template) => {
    expect(templateForms(template)).toEqual([template]);
  },
);

it('a template is also what it says of where it lies', () => {
  const template = 'FILE:///public/../secret/{name}';
  expect(templateForms(template)).toEqual([template, 'file:///secret/{name}']);
});

it.each([
  ['file:///public/..%2Fsecret/b', 'file:///secret/b'],
  ['file:///public/.%2e%2fsecret/b', 'file:///secret/b'],
  ['file:///public/a%2F..%2F..%2Fsecret/b', 'file:///secret/b'],
  ['file:///public%2F..', 'file:///'],
  ['file:///public/x%5C..%5C..%5Csecret/b', 'file:///secret/b'],
])('%s leads to %s where its encoding is undone first', (uri, read) => {
  expect(uriForms(uri)).toEqual([uri, read]);
});

it.each([
  ['file:///%73ecret/b', ['file:///secret/b']],
  ['file:///secret%2Fb', ['file:///secret/b']],
  ['FILE:///%53ecret', ['FILE:///Secret', 'file:///Secret']],
  ['file:///caf%C3%A9/a%20b', ['file:///café/a b', 'file:///caf%C3%A9/a%20b']],
  ['note:%73ecret%ff%73', ['note:secret%ffs']],
  ['file:///%2573ecret', ['file:///%73ecret']],
  ['%73ecret', ['secret']],
  ['file:///public/{name}', []],
  ['file:///100%', []],
  ['file:///%7', []],
  ['', []],
])('%s is also had by %j where its encoding is undone', (uri, read) => {
  expect(decodedForms(uri)).toEqual(read);
});
