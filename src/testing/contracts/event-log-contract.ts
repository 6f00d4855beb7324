/**
 * What every `EventLog` must do, whatever it is made of: compared with a model that keeps
 * everything, under random commands from printed seeds. Run each check with a fresh, empty log.
 */
import type { Limits } from '../../core/limits.ts';
import type { EventLog, LoggedEvent, ReadOutcome } from '../../core/ports.ts';
import { SeededRandom } from '../seeded-random.ts';
import { expectSame, expectThat, type Check } from './check.ts';

export type EventLogContractLimits = Pick<Limits, 'logEventsMax' | 'logBytesMax' | 'logAgeMsMax'>;

export interface EventLogContractOptions {
  /** A new, empty log with these bounds. */
  create(limits: EventLogContractLimits): EventLog | Promise<EventLog>;
  /** Random runs against the model; 100 by default. */
  readonly seeds?: number;
}

const ROOMY: EventLogContractLimits = {
  logEventsMax: 1000,
  logBytesMax: 1_000_000,
  logAgeMsMax: 60_000,
};

export function eventLogContract(options: EventLogContractOptions): readonly Check[] {
  const withLog = (
    name: string,
    limits: Partial<EventLogContractLimits>,
    body: (log: EventLog) => Promise<void>,
  ): Check => ({
    name,
    run: async () => {
      await body(await options.create({ ...ROOMY, ...limits }));
    },
  });
  return [
    withLog('a read returns what was appended after the cursor, in order', {}, readsInOrder),
    withLog('streams and sessions do not see each other', {}, keepsApart),
    withLog('an append of an older generation is fenced and leaves no trace', {}, fences),
    withLog(
      'more events than the bound evicts the oldest, and says gap',
      { logEventsMax: 3 },
      boundsEvents,
    ),
    withLog(
      'more characters than the bound evicts the oldest, and says gap',
      { logBytesMax: 10 },
      boundsChars,
    ),
    withLog(
      'an event larger than the whole bound is gone at once, and says gap',
      { logBytesMax: 10 },
      dropsGiant,
    ),
    withLog('events older than the bound are gone, and say gap', { logAgeMsMax: 100 }, boundsAge),
    withLog(
      'a reader that had everything is told so even after eviction',
      { logEventsMax: 2 },
      exactAfterEviction,
    ),
    withLog('a trimmed stream says gap to who missed it, and others keep theirs', {}, trims),
    withLog('a forgotten session leaves nothing', {}, forgets),
    {
      name: 'no random walk tells it from the model',
      run: async () => {
        for (let seed = 1; seed <= (options.seeds ?? 100); seed += 1) await walk(options, seed);
      },
    },
  ];
}

function read(
  log: EventLog,
  session: string,
  stream: number,
  after: number,
  now = 0,
): Promise<ReadOutcome> {
  return new Promise((resolve) => log.readAfter(session, stream, after, now, resolve));
}

function fill(log: EventLog, session: string, stream: number, from: number, to: number): void {
  for (let sequence = from; sequence <= to; sequence += 1) {
    expectSame(
      log.append(session, stream, 0, sequence, `${session}${stream}${sequence}`, 0),
      'appended',
      'append',
    );
  }
}

function event(session: string, stream: number, sequence: number): LoggedEvent {
  return { sequence, data: `${session}${stream}${sequence}` };
}

async function readsInOrder(log: EventLog): Promise<void> {
  expectSame(await read(log, 's', 1, 0), { kind: 'events', events: [] }, 'an empty log');
  fill(log, 's', 1, 1, 3);
  expectSame(
    await read(log, 's', 1, 0),
    { kind: 'events', events: [1, 2, 3].map((n) => event('s', 1, n)) },
    'all',
  );
  expectSame(await read(log, 's', 1, 2), { kind: 'events', events: [event('s', 1, 3)] }, 'after 2');
  expectSame(await read(log, 's', 1, 3), { kind: 'events', events: [] }, 'after the last');
  expectSame(log.size(), { events: 3, chars: 9 }, 'size');
}

async function keepsApart(log: EventLog): Promise<void> {
  fill(log, 's', 1, 1, 2);
  fill(log, 's', 2, 1, 1);
  fill(log, 't', 1, 1, 1);
  expectSame(
    await read(log, 's', 2, 0),
    { kind: 'events', events: [event('s', 2, 1)] },
    'other stream',
  );
  expectSame(
    await read(log, 't', 1, 0),
    { kind: 'events', events: [event('t', 1, 1)] },
    'other session',
  );
  expectSame(await read(log, 't', 2, 0), { kind: 'events', events: [] }, 'no such stream');
}

async function fences(log: EventLog): Promise<void> {
  expectSame(log.append('s', 1, 2, 1, 'new', 0), 'appended', 'newest generation');
  expectSame(log.append('s', 1, 1, 2, 'old', 0), 'fenced', 'older generation, same stream');
  expectSame(log.append('s', 2, 1, 1, 'old', 0), 'fenced', 'older generation, other stream');
  expectSame(log.append('t', 1, 1, 1, 'other', 0), 'appended', 'another session');
  expectSame(
    await read(log, 's', 1, 0),
    { kind: 'events', events: [{ sequence: 1, data: 'new' }] },
    'read',
  );
  expectSame(await read(log, 's', 2, 0), { kind: 'events', events: [] }, 'fenced stream');
}

async function boundsEvents(log: EventLog): Promise<void> {
  fill(log, 's', 1, 1, 2);
  fill(log, 's', 2, 1, 2);
  expectSame(
    await read(log, 's', 1, 0),
    { kind: 'gap', events: [event('s', 1, 2)] },
    'oldest evicted',
  );
  expectSame(
    await read(log, 's', 2, 0),
    { kind: 'events', events: [event('s', 2, 1), event('s', 2, 2)] },
    'newer kept',
  );
  expectSame(log.size().events, 3, 'events held');
}

async function boundsChars(log: EventLog): Promise<void> {
  log.append('s', 1, 0, 1, 'aaaa', 0);
  log.append('s', 1, 0, 2, 'bbbb', 0);
  log.append('s', 1, 0, 3, 'cccc', 0);
  const left = [
    { sequence: 2, data: 'bbbb' },
    { sequence: 3, data: 'cccc' },
  ];
  expectSame(await read(log, 's', 1, 0), { kind: 'gap', events: left }, 'oldest evicted');
  expectSame(log.size(), { events: 2, chars: 8 }, 'size');
}

async function dropsGiant(log: EventLog): Promise<void> {
  expectSame(log.append('s', 1, 0, 1, 'a'.repeat(11), 0), 'appended', 'append');
  expectSame(await read(log, 's', 1, 0), { kind: 'gap', events: [] }, 'read');
  expectSame(log.size(), { events: 0, chars: 0 }, 'size');
}

async function boundsAge(log: EventLog): Promise<void> {
  log.append('s', 1, 0, 1, 'old', 0);
  log.append('s', 1, 0, 2, 'new', 80);
  const both = [
    { sequence: 1, data: 'old' },
    { sequence: 2, data: 'new' },
  ];
  expectSame(await read(log, 's', 1, 0, 100), { kind: 'events', events: both }, 'at the bound');
  expectSame(
    await read(log, 's', 1, 0, 120),
    { kind: 'gap', events: both.slice(1) },
    'past the bound',
  );
}

async function exactAfterEviction(log: EventLog): Promise<void> {
  fill(log, 's', 1, 1, 2);
  fill(log, 's', 2, 1, 2);
  expectSame(
    await read(log, 's', 1, 2),
    { kind: 'events', events: [] },
    'cursor at the last evicted event',
  );
  expectSame(await read(log, 's', 1, 1), { kind: 'gap', events: [] }, 'cursor before it');
}

async function trims(log: EventLog): Promise<void> {
  fill(log, 's', 1, 1, 2);
  fill(log, 's', 2, 1, 1);
  log.trim('s', 1);
  log.trim('s', 9);
  log.trim('unknown', 1);
  expectSame(await read(log, 's', 1, 0), { kind: 'gap', events: [] }, 'trimmed');
  expectSame(await read(log, 's', 1, 2), { kind: 'events', events: [] }, 'trimmed, all delivered');
  expectSame(
    await read(log, 's', 2, 0),
    { kind: 'events', events: [event('s', 2, 1)] },
    'other stream',
  );
  fill(log, 's', 1, 3, 3);
  expectSame(
    await read(log, 's', 1, 2),
    { kind: 'events', events: [event('s', 1, 3)] },
    'appended after',
  );
}

async function forgets(log: EventLog): Promise<void> {
  fill(log, 's', 1, 1, 2);
  fill(log, 't', 1, 1, 1);
  log.forget('s');
  log.forget('unknown');
  expectSame(log.size(), { events: 1, chars: 3 }, 'size');
  expectSame(await read(log, 's', 1, 0), { kind: 'events', events: [] }, 'forgotten');
  expectSame(
    await read(log, 't', 1, 0),
    { kind: 'events', events: [event('t', 1, 1)] },
    'the other',
  );
}

/** Everything ever appended to one session, and what the bounds leave of it. */
class ModelSession {
  readonly all: { stream: number; sequence: number; data: string; at: number; isGone: boolean }[] =
    [];
  generation = 0;

  held(limits: EventLogContractLimits, now: number): typeof this.all {
    const held = this.all.filter((kept) => !kept.isGone);
    let chars = held.reduce((sum, kept) => sum + kept.data.length, 0);
    let first = held[0];
    while (
      first !== undefined &&
      (held.length > limits.logEventsMax ||
        chars > limits.logBytesMax ||
        now - first.at > limits.logAgeMsMax)
    ) {
      first.isGone = true;
      chars -= first.data.length;
      held.shift();
      first = held[0];
    }
    return held;
  }

  read(stream: number, after: number): ReadOutcome {
    const wanted = this.all.filter((kept) => kept.stream === stream && kept.sequence > after);
    const events = wanted.filter((kept) => !kept.isGone);
    return {
      kind: events.length === wanted.length ? 'events' : 'gap',
      events: events.map(({ sequence, data }) => ({ sequence, data })),
    };
  }
}

async function walk(options: EventLogContractOptions, seed: number): Promise<void> {
  const random = new SeededRandom(seed);
  const limits: EventLogContractLimits = {
    logEventsMax: random.int(1, 12),
    logBytesMax: random.int(1, 80),
    logAgeMsMax: random.int(10, 200),
  };
  const log = await options.create(limits);
  const model = new Map(['s', 't'].map((session) => [session, new ModelSession()]));
  let now = 0;
  for (let step = 0; step < 120; step += 1) {
    now += random.int(0, 9);
    const session = random.pick(['s', 't']);
    const kept = model.get(session) as ModelSession;
    const stream = random.int(0, 3);
    const about = `seed ${seed}, step ${step}`;
    const command = random.weighted({ append: 60, read: 30, trim: 5, forget: 2, takeover: 3 });
    if (command === 'append') {
      const last = kept.all.findLast((one) => one.stream === stream)?.sequence ?? 0;
      const data = random.word(random.int(0, 24));
      const age = random.chance(0.1) ? 1 : 0;
      const outcome = log.append(session, stream, kept.generation - age, last + 1, data, now);
      const isFenced = age === 1 && kept.all.length > 0 && kept.generation > 0;
      if (age === 1 && !isFenced) return; // Nothing promises who wins before a generation was seen.
      expectSame(outcome, isFenced ? 'fenced' : 'appended', about);
      if (!isFenced) kept.all.push({ stream, sequence: last + 1, data, at: now, isGone: false });
      kept.held(limits, now);
    } else if (command === 'read') {
      const after = random.int(0, kept.all.findLast((one) => one.stream === stream)?.sequence ?? 0);
      const outcome = await read(log, session, stream, after, now);
      kept.held(limits, now);
      expectSame(outcome, kept.read(stream, after), `${about}: stream ${stream} after ${after}`);
    } else if (command === 'trim') {
      log.trim(session, stream);
      for (const one of kept.all) if (one.stream === stream) one.isGone = true;
    } else if (command === 'forget') {
      log.forget(session);
      model.set(session, new ModelSession());
    } else if (kept.all.length > 0) {
      const last = kept.all.findLast((one) => one.stream === stream)?.sequence ?? 0;
      kept.generation += 1;
      expectSame(
        log.append(session, stream, kept.generation, last + 1, 'x', now),
        'appended',
        about,
      );
      kept.all.push({ stream, sequence: last + 1, data: 'x', at: now, isGone: false });
      kept.held(limits, now);
    }
    const held = log.size();
    expectThat(held.events <= 2 * limits.logEventsMax, `${about}: ${held.events} events held`);
    expectThat(held.chars <= 2 * limits.logBytesMax, `${about}: ${held.chars} characters held`);
  }
}
