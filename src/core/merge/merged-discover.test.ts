import { expect, test } from 'vitest';
import { mergedDiscover } from './merged-discover.ts';

const INFO = { name: 'merged', version: '1' };

interface Discovered {
  readonly instructions?: string;
  readonly capabilities: Readonly<Record<string, unknown>>;
  readonly _meta: Readonly<Record<string, unknown>>;
}

function discover(...all: readonly (readonly [string, unknown])[]): Discovered {
  const members = all.map(([server, instructions]) => ({ server, instructions }));
  return JSON.parse(mergedDiscover(INFO, members)) as Discovered;
}

test('instructions stand under the name of their server, in order', () => {
  const { instructions } = discover(['b', ' Be kind. \n'], ['a', undefined], ['c', 'Be quick.']);
  expect(instructions).toBe('## b\n\nBe kind.\n\n## c\n\nBe quick.');
});

test('instructions beyond the bound are left out whole, and none at all are no member', () => {
  const { instructions } = discover(['a', 'x'.repeat(40_000)], ['b', 'short']);
  expect(instructions).toBe('## b\n\nshort');
  expect(discover(['a', '  '])).not.toHaveProperty('instructions');
});

test('every kind of list is declared whichever servers there are: they come and go', () => {
  const { capabilities, _meta: meta } = discover();
  expect(capabilities).toMatchObject({
    tools: { listChanged: true },
    prompts: { listChanged: true },
    resources: { listChanged: true, subscribe: true },
  });
  expect(meta['io.modelcontextprotocol/serverInfo']).toEqual(INFO);
});
