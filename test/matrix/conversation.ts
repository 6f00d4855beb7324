/** Three clients at one gate, and how each cell of the matrix came out. */
import { rmSync } from 'node:fs';
import { mkdtemp } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { expect } from 'vitest';
import { gateOf, type Gate } from '../clients/gate.ts';
import type { Person, PersonKind } from '../clients/person.ts';
import { sdkV1Over, sdkV1OverHttp, sdkV1OverSse } from '../clients/sdk-v1.ts';
import { sdkV2Stateless } from '../clients/sdk-v2.ts';
import { FEATURES, outcomeOf, WORKS, type Cell, type Feature } from './features.ts';
import { Fates } from '../fixtures/matrix/shared.mjs';
import { eventually } from '../wire/signal.ts';
import { EventSourceTransport } from './event-source-transport.ts';
import { UPSTREAMS, type Behind, type UpstreamName } from './upstreams.ts';

type Connect = (gate: Gate, kind: PersonKind) => Promise<Person>;

const CLIENTS = {
  '2024': sdkV1OverSse,
  '2025': sdkV1OverHttp,
  '2026': sdkV2Stateless,
} as const satisfies Readonly<Record<string, Connect>>;

export type ClientEra = keyof typeof CLIENTS;

export const CLIENT_ERAS = Object.keys(CLIENTS) as readonly ClientEra[];

export const BREAKS = {
  resume: "The client's connection breaks in the middle of a call.",
  'server lost': "The server's connection breaks, or its process ends, in the middle of a call.",
} as const;

export type FeatureName = keyof typeof FEATURES | keyof typeof BREAKS;

export const FEATURE_NAMES: readonly FeatureName[] = [
  ...(Object.keys(FEATURES) as (keyof typeof FEATURES)[]),
  ...(Object.keys(BREAKS) as (keyof typeof BREAKS)[]),
];

/** Outcomes of one kind of server, by feature and era of the client. */
export type Outcomes = Readonly<Record<FeatureName, Readonly<Record<ClientEra, string>>>>;

/** What there is no way to do. */
export const NOTHING_TO_BREAK = 'nothing to break';
export const NO_RESUME = 'none in this revision';

const WORK_MS = 1000;

export async function converse(upstream: UpstreamName): Promise<Outcomes> {
  const folder = await mkdtemp(join(tmpdir(), 'tidegate-matrix-'));
  const fates = new Fates(folder);
  const behind = await UPSTREAMS[upstream](folder);
  const gate = await gateOf({ upstream: behind.upstream });
  try {
    const cells = await Promise.all(
      CLIENT_ERAS.map(async (era): Promise<[ClientEra, Cell]> => {
        const connect: Connect = CLIENTS[era];
        const [person, silent] = await Promise.all([
          connect(gate, 'full'),
          connect(gate, 'silent'),
        ]);
        return [era, { person, silent, behind, fates, name: `${upstream}, ${era}` }];
      }),
    );
    const outcomes = await outcomesOf(cells, gate, behind);
    await Promise.all(cells.flatMap(([, { person, silent }]) => [person.close(), silent.close()]));
    return outcomes;
  } finally {
    await gate.close();
    await behind.close();
    // In one go: a call that a server of this process was still at ends with a last word in there.
    rmSync(folder, { recursive: true });
  }
}

type Row = Record<ClientEra, string>;

/** One after the other. */
class Turns {
  #last: Promise<unknown> = Promise.resolve();

  take<T>(run: () => Promise<T>): Promise<T> {
    const mine = this.#last.then(run);
    this.#last = mine;
    return mine;
  }
}

async function outcomesOf(
  cells: readonly [ClientEra, Cell][],
  gate: Gate,
  behind: Behind,
): Promise<Outcomes> {
  const row = async (run: (cell: Cell, era: ClientEra) => Promise<string>): Promise<Row> =>
    Object.fromEntries(
      await Promise.all(cells.map(async ([era, cell]) => [era, await run(cell, era)] as const)),
    ) as Row;
  const rows: [FeatureName, Row][] = [];
  for (const [name, feature] of Object.entries(FEATURES)) {
    const { isAlone }: Feature = feature;
    const inTurn = new Turns();
    const run = (cell: Cell): Promise<string> => outcomeOf(() => feature.run(cell));
    rows.push([
      name as FeatureName,
      await row((cell) => (isAlone === true ? inTurn.take(() => run(cell)) : run(cell))),
    ]);
  }
  const resuming = await withResume(cells, gate);
  rows.push(['resume', await cutAll(resuming, () => void gate.relay.cut(), resumed)]);
  rows.push(['server lost', await serverLost(cells, behind, row)]);
  return Object.fromEntries(rows) as unknown as Outcomes;
}

/**
 * Over SSE the SDK forgets where it was and drops the `Last-Event-ID` of the EventSource inside it:
 * there the same client has a transport that does not.
 */
async function withResume(
  cells: readonly [ClientEra, Cell][],
  gate: Gate,
): Promise<[ClientEra, Cell][]> {
  const person = await sdkV1Over(new EventSourceTransport(gate.sse));
  return cells.map(([era, cell]) => [era, era === '2024' ? { ...cell, person } : cell]);
}

/** Each client has a call in flight when everything breaks. */
async function cutAll(
  cells: readonly [ClientEra, Cell][],
  cut: () => void,
  judge: (working: Working, cell: Cell, era: ClientEra) => Promise<string>,
): Promise<Row> {
  const works = cells.map(([era, cell]) => ({ era, cell, working: new Working(cell) }));
  await Promise.all(works.map(({ working }) => working.begun));
  cut();
  const ended = await Promise.all(
    works.map(async ({ era, cell, working }) => [era, await judge(working, cell, era)] as const),
  );
  return Object.fromEntries(ended) as Row;
}

/** A call that reports progress for a while. */
class Working {
  readonly name: string;
  readonly begun: Promise<void>;
  readonly outcome: Promise<string>;
  readonly #seen: number[] = [];
  readonly #canceller = new AbortController();
  static #count = 0;

  constructor({ person, name }: Cell) {
    this.name = `${name} ${(Working.#count += 1)}`;
    let begin = (): void => {};
    this.begun = new Promise((resolve) => (begin = resolve));
    const onProgress = (progress: number): void => {
      this.#seen.push(progress);
      if (this.#seen.length >= 2) begin();
    };
    const options = { onProgress, signal: this.#canceller.signal };
    this.outcome = outcomeOf(async () => {
      const said = await person.call('work', { name: this.name, ms: WORK_MS }, options);
      expect(said).toBe(`worked: ${this.name}`);
      const sorted = this.#seen.toSorted((a, b) => a - b);
      expect(this.#seen).toEqual([...new Set(sorted)]);
    });
    void this.outcome.finally(begin);
  }

  /** Waits no longer. */
  forget(): void {
    this.#canceller.abort();
  }

  get progress(): number {
    return this.#seen.length;
  }
}

/**
 * An era without resume: the server is told to stop, and the client sees that its reply broke,
 * although the SDK goes on waiting. The others miss nothing.
 */
async function resumed(working: Working, { fates, person }: Cell, era: ClientEra): Promise<string> {
  if (era === '2026') {
    await eventually(() => fates.get(working.name) === 'cancelled', 'the server to be told');
    await person.told.until(({ errors }) => errors.length > 0, 'the break');
    working.forget();
    expect(await working.outcome).not.toBe(WORKS);
    return NO_RESUME;
  }
  const outcome = await working.outcome;
  // Over SSE the SDK may drop the last progress, when it comes in one piece with the answer.
  if (outcome === WORKS) expect(working.progress).toBeGreaterThanOrEqual(WORK_MS / 50 - 1);
  return outcome;
}

async function serverLost(
  cells: readonly [ClientEra, Cell][],
  behind: Behind,
  row: (run: (cell: Cell, era: ClientEra) => Promise<string>) => Promise<Row>,
): Promise<Row> {
  // A process is started again after a moment; until then calls are refused at once.
  const goOn = async ({ person }: Cell): Promise<void> => {
    const again = (): Promise<string> => outcomeOf(() => person.call('test_simple_text'));
    await expect.poll(again, { timeout: 10_000, interval: 100 }).toBe(WORKS);
  };
  if (behind.cut !== undefined) {
    return cutAll(cells, behind.cut, async (working, cell) => {
      const outcome = await working.outcome;
      await goOn(cell);
      return outcome;
    });
  }
  if (behind.upstream.kind === 'in-process') return row(async () => NOTHING_TO_BREAK);
  const outcomes: [ClientEra, string][] = [];
  for (const [era, cell] of cells) {
    outcomes.push([era, await outcomeOf(() => cell.person.call('exit'))]);
    await goOn(cell);
  }
  return Object.fromEntries(outcomes) as Row;
}
