import { describe, expect, it } from 'vitest';
import { silent } from '../adapters/telemetry/silent.ts';
import { BARE_GRANT } from '../core/grant.ts';
import { DEFAULT_LIMITS } from '../core/limits.ts';
import type { StreamSink } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import { MemoryExchange } from '../testing/memory-exchange.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import { Connection } from './connection.ts';
import { Connections } from './connections.ts';
import { Ticker } from './ticker.ts';

const NOTHING = (): void => {};
const PRINCIPAL = principalOf({ tenant: 't', issuer: 'i', subject: 's', clientId: 'c' });
const SECOND = 'x'.repeat(1000);

const QUEUE = DEFAULT_LIMITS.streamQueueBytesMax;

/** A stream whose reader takes nothing by itself. */
function streamOf(
  clock: VirtualClock,
  first = '',
  told: Partial<Pick<StreamSink, 'takenBytes' | 'isBehind' | 'destroy'>> = {},
): {
  readonly connection: Connection;
  readonly exchange: MemoryExchange;
  readonly lost: string[];
} {
  const limits = { ...DEFAULT_LIMITS, stallMsMax: 10_000 };
  const random = { sessionId: () => '', fraction: () => 0.5 };
  const ports = { clock, random, telemetry: silent, limits, name: 's' };
  const connections = new Connections(
    { ...ports, heartbeat: 'off', challenges: () => [] },
    new Ticker(clock),
  );
  const fate = { latencyMs: () => 1, goneAfterMs: () => 1, kernelBytes: 0 };
  const listener = { onHead: NOTHING, onText: NOTHING, onEnd: NOTHING, onLost: NOTHING };
  const watcher = { onViolation: NOTHING, onQueued: NOTHING };
  const request = { method: 'GET', path: '/mcp', headers: [] };
  const exchange = new MemoryExchange(request, clock, fate, listener, watcher);
  exchange.stopReading();
  const openStream = exchange.openStream.bind(exchange);
  exchange.openStream = (...args) => Object.assign(openStream(...args), told);
  const lost: string[] = [];
  const owner = { drain: NOTHING, connectionLost: (_: unknown, why: string) => lost.push(why) };
  const facts = { era: '2026', principal: PRINCIPAL, grant: BARE_GRANT, headers: [] };
  const connection = new Connection(connections, owner, exchange, { kind: 'reply', ...facts });
  connection.open(first, undefined);
  return { connection, exchange, lost };
}

describe('V49 a reader', () => {
  it('that takes as much as comes is not cut, though what waits never gets less', () => {
    const clock = new VirtualClock();
    const { connection, exchange, lost } = streamOf(clock);
    connection.write(SECOND.slice(0, 300));
    for (let i = 0; i < 60; i += 1) {
      connection.write(SECOND);
      clock.advance(500);
      exchange.readSome(1000);
      clock.advance(500);
      expect(connection.queuedBytes()).toBe(300);
      connection.write(SECOND);
      clock.advance(1000);
      exchange.readSome(1000);
    }
    expect(lost).toEqual([]);
  });

  it('that takes nothing is cut as stalled, whatever comes to wait meanwhile', () => {
    const clock = new VirtualClock();
    const { connection, lost } = streamOf(clock);
    for (let i = 0; i < 9; i += 1) {
      connection.write(SECOND);
      clock.advance(1000);
    }
    expect(lost).toEqual([]);
    clock.advance(3000);
    expect(lost).toEqual(['stalled']);
  });

  it('that takes one large frame little by little is not cut, where the system tells', () => {
    const clock = new VirtualClock();
    let taken = 5;
    const { connection, lost } = streamOf(clock, '', { takenBytes: () => taken });
    connection.write(SECOND);
    for (let i = 0; i < 9; i += 1) {
      clock.advance(9000);
      taken += 1;
    }
    expect(lost).toEqual([]);
    clock.advance(9000);
    expect(lost).toEqual([]);
    clock.advance(4000);
    expect(lost).toEqual(['stalled']);
  });

  it('has its time from when its turn to be replied to came, and no more than may wait', () => {
    const clock = new VirtualClock();
    let isBehind = true;
    const { connection, lost } = streamOf(clock, '', { isBehind: () => isBehind });
    connection.write(SECOND);
    clock.advance(60_000);
    isBehind = false;
    clock.advance(9000);
    expect(lost).toEqual([]);
    clock.advance(2000);
    expect(lost).toEqual(['stalled']);
    const other = streamOf(clock, '', { isBehind: () => true });
    for (let i = 0; i < 2; i += 1) other.connection.write('x'.repeat(QUEUE + 1));
    expect(other.lost).toEqual(['slow-reader']);
  });

  it('that stops taking after a while is cut as stalled', () => {
    const clock = new VirtualClock();
    const { connection, exchange, lost } = streamOf(clock);
    connection.write(SECOND);
    connection.write(SECOND);
    clock.advance(9000);
    exchange.readSome(1);
    clock.advance(9000);
    expect(lost).toEqual([]);
    clock.advance(3000);
    expect(lost).toEqual(['stalled']);
  });

  it('that catches up is given its whole time again', () => {
    const clock = new VirtualClock();
    const { connection, exchange, lost } = streamOf(clock);
    for (let i = 0; i < 3; i += 1) {
      connection.write(SECOND);
      clock.advance(9000);
      exchange.readSome(1000);
      clock.advance(2000);
    }
    expect(lost).toEqual([]);
  });

  it('that came back to more than a queue may hold is not cut for that, and is bounded', () => {
    const clock = new VirtualClock();
    const { connection, exchange, lost } = streamOf(clock, 'x'.repeat(4 * QUEUE));
    for (let i = 0; i < 2; i += 1) connection.write('x'.repeat(QUEUE / 2));
    expect(lost).toEqual([]);
    exchange.readSome(QUEUE);
    connection.write('x'.repeat(2 * QUEUE));
    expect(lost).toEqual([]);
    connection.write('x');
    expect(lost).toEqual(['slow-reader']);
  });

  it('that took what it came back to may leave no more than others', () => {
    const { connection, exchange, lost } = streamOf(new VirtualClock(), 'x'.repeat(4 * QUEUE));
    exchange.readSome(4 * QUEUE);
    for (let i = 0; i < 2; i += 1) connection.write('x'.repeat(QUEUE + 1));
    expect(lost).toEqual(['slow-reader']);
  });

  it('that takes nothing of what its stream began with is cut as stalled', () => {
    const clock = new VirtualClock();
    const { lost } = streamOf(clock, SECOND);
    clock.advance(9000);
    expect(lost).toEqual([]);
    clock.advance(4000);
    expect(lost).toEqual(['stalled']);
  });

  it('that is cut is not waited for: what it left is dropped', () => {
    let isCut = false;
    const destroy = (): void => {
      isCut = true;
    };
    const { connection, lost } = streamOf(new VirtualClock(), '', { destroy });
    for (let i = 0; i < 2; i += 1) connection.write('x'.repeat(QUEUE + 1));
    expect(lost).toEqual(['slow-reader']);
    expect(isCut).toBe(true);
  });
});
