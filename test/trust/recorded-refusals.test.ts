/** Requests that are refused before anybody looks at them are on the record. */
import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/adapters/gate/rate-gate.ts';
import type { Rates } from '../../src/adapters/gate/rate-rules.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { AuditEntry, AuditTrail } from '../../src/core/access.ts';
import { callNow, initialize, postOf, Session2025 } from '../wire/conversation.ts';
import { wireServer } from '../wire/wire-server.ts';

class Trail implements AuditTrail {
  readonly entries: AuditEntry[] = [];

  fault(): undefined {}

  record(entry: AuditEntry): void {
    this.entries.push(entry);
  }

  get refused(): readonly AuditEntry[] {
    return this.entries.filter(({ event }) => event === 'refused');
  }
}

function gate(rates: Rates): RateGate {
  const random = { sessionId: () => '', fraction: () => 0 };
  return new RateGate(rates, { random, telemetry: silent });
}

describe('a request that is refused at the door', () => {
  it('is on the record where its account asks too often', async () => {
    const audit = new Trail();
    const rules = { principal: { requestsPerSecond: 3 } };
    const server = await wireServer({ audit, gate: gate(rules) });
    const session = await Session2025.open(server);
    const replies = await Promise.all([1, 2, 3].map((id) => session.post(callNow(id)).whole()));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(audit.refused).toHaveLength(refused.length);
    expect(audit.refused[0]).toMatchObject({
      address: '127.0.0.1',
      principal: { subject: 'anonymous' },
      refusal: 'RATE_LIMITED',
    });
  });

  it('is on the record where its address does, by that alone', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit, gate: gate({ address: { requestsPerSecond: 1 } }) });
    const request = postOf('/mcp', initialize('2025-11-25'));
    const replies = await Promise.all([1, 2, 3].map(() => server.fetch(request)));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(audit.refused).toHaveLength(refused.length);
    const [first] = audit.refused;
    expect(first).toMatchObject({ address: '127.0.0.1', refusal: 'RATE_LIMITED' });
    expect(first?.principal).toBeUndefined();
  });

  it('is on the record where it would open more than may be opened in a second', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit, gate: gate({ principal: { opensPerSecond: 1 } }) });
    const request = postOf('/mcp', initialize('2025-11-25'));
    const replies = await Promise.all([1, 2, 3].map(() => server.fetch(request)));
    const refused = replies.filter(({ status }) => status === 429);
    expect(refused.length).toBeGreaterThan(0);
    expect(audit.refused).toHaveLength(refused.length);
  });

  it('is on the record where it owes for bytes', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit, gate: gate({ principal: { bytesPerSecond: 1 } }) });
    const request = postOf('/mcp', initialize('2025-11-25'));
    await server.fetch(request);
    expect((await server.fetch(request)).status).toBe(429);
    expect(audit.refused).toMatchObject([{ refusal: 'RATE_LIMITED' }]);
  });

  it('is on the record where there is no place for its stream', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit, gate: gate({ principal: { streamsMax: 1 } }) });
    const session = await Session2025.open(server);
    const other = await Session2025.open(server);
    await session.listen().head();
    await other.listen().whole();
    expect(audit.refused).toMatchObject([{ refusal: 'TOO_MANY_STREAMS' }]);
    await server.open({ path: '/sse', headers: { accept: 'text/event-stream' } });
    expect(audit.refused).toHaveLength(2);
  });

  it('is one without a valid credential where that is in its URL', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit });
    const path = '/mcp?access_token=CANARY';
    await server.fetch(postOf(path, initialize('2025-11-25')));
    expect(audit.entries).toMatchObject([
      { event: 'unauthenticated', address: '127.0.0.1', refusal: 'CREDENTIAL_IN_URL' },
    ]);
    expect(JSON.stringify(audit.entries)).not.toContain('CANARY');
  });
});
