import { describe, expect, it } from 'vitest';
import { oversizedId } from './oversized-id.ts';

const LONG = 'x'.repeat(10_000);

function idOf(line: string): string | undefined {
  const bytes = Buffer.from(line);
  return oversizedId(bytes.subarray(0, 4096), bytes.subarray(-512));
}

describe('the id of an oversized line', () => {
  it.each([
    ['first', `{"jsonrpc":"2.0","id":17,"result":{"text":"${LONG}"}}`, '17'],
    ['first, with an error', `{"jsonrpc":"2.0","id":17,"error":{"message":"${LONG}"}}`, '17'],
    ['first of all', ` { "id" : 17 , "result" : {"text":"${LONG}"}, "jsonrpc":"2.0" }`, '17'],
    ['last', `{"result":{"text":"${LONG}"},"jsonrpc":"2.0","id":17}`, '17'],
    [
      'before the version at the end',
      `{"result":{"t":"${LONG}"},"id":17 , "jsonrpc" : "2.0"} `,
      '17',
    ],
    ['after the version', `{"jsonrpc":"2.0","result":{"text":"${LONG}"},"id":17}`, '17'],
    ['alone', '{"jsonrpc":"2.0","id":17}', '17'],
    ['as a string', `{"jsonrpc":"2.0","id":"a-1","result":{"text":"${LONG}"}}`, '"a-1"'],
  ])('is read when it comes %s', (_, line, id) => {
    expect(idOf(line)).toBe(id);
  });

  it.each([
    [
      'a request with its id first',
      `{"jsonrpc":"2.0","id":17,"method":"m","params":{"t":"${LONG}"}}`,
    ],
    [
      'a request with its id last',
      `{"method":"m","params":{"t":"${LONG}"},"jsonrpc":"2.0","id":17}`,
    ],
    ['a request with its params first', `{"params":{"t":"${LONG}"},"method":"m","id":17}`],
    ['a notification', `{"jsonrpc":"2.0","method":"m","params":{"t":"${LONG}"}}`],
    ['an id inside the result', `{"jsonrpc":"2.0","result":{"t":"${LONG}","id":17}}`],
    ['an id inside a string', `{"jsonrpc":"2.0","result":"${LONG}\\"id\\":17}"}`],
    ['an id in the middle', `{"result":{"t":"${LONG}"},"id":17,"x":"${LONG}"}`],
    ['an id that is an object', `{"id":{"a":1},"result":{"t":"${LONG}"}}`],
    ['a line that ends early', `{"result":{"t":"${LONG}`],
    ['an array', `[{"id":17,"result":{"t":"${LONG}"}}]`],
    ['no JSON', LONG],
    ['a member that is unknown', `{"x":1,"id":17,"result":{"t":"${LONG}"}}`],
    ['a string without an end', `{"id":"${LONG}`],
    ['no id at all', '{"jsonrpc":"2.0"}'],
    ['nothing', ''],
  ])('is not made up for %s', (_, line) => {
    expect(idOf(line)).toBeUndefined();
  });
});
