import { expect, it } from 'vitest';
import { templateForms, uriForms } from './uri-forms.ts';

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
