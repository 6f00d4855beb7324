/** Clients of three eras in front of every kind of server: the whole conversation, cell by cell. */
import { describe, expect, it } from 'vitest';
import { CLIENT_ERAS, converse, FEATURE_NAMES, type Outcomes } from './conversation.ts';
import { EXPECTED } from './expected.ts';
import { erasPage } from './page.ts';
import { UPSTREAMS, type UpstreamName } from './upstreams.ts';

const UPSTREAM_NAMES = Object.keys(UPSTREAMS) as readonly UpstreamName[];
const CELLS = FEATURE_NAMES.flatMap((feature) => CLIENT_ERAS.map((era) => [feature, era] as const));

const known = new Map<UpstreamName, Promise<Outcomes>>();

/** One server after the other, each once, however many look at what came out. */
function outcomesOf(upstream: UpstreamName): Promise<Outcomes> {
  const outcomes = known.get(upstream) ?? converse(upstream);
  known.set(upstream, outcomes);
  return outcomes;
}

describe.each(UPSTREAM_NAMES)('%s', (upstream) => {
  it.each(CELLS)('%s, with a client of %s', async (feature, era) => {
    const outcomes = await outcomesOf(upstream);
    expect(outcomes[feature][era]).toBe(EXPECTED[upstream][feature][era]);
  });
});

it('docs/reference/eras.md is written from what came out', async () => {
  const outcomes = new Map<UpstreamName, Outcomes>();
  for (const upstream of UPSTREAM_NAMES) outcomes.set(upstream, await outcomesOf(upstream));
  await expect(erasPage(outcomes)).toMatchFileSnapshot('../../docs/reference/eras.md');
}, 120_000);
