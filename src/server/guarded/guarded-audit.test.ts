import { describe, expect, it } from 'vitest';
import type { AdministrativeAct, AuditEntry, AuditTrail } from '../../core/access.ts';
import type { LogFields } from '../../core/ports.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { GuardedAudit } from './guarded-audit.ts';

const CALL: AuditEntry = {
  event: 'call',
  address: '192.0.2.1',
  server: 's',
  method: 'tools/call',
  target: 'now',
  params: '{}',
  outcome: 'ok',
};
const BARE: AuditEntry = { ...CALL, method: undefined, target: undefined, params: undefined };
const ACT: AdministrativeAct = { event: 'administered', act: 'reload', by: 'config' };
const UNAVAILABLE = { error: 'AUDIT_UNAVAILABLE' };

const SIGHT = { telemetry: { log() {}, count() {} }, clock: new VirtualClock() };

function guardedOf(audit: object): [GuardedAudit, unknown[]] {
  const details: unknown[] = [];
  const telemetry = {
    log: (_level: string, _event: string, fields: LogFields) => void details.push(fields['detail']),
    count() {},
  };
  const clock = new VirtualClock();
  return [GuardedAudit.of(audit as AuditTrail, { telemetry, clock }), details];
}

/** A record that takes what `takes` says, at once or later. */
class Record {
  readonly taken: unknown[] = [];
  takes: (entry: AuditEntry) => boolean = () => true;

  fault(): undefined {}

  record(entry: AuditEntry): unknown {
    if (!this.takes(entry)) throw new Error('no room');
    this.taken.push(entry);
    return undefined;
  }
}

class LateRecord extends Record {
  override async record(entry: AuditEntry): Promise<void> {
    await Promise.resolve();
    super.record(entry);
  }
}

const fail = (): never => {
  throw new Error('broken');
};

async function afterAll(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}

describe('whether a record that somebody else wrote can be kept', () => {
  it.each([undefined, UNAVAILABLE, { error: 'INTERNAL', detail: 'no' }])(
    'is as it says',
    (said) => {
      const [audit, details] = guardedOf({ fault: () => said, record() {} });
      expect(audit.fault()).toBe(said);
      expect(details).toEqual([]);
    },
  );

  it.each([
    ['throws', fail, 'fault() threw'],
    ['rejects', async () => fail(), 'fault() returned an unknown refusal'],
    ['resolves', async () => undefined, 'fault() returned an unknown refusal'],
    ['says null', () => null, 'fault() returned an unknown refusal'],
    ['says garbage', () => 'full', 'fault() returned an unknown refusal'],
  ])('is no where it %s', async (_, fault, detail) => {
    const [audit, details] = guardedOf({ fault, record() {} });
    expect(audit.fault()).toEqual(UNAVAILABLE);
    await afterAll();
    expect(details).toEqual([detail]);
  });
});

describe.each([
  ['at once', Record],
  ['later', LateRecord],
])('a record of theirs that fails %s', (_, Kind) => {
  it('lets nothing through until it took what it did not', async () => {
    const record = new Kind();
    const [audit] = guardedOf(record);
    audit.record(CALL);
    await afterAll();
    expect(audit.fault()).toBeUndefined();
    record.takes = () => false;
    audit.record(CALL);
    await afterAll();
    for (let i = 0; i < 3; i += 1) {
      expect(audit.fault()).toEqual(UNAVAILABLE);
      await afterAll();
    }
    record.takes = () => true;
    audit.fault();
    await afterAll();
    expect(audit.fault()).toBeUndefined();
    expect(record.taken).toEqual([CALL, BARE]);
  });

  it('goes on without what a peer wrote, where that was why', async () => {
    const record = new Kind();
    record.takes = ({ target }) => target !== 'now';
    const [audit, details] = guardedOf(record);
    audit.record(CALL);
    await afterAll();
    expect(audit.fault()).toBeUndefined();
    expect(record.taken).toEqual([BARE]);
    expect(details).toHaveLength(1);
  });

  it('is given what was done to the gateway again as it was', async () => {
    const record = new Kind();
    record.takes = () => false;
    const [audit] = guardedOf(record);
    audit.record(ACT);
    await afterAll();
    record.takes = () => true;
    audit.fault();
    await afterAll();
    expect(record.taken).toStrictEqual([ACT]);
  });

  it('owes what was done, whatever strangers do after it', async () => {
    const record = new Kind();
    record.takes = () => false;
    const [audit] = guardedOf(record);
    const stranger = { address: '192.0.2.2', server: 's' };
    audit.record({ ...stranger, event: 'unauthenticated' });
    audit.record(CALL);
    audit.record({ ...stranger, event: 'unauthenticated' });
    audit.record({ ...stranger, event: 'refused' });
    await afterAll();
    record.takes = () => true;
    audit.fault();
    await afterAll();
    expect(record.taken).toEqual([BARE]);
    expect(audit.fault()).toBeUndefined();
  });

  it('owes the newest that it did not take', async () => {
    const record = new Kind();
    record.takes = () => false;
    const [audit] = guardedOf(record);
    audit.record(CALL);
    audit.record(ACT);
    await afterAll();
    record.takes = () => true;
    audit.fault();
    await afterAll();
    expect(record.taken).toEqual([ACT]);
    expect(audit.fault()).toBeUndefined();
  });
});

it('is given what it owes once at a time, and one that it takes late pays for no newer one', async () => {
  const given: { readonly entry: unknown; readonly end: (isTaken: boolean) => void }[] = [];
  const record = (entry: unknown): Promise<void> =>
    new Promise((resolve, reject) => {
      given.push({ entry, end: (isTaken) => (isTaken ? resolve() : reject(new Error('no room'))) });
    });
  const [audit] = guardedOf({ record, fault() {} });
  const end = async (nth: number, isTaken: boolean): Promise<void> => {
    given[nth]?.end(isTaken);
    await afterAll();
  };
  audit.record(CALL);
  await end(0, false);
  for (let i = 0; i < 3; i += 1) expect(audit.fault()).toEqual(UNAVAILABLE);
  audit.record(ACT);
  await end(2, false);
  await end(1, true);
  expect(audit.fault()).toEqual(UNAVAILABLE);
  await end(3, true);
  expect(audit.fault()).toBeUndefined();
  expect(given.map(({ entry }) => entry)).toStrictEqual([CALL, BARE, ACT, ACT]);
});

it('is told of by its name', () => {
  const events: string[] = [];
  const telemetry = { log: (_: string, event: string) => void events.push(event), count() {} };
  const sight = { telemetry, clock: new VirtualClock() };
  GuardedAudit.of({ record: fail, fault: () => undefined }, sight).record(CALL);
  expect(events).toEqual(['audit_failed']);
});

it('is told how it failed', async () => {
  const [throwing, threw] = guardedOf({ record: fail, fault() {} });
  throwing.record(CALL);
  expect(threw).toEqual(['record() threw']);
  const [rejecting, rejected] = guardedOf({ record: async () => fail(), fault() {} });
  rejecting.record(CALL);
  await afterAll();
  expect(rejected).toEqual(['record() rejected']);
});

it('may return anything that is no promise', () => {
  const entries: unknown[] = [];
  const [audit, details] = guardedOf({
    record: (entry: unknown) => entries.push(entry),
    fault() {},
  });
  audit.record(CALL);
  expect([audit.fault(), entries, details]).toEqual([undefined, [CALL], []]);
});

it('is guarded once, however many share it', () => {
  const [audit] = guardedOf({});
  expect(GuardedAudit.of(audit, SIGHT)).toBe(audit);
});
