import { expect, it } from 'vitest';
import { toolPageOf } from './tool-page.ts';

it('a page has tools, and names the next one', () => {
  const tools = [{ name: 'a' }, 7];
  expect(toolPageOf({ tools, nextCursor: 'n' }, 1)).toEqual({ tools, nextCursor: 'n' });
  expect(toolPageOf({ tools }, 1)).toEqual({ tools, nextCursor: undefined });
});

it('a cursor may be empty, and is an opaque string or none', () => {
  expect(toolPageOf({ tools: [], nextCursor: '' }, 1).nextCursor).toBe('');
  expect(toolPageOf({ tools: [], nextCursor: 7 }, 1).nextCursor).toBeUndefined();
});

it.each([undefined, null, 7, 'text', [], {}, { tools: 7 }, { tools: { length: 1 } }])(
  'of %j there is nothing to read',
  (result) => {
    expect(toolPageOf(result, 1)).toEqual({ tools: [], nextCursor: undefined });
  },
);

it('no page is read after the hundredth', () => {
  expect(toolPageOf({ nextCursor: 'n' }, 99).nextCursor).toBe('n');
  expect(toolPageOf({ nextCursor: 'n' }, 100).nextCursor).toBeUndefined();
});
