import { describe, expect, test } from 'vitest';
import type { Filter } from '../sessions/subscription.ts';
import { type ListenDecision, MergedListen } from './merged-listen.ts';

const TOOLS = filter({ toolsListChanged: true });
const WIDE = filter({ toolsListChanged: true, promptsListChanged: true, uris: new Set(['x:1']) });
const CHANGED = { do: 'tell', change: { kind: 'tools' } } as const;

function filter(some: Partial<Filter>): Filter {
  return {
    toolsListChanged: false,
    promptsListChanged: false,
    resourcesListChanged: false,
    uris: new Set(),
    ...some,
  };
}

function decided(input: (outbox: ListenDecision[]) => void): readonly ListenDecision[] {
  const outbox: ListenDecision[] = [];
  input(outbox);
  return outbox;
}

function begun(shares: Readonly<Record<string, Filter>>, wanted: Filter = WIDE): MergedListen {
  const listen = new MergedListen(wanted);
  listen.begin(new Map(Object.entries(shares)), []);
  return listen;
}

/** Two servers, both listening. */
function listening(): MergedListen {
  const listen = begun({ one: TOOLS, two: TOOLS });
  listen.acknowledged('one', TOOLS, []);
  listen.acknowledged('two', TOOLS, []);
  return listen;
}

describe('the acknowledgment', () => {
  test('comes once, when the last server has answered, and names what any of them honours', () => {
    const uris = filter({ uris: new Set(['x:1']) });
    const listen = begun({ one: TOOLS, two: uris });
    expect(decided((outbox) => listen.acknowledged('one', TOOLS, outbox))).toEqual([]);
    expect(decided((outbox) => listen.acknowledged('two', uris, outbox))).toEqual([
      { do: 'acknowledge', honoured: WIDE },
    ]);
    expect(decided((outbox) => listen.waited(outbox))).toEqual([]);
  });

  test('leaves out a resource that no server honours', () => {
    const listen = begun({ one: WIDE });
    const [decision] = decided((outbox) => listen.acknowledged('one', TOOLS, outbox));
    expect(decision).toEqual({ do: 'acknowledge', honoured: { ...WIDE, uris: new Set() } });
  });

  test('waits for nobody when nobody is concerned', () => {
    const listen = new MergedListen(TOOLS);
    const decisions = decided((outbox) => listen.begin(new Map([['one', filter({})]]), outbox));
    expect(decisions).toEqual([{ do: 'acknowledge', honoured: TOOLS }]);
  });

  test.each([
    [
      'failed',
      (listen: MergedListen, outbox: ListenDecision[]) => listen.ended('two', true, outbox),
    ],
    ['left', (listen: MergedListen, outbox: ListenDecision[]) => listen.left('two', outbox)],
    ['is slow', (listen: MergedListen, outbox: ListenDecision[]) => listen.waited(outbox)],
  ])('does not wait for a server that %s', (_, happens) => {
    const listen = begun({ one: TOOLS, two: TOOLS });
    listen.acknowledged('one', TOOLS, []);
    const decisions = decided((outbox) => happens(listen, outbox));
    expect(decisions).toContainEqual({ do: 'acknowledge', honoured: { ...WIDE, uris: new Set() } });
  });

  test('goes before what was told earlier, which is told once', () => {
    const listen = begun({ one: TOOLS, two: TOOLS });
    listen.acknowledged('one', TOOLS, []);
    expect(decided((outbox) => listen.changed({ kind: 'tools' }, outbox))).toEqual([]);
    listen.changed({ kind: 'tools' }, []);
    const decisions = decided((outbox) => listen.acknowledged('two', TOOLS, outbox));
    expect(decisions.map(({ do: what }) => what)).toEqual(['acknowledge', 'tell']);
  });
});

describe('changes', () => {
  test('are told if they were asked for', () => {
    const listen = listening();
    expect(decided((outbox) => listen.changed({ kind: 'tools' }, outbox))).toEqual([CHANGED]);
    expect(decided((outbox) => listen.changed({ kind: 'resources' }, outbox))).toEqual([]);
    const update = { kind: 'resource', uri: 'x:1' } as const;
    expect(decided((outbox) => listen.changed(update, outbox))).toEqual([]);
  });

  test('may have been missed by a listen that was lost: it is opened again, and told', () => {
    const listen = listening();
    expect(decided((outbox) => listen.ended('one', false, outbox))).toEqual([
      { do: 'reopen-later', server: 'one' },
    ]);
    expect(decided((outbox) => listen.again('one', outbox))).toEqual([
      { do: 'listen', server: 'one', filter: TOOLS },
    ]);
    expect(decided((outbox) => listen.acknowledged('one', TOOLS, outbox))).toEqual([CHANGED]);
    expect(decided((outbox) => listen.again('one', outbox))).toEqual([]);
  });

  test('of a server that answers late are told when it does', () => {
    const listen = begun({ one: TOOLS });
    listen.waited([]);
    expect(decided((outbox) => listen.acknowledged('one', TOOLS, outbox))).toEqual([CHANGED]);
  });

  test('of a server that joins are told once its listen is in place, or cannot be', () => {
    const listen = listening();
    expect(decided((outbox) => listen.joined('three', TOOLS, outbox))).toEqual([
      { do: 'listen', server: 'three', filter: TOOLS },
    ]);
    expect(decided((outbox) => listen.ended('three', true, outbox))).toEqual([CHANGED]);
    listen.joined('four', TOOLS, []);
    expect(decided((outbox) => listen.acknowledged('four', TOOLS, outbox))).toEqual([CHANGED]);
  });

  test('of a server that is back while its listen stayed open are told at once', () => {
    const listen = listening();
    expect(decided((outbox) => listen.joined('one', TOOLS, outbox))).toEqual([CHANGED]);
  });
});

test('a listen of which nothing is honoured is not opened again when it ends', () => {
  const listen = begun({ one: TOOLS });
  listen.acknowledged('one', filter({}), []);
  expect(decided((outbox) => listen.ended('one', false, outbox))).toEqual([]);
});

test('a server that left is not listened to, nor opened again', () => {
  const listen = listening();
  expect(decided((outbox) => listen.left('one', outbox))).toEqual([
    { do: 'unlisten', server: 'one' },
  ]);
  expect(decided((outbox) => listen.left('one', outbox))).toEqual([]);
  expect(decided((outbox) => listen.again('one', outbox))).toEqual([]);
});

test('when nobody listens any more, every open listen is given up', () => {
  const listen = listening();
  listen.ended('one', false, []);
  expect(decided((outbox) => listen.stop(outbox))).toEqual([{ do: 'unlisten', server: 'two' }]);
});
