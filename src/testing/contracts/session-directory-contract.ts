/**
 * What every `SessionDirectory` must do: ids find their session for its own principal only, bounds
 * refuse, and no random walk tells it from a plain list.
 */
import type { Limits } from '../../core/limits.ts';
import type { Principal, SessionDirectory } from '../../core/ports.ts';
import { SeededRandom } from '../seeded-random.ts';
import { expectSame, type Check } from './check.ts';

export type SessionDirectoryContractLimits = Pick<
  Limits,
  'sessionsPerPrincipalMax' | 'sessionsMax'
>;

export interface SessionDirectoryContractOptions {
  /** A new, empty directory with these bounds. Handles are opaque to it. */
  create(limits: SessionDirectoryContractLimits): SessionDirectory<string>;
  /** Random runs against the model; 100 by default. */
  readonly seeds?: number;
}

const ROOMY: SessionDirectoryContractLimits = { sessionsPerPrincipalMax: 100, sessionsMax: 1000 };

export function sessionDirectoryContract(
  options: SessionDirectoryContractOptions,
): readonly Check[] {
  const withDirectory = (
    name: string,
    limits: Partial<SessionDirectoryContractLimits>,
    body: (directory: SessionDirectory<string>) => void,
  ): Check => ({
    name,
    run: async () => body(options.create({ ...ROOMY, ...limits })),
  });
  return [
    withDirectory('a session is found by its own principal only', {}, findsOwn),
    withDirectory('an ended session is gone, and its id may be used again', {}, ends),
    withDirectory('an id that exists is refused and the first keeps it', {}, refusesTwice),
    withDirectory(
      'a principal beyond its bound is refused until one ends',
      { sessionsPerPrincipalMax: 2 },
      boundsPrincipal,
    ),
    withDirectory('the whole is bounded', { sessionsMax: 2 }, boundsAll),
    withDirectory('sessions may end while they are listed', {}, endsWhileListed),
    {
      name: 'no random walk tells it from the model',
      run: async () => {
        for (let seed = 1; seed <= (options.seeds ?? 100); seed += 1) walk(options, seed);
      },
    },
  ];
}

function principal(subject: string): Principal {
  return {
    tenant: 'acme',
    issuer: 'test',
    subject,
    clientId: '',
    key: `4:acme4:test1:${subject}0:`,
  };
}

const ANN = principal('a');
const BEN = principal('b');

function findsOwn(directory: SessionDirectory<string>): void {
  expectSame(directory.create('1', ANN, 'ann'), true, 'create');
  expectSame(directory.find('1', { ...ANN }), 'ann', 'its own principal, another object');
  expectSame(directory.find('1', BEN), undefined, 'a stranger');
  expectSame(directory.find('2', ANN), undefined, 'an unknown id');
  expectSame([directory.has('1'), directory.has('2')], [true, false], 'whether there is one');
}

function ends(directory: SessionDirectory<string>): void {
  directory.create('1', ANN, 'ann');
  directory.end('1');
  directory.end('1');
  expectSame(directory.find('1', ANN), undefined, 'ended');
  expectSame(directory.has('1'), false, 'whether there is one');
  expectSame([directory.count(), directory.countOf(ANN)], [0, 0], 'counts');
  expectSame(directory.create('1', BEN, 'ben'), true, 'create again');
  expectSame(directory.find('1', ANN), undefined, 'the former owner');
}

function refusesTwice(directory: SessionDirectory<string>): void {
  directory.create('1', ANN, 'first');
  expectSame(directory.create('1', ANN, 'second'), false, 'same principal');
  expectSame(directory.create('1', BEN, 'third'), false, 'a stranger');
  expectSame([directory.find('1', ANN), directory.count()], ['first', 1], 'the first');
}

function boundsPrincipal(directory: SessionDirectory<string>): void {
  const created = ['1', '2', '3'].map((id) => directory.create(id, ANN, id));
  expectSame(created, [true, true, false], 'three of two');
  expectSame(directory.create('4', BEN, '4'), true, 'another principal');
  directory.end('1');
  expectSame(directory.create('3', ANN, '3'), true, 'after one ended');
  expectSame([...directory.ofPrincipal(ANN)], ['2', '3'], 'those of the principal');
}

function boundsAll(directory: SessionDirectory<string>): void {
  const created = [directory.create('1', ANN, '1'), directory.create('2', BEN, '2')];
  expectSame(
    [...created, directory.create('3', principal('c'), '3')],
    [true, true, false],
    'three of two',
  );
}

function endsWhileListed(directory: SessionDirectory<string>): void {
  for (const id of ['1', '2', '3']) directory.create(id, ANN, id);
  const seen: string[] = [];
  for (const handle of directory.ofPrincipal(ANN)) {
    seen.push(handle);
    directory.end(handle);
    if (handle === '1') directory.end('2');
  }
  expectSame([seen, directory.count()], [['1', '3'], 0], 'seen');
}

interface ModelEntry {
  readonly id: string;
  readonly owner: Principal;
  readonly handle: string;
}

function walk(options: SessionDirectoryContractOptions, seed: number): void {
  const random = new SeededRandom(seed);
  const limits = { sessionsPerPrincipalMax: random.int(1, 4), sessionsMax: random.int(1, 8) };
  const directory = options.create(limits);
  const principals = ['a', 'b', 'c'].map(principal);
  let model: ModelEntry[] = [];
  for (let step = 0; step < 150; step += 1) {
    const about = `seed ${seed}, step ${step}`;
    const id = String(random.int(1, 12));
    const owner = random.pick(principals);
    const own = model.filter((entry) => entry.owner === owner);
    if (random.chance(0.6)) {
      const fits = model.length < limits.sessionsMax && own.length < limits.sessionsPerPrincipalMax;
      const isNew = fits && !model.some((entry) => entry.id === id);
      expectSame(directory.create(id, owner, `${step}`), isNew, `${about}: create ${id}`);
      if (isNew) model.push({ id, owner, handle: `${step}` });
    } else {
      directory.end(id);
      model = model.filter((entry) => entry.id !== id);
    }
    const found = model.find((entry) => entry.id === id && entry.owner === owner)?.handle;
    expectSame(directory.find(id, owner), found, `${about}: find ${id}`);
    const ownLeft = model.filter((entry) => entry.owner === owner).map((entry) => entry.handle);
    expectSame([...directory.ofPrincipal(owner)], ownLeft, `${about}: of the principal`);
    expectSame(
      [...directory.all()],
      model.map((entry) => entry.handle),
      `${about}: all`,
    );
    const counts = [directory.count(), directory.countOf(owner)];
    expectSame(counts, [model.length, ownLeft.length], `${about}: counts`);
  }
}
