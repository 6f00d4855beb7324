import { describe, expect, it, vi } from 'vitest';
import type { Access, AccessRequest, AuditEntry, AuditTrail } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import type { Gate } from '../core/gate.ts';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { isGuarded, Warrant } from './warrant.ts';

const PRINCIPAL = principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' });

function requestOf(payload: string | undefined, method = 'tools/call'): AccessRequest {
  const message = new Message('request', '7', method, false, payload);
  const grant = { ...BARE_GRANT, credentialId: 'key:a' };
  return { principal: PRINCIPAL, grant, server: 'files', era: '2025', address: '::1', message };
}

const REQUEST = requestOf('{"name":"cut"}');
const ANSWER = new Message('response', '7', undefined, false, '{"a":1}');
const FORBIDDEN: Refusal = { error: 'FORBIDDEN' };
const COMMON = {
  address: '::1',
  server: 'files',
  principal: PRINCIPAL,
  credentialId: 'key:a',
  era: '2025',
  method: 'tools/call',
  target: 'cut',
  params: '{"name":"cut"}',
};

class Book implements AuditTrail {
  readonly entries: AuditEntry[] = [];
  trouble: Refusal | undefined;

  fault(): Refusal | undefined {
    return this.trouble;
  }

  record(entry: AuditEntry): void {
    this.entries.push(entry);
  }
}

class CountingGate implements Gate {
  readonly seen: unknown[] = [];
  refusal: Refusal | undefined;

  arrive(): void {}
  enter(): void {}
  open(): void {}

  spend(_visitor: unknown, bytes: number): void {
    this.seen.push(['spend', bytes]);
  }

  take(_visitor: unknown, holding: string): Refusal | undefined {
    this.seen.push(['take', holding]);
    return this.refusal;
  }

  full(): undefined {}

  hasPlace(): boolean {
    return this.refusal === undefined;
  }

  giveBack(_visitor: unknown, holding: string): void {
    this.seen.push(['give back', holding]);
  }
}

function access(refusal?: Refusal): Access {
  return {
    decide: () => ({ refusal, policies: ['p1'] }),
    filter: () => new Message('response', '7', undefined, false, '{"filtered":1}'),
  };
}

function issued(ports: Parameters<typeof Warrant.issue>[0], request = REQUEST): Warrant {
  const warrant = Warrant.issue(ports, request);
  if (!(warrant instanceof Warrant)) throw new Error('It was refused.');
  return warrant;
}

describe('a warrant', () => {
  it('is not needed where nobody decides, records or counts', () => {
    expect(isGuarded({})).toBe(false);
    expect(Warrant.issue({}, REQUEST)).toBeUndefined();
    const [audit, gate] = [new Book(), new CountingGate()];
    for (const ports of [{ audit }, { gate }, { access: access() }]) {
      expect(isGuarded(ports)).toBe(true);
      expect(Warrant.issue(ports, REQUEST)).toBeInstanceOf(Warrant);
    }
  });

  it('is not needed where whoever decides has nothing to decide by', () => {
    const idle: Access = { ...access(), isIdle: true };
    expect(isGuarded({ access: idle })).toBe(false);
    expect(isGuarded({ access: idle, audit: new Book() })).toBe(true);
    expect(isGuarded({ access: { ...access(), isIdle: false } })).toBe(true);
  });

  it('is refused while the record cannot be kept, before anybody is asked', () => {
    const audit = new Book();
    audit.trouble = { error: 'AUDIT_UNAVAILABLE' };
    const gate = new CountingGate();
    const refusal = Warrant.issue({ audit, gate, access: access() }, REQUEST);
    expect(refusal).toEqual({ error: 'AUDIT_UNAVAILABLE', id: '7' });
    expect([audit.entries, gate.seen]).toEqual([[], []]);
  });

  it('is refused by policy with the id of the request, on the record, and counts for nothing', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    const refusal = Warrant.issue({ audit, gate, access: access(FORBIDDEN) }, REQUEST);
    expect(refusal).toEqual({ error: 'FORBIDDEN', id: '7' });
    expect(gate.seen).toEqual([]);
    expect(audit.entries).toEqual([
      { ...COMMON, event: 'denied', policies: ['p1'], refusal: 'FORBIDDEN' },
    ]);
  });

  it('is refused where there is no room', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    gate.refusal = { error: 'RATE_LIMITED' };
    expect(Warrant.issue({ audit, gate }, REQUEST)).toEqual({ error: 'RATE_LIMITED', id: '7' });
    expect(audit.entries).toEqual([
      { ...COMMON, event: 'denied', policies: [], refusal: 'RATE_LIMITED' },
    ]);
    expect(Warrant.issue({ gate }, REQUEST)).toEqual({ error: 'RATE_LIMITED', id: '7' });
    expect(Warrant.issue({ access: access(FORBIDDEN) }, REQUEST)).toMatchObject(FORBIDDEN);
  });

  it('gives its place back and goes on the record, once', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    const warrant = issued({ audit, gate, access: access() });
    expect(gate.seen).toEqual([['take', 'call']]);
    warrant.ended('ok', 12.6, ANSWER);
    warrant.ended('lost');
    expect(gate.seen).toEqual([
      ['take', 'call'],
      ['give back', 'call'],
    ]);
    expect(audit.entries).toEqual([
      {
        ...COMMON,
        event: 'call',
        policies: ['p1'],
        answerChars: 7,
        durationMs: 13,
        outcome: 'ok',
      },
    ]);
  });

  it('is judged once it is known where it goes, and again by other tools alone', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    const seen: unknown[] = [];
    let refusal: Refusal | undefined;
    const decide: Access['decide'] = ({ tools, message }) => {
      seen.push(tools);
      expect(message).toBe(REQUEST.message);
      return { refusal, policies: ['p2'] };
    };
    const ports = { audit, gate, access: { ...access(), decide } };
    const warrant = Warrant.issue(ports, REQUEST, true) as Warrant;
    expect([seen, audit.entries]).toEqual([[], []]);
    const [some, others] = [new Map(), new Map()];
    expect([warrant.judge(undefined), warrant.judge(undefined)]).toEqual([undefined, undefined]);
    expect([warrant.judge(some), warrant.judge(some)]).toEqual([undefined, undefined]);
    expect(warrant.request.tools).toBe(some);
    refusal = FORBIDDEN;
    expect(warrant.judge(others)).toEqual({ error: 'FORBIDDEN', id: '7' });
    warrant.ended('lost');
    expect(seen).toEqual([undefined, some, others]);
    expect(gate.seen).toEqual([
      ['take', 'call'],
      ['give back', 'call'],
    ]);
    expect(audit.entries).toEqual([
      { ...COMMON, event: 'denied', policies: ['p2'], refusal: 'FORBIDDEN' },
    ]);
  });

  it('that is judged later is refused at once where that is foregone', () => {
    const audit = new Book();
    const foregone = (): ReturnType<Access['decide']> => ({ refusal: FORBIDDEN, policies: ['p3'] });
    const refused = Warrant.issue({ audit, access: { ...access(), foregone } }, REQUEST, true);
    expect(refused).toEqual({ error: 'FORBIDDEN', id: '7' });
    expect(audit.entries).toMatchObject([{ event: 'denied', policies: ['p3'] }]);
    expect(Warrant.issue({ access: { ...access(), foregone } }, REQUEST)).toBeInstanceOf(Warrant);
  });

  it('that was judged when it came is judged again where its tools are others', () => {
    const decide = vi.fn<Access['decide']>(() => ({ refusal: undefined, policies: [] }));
    const warrant = issued({ access: { ...access(), decide } });
    expect(warrant.judge(undefined)).toBeUndefined();
    expect(decide).toHaveBeenCalledTimes(1);
    expect(warrant.judge(new Map())).toBeUndefined();
    expect(decide).toHaveBeenCalledTimes(2);
    expect(issued({ audit: new Book() }).judge(new Map())).toBeUndefined();
  });

  it('is denied where a bound is in the way: its place is free again, and it never ends', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    const warrant = issued({ audit, gate, access: access() });
    warrant.denied({ error: 'TOO_MANY_INSTANCES' });
    warrant.denied({ error: 'RATE_LIMITED' });
    warrant.ended('ok', 1, ANSWER);
    expect(gate.seen).toEqual([
      ['take', 'call'],
      ['give back', 'call'],
    ]);
    expect(audit.entries).toEqual([
      { ...COMMON, event: 'denied', policies: ['p1'], refusal: 'TOO_MANY_INSTANCES' },
    ]);
  });

  it('that ended is not denied', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    const warrant = issued({ audit, gate });
    warrant.ended('ok', 1, ANSWER);
    warrant.denied({ error: 'TOO_MANY_INSTANCES' });
    expect(audit.entries).toMatchObject([{ event: 'call', outcome: 'ok' }]);
    expect(gate.seen).toHaveLength(2);
  });

  it('leaves denials where they are recorded when calls are not', () => {
    const denials = new Book();
    Warrant.issue({ access: access(FORBIDDEN), denials }, REQUEST);
    issued({ access: access(), denials }).denied({ error: 'TOO_MANY_INSTANCES' });
    issued({ access: access(), denials }).ended('ok');
    issued({ access: access() }).denied({ error: 'TOO_MANY_INSTANCES' });
    const refusals = denials.entries.map(({ event, refusal }) => [event, refusal]);
    expect(refusals).toEqual([
      ['denied', 'FORBIDDEN'],
      ['denied', 'TOO_MANY_INSTANCES'],
    ]);
  });

  it('may end without an answer, or with an empty one', () => {
    const [audit, gate] = [new Book(), new CountingGate()];
    issued({ audit, gate }).ended('cancelled');
    expect(audit.entries).toMatchObject([{ durationMs: 0, outcome: 'cancelled' }]);
    const empty = new Message('response', '7', undefined, false, undefined);
    issued({ audit, gate }).ended('ok', 1, empty);
    expect(audit.entries.at(-1)).toMatchObject({ outcome: 'ok', answerChars: undefined });
    issued({ access: access() }).ended('ok', 1, ANSWER);
  });

  it('filters what is answered, where somebody decides', () => {
    expect(issued({ access: access() }).filtered(ANSWER).payload).toBe('{"filtered":1}');
    expect(issued({ audit: new Book() }).filtered(ANSWER)).toBe(ANSWER);
  });

  it.each([
    ['tools/call', '{"name":"cut"}', 'cut'],
    ['prompts/get', '{"name":"cut"}', 'cut'],
    ['resources/read', '{"uri":"file:///a"}', 'file:///a'],
    ['resources/subscribe', '{"name":1,"uri":"file:///a"}', 'file:///a'],
    ['resources/unsubscribe', '{"name":1,"uri":"file:///a"}', 'file:///a'],
    ['tools/call', '{"name":1,"uri":"file:///a"}', undefined],
    ['tools/call', '{"name":{}}', undefined],
    ['tools/call', '{}', undefined],
    ['tools/call', undefined, undefined],
    ['tools/list', '{"name":"cut","uri":"file:///a"}', undefined],
  ])('of %s with %s names %s on the record', (method, payload, target) => {
    const audit = new Book();
    issued({ audit }, requestOf(payload, method)).ended('ok');
    expect(audit.entries[0]).toMatchObject({ method, target });
  });

  it('of a method nobody knows repeats nothing of it on the record', () => {
    const audit = new Book();
    issued({ audit }, requestOf('{"name":"secret"}', 'login/secret')).ended('ok');
    expect(audit.entries[0]).toMatchObject({ method: 'other', target: undefined });
  });
});

it('the record names what a client called, and no target where none is known of its method', () => {
  const book = new Book();
  const asked = { ...requestOf('{"name":"cut"}'), method: 'tasks/get' };
  issued({ audit: book }, asked).ended('ok');
  issued({ audit: book }, requestOf('{"undefined":"CANARY"}', 'ping')).ended('ok');
  expect(book.entries.map(({ method, target }) => [method, target])).toEqual([
    ['tasks/get', 'cut'],
    ['ping', undefined],
  ]);
});
