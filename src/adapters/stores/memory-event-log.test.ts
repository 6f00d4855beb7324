import { describe, expect, it } from 'vitest';
import { eventLogContract } from '../../testing/contracts/event-log-contract.ts';
import { MemoryEventLog } from './memory-event-log.ts';

const TOTAL = { logTotalBytesMax: 1_000_000 };
const LIMITS = { logEventsMax: 4, logBytesMax: 1000, logAgeMsMax: 100, ...TOTAL };

describe('V49 MemoryEventLog keeps the contract of EventLog', () => {
  const checks = eventLogContract({
    create: (limits) => new MemoryEventLog({ ...limits, ...TOTAL }),
    seeds: 300,
  });
  for (const check of checks) it(check.name, () => check.run());
});

describe('MemoryEventLog', () => {
  it('V49 gives back what a quiet session held once others append past its age', () => {
    const log = new MemoryEventLog(LIMITS);
    for (let index = 0; index < 3; index += 1) log.append('quiet', 1, 0, index, 'x', 0);
    for (let index = 0; index < 4; index += 1) log.append('busy', 1, 0, index, 'y', 500);
    expect(log.size()).toEqual({ events: 4, chars: 4 });
  });

  it('V49 holds no more than the bound of all sessions, and a reader is told of the gap', () => {
    const limits = { logEventsMax: 100, logBytesMax: 10_000, logAgeMsMax: 1000 };
    const log = new MemoryEventLog({ ...limits, logTotalBytesMax: 20_000 });
    for (let sequence = 1; sequence <= 20; sequence += 1) {
      for (let each = 0; each < 50; each += 1) log.append(`s${each}`, 0, 0, sequence, 'x', 0);
      const { events, chars } = log.size();
      expect(chars + events * 128).toBeLessThanOrEqual(20_000);
    }
    const outcomes = new Set<string>();
    for (let each = 0; each < 50; each += 1) {
      log.readAfter(`s${each}`, 0, 0, 0, ({ kind }) => outcomes.add(kind));
    }
    expect(outcomes).toEqual(new Set(['gap']));
  });

  it('V49 remembers the place of a bounded number of streams, and says gap for those before', () => {
    const log = new MemoryEventLog(LIMITS);
    for (let stream = 1; stream <= 1000; stream += 1) {
      log.append('s', stream, 0, 1, 'x', 0);
      log.trim('s', stream);
    }
    const outcomes: string[] = [];
    for (const stream of [1, 1000, 1001]) {
      log.readAfter('s', stream, 1, 0, (outcome) => outcomes.push(outcome.kind));
    }
    expect(outcomes).toEqual(['gap', 'events', 'events']);
  });

  it('a stream that comes back after its place was forgotten is exact from its new events on', () => {
    const log = new MemoryEventLog(LIMITS);
    for (let stream = 1; stream <= 100; stream += 1) {
      log.append('s', stream, 0, 1, 'x', 0);
      log.trim('s', stream);
    }
    log.append('s', 1, 0, 2, 'y', 0);
    const outcomes: unknown[] = [];
    for (const after of [0, 1])
      log.readAfter('s', 1, after, 0, (outcome) => outcomes.push(outcome));
    const events = [{ sequence: 2, data: 'y' }];
    expect(outcomes).toEqual([
      { kind: 'gap', events },
      { kind: 'events', events },
    ]);
  });

  it('refuses an event that does not come after the last of its stream', () => {
    const log = new MemoryEventLog(LIMITS);
    log.append('s', 1, 0, 5, 'x', 0);
    expect(() => log.append('s', 1, 0, 5, 'x', 0)).toThrow('comes after');
  });
});
