import { expect, it } from 'vitest';
import { uriForms } from './uri-forms.ts';

it.each([
  'file:///secret/b',
  'note://1',
  'ui://Board/View',
  'urn:isbn:0451450523',
  'https://intra.example/secret?q=1#x',
  'file:///public/{name}',
  'file:///public/%7Bname%7D',
  'https://intra.example/{+path}{?q,r}',
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
  ['file:///public/../secret/{name}', 'file:///secret/{name}'],
])('%s is also %s', (uri, read) => {
  expect(uriForms(uri)).toEqual([uri, read]);
});
