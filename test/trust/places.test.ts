/**
 * A call takes a place and gives it back, however it ends: whoever was refused, left or gave it up
 * takes nothing from those who come later, and every end is on the record.
 */
import { describe, expect, it } from 'vitest';
import { RateGate } from '../../src/adapters/gate/rate-gate.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { Access, AccessRequest, AuditEntry, AuditTrail } from '../../src/core/access.ts';
import type { Refusal } from '../../src/core/errors.ts';
import { Message } from '../../src/core/protocol/message.ts';
import {
  callLater,
  callNow,
  initialize,
  note,
  postOf,
  rpc,
  Session2024,
  Session2025,
} from '../wire/conversation.ts';
import { callLater as callLater2026 } from '../wire/client-2026.ts';
import { modernServer } from '../wire/modern-server.ts';
import { ModernUpstream } from '../wire/modern-upstream.ts';
import { eventually } from '../wire/signal.ts';
import { wireServer } from '../wire/wire-server.ts';

const BATCHES = { version: '2025-03-26' };

/** Nobody may call `later`, or sees it. */
const RULE: Access = {
  decide: ({ message }: AccessRequest) => {
    const { name } = (message.value ?? {}) as { readonly name?: unknown };
    const refusal: Refusal | undefined = name === 'later' ? { error: 'FORBIDDEN' } : undefined;
    return { refusal, policies: [] };
  },
  filter: ({ message }: AccessRequest, answer: Message) =>
    message.method === 'tools/list' ? Message.result(answer.id ?? '', '{"tools":[]}') : answer,
};

class Trail implements AuditTrail {
  readonly entries: AuditEntry[] = [];

  fault(): undefined {}

  record(entry: AuditEntry): void {
    this.entries.push(entry);
  }

  /** How requests of this method ended, in order. */
  endsOf(method: string): readonly (string | undefined)[] {
    const ends = this.entries.filter((entry) => entry.method === method);
    return ends.map(({ refusal, outcome }) => refusal ?? outcome);
  }
}

function gate(callsMax: number): RateGate {
  const random = { sessionId: () => '', fraction: () => 0 };
  return new RateGate({ principal: { callsMax } }, { random, telemetry: silent });
}

describe('a batch', () => {
  it('that is refused for want of a place takes none', async () => {
    const audit = new Trail();
    const server = await wireServer({ gate: gate(3), audit });
    const session = await Session2025.open(server, BATCHES);
    const batch = [1, 2, 3, 4].map(callNow);
    expect((await session.post(batch).whole()).status).toBe(429);
    expect(audit.endsOf('tools/call')).toEqual(Array(4).fill('TOO_MANY_REQUESTS'));
    expect((await session.post(batch.slice(1)).whole()).status).toBe(200);
  });

  it('that a policy refuses takes none', async () => {
    const audit = new Trail();
    const server = await wireServer({ gate: gate(2), access: RULE, audit });
    const session = await Session2025.open(server, BATCHES);
    expect((await session.post([callNow(1), callLater(2)]).whole()).status).toBe(403);
    expect(audit.endsOf('tools/call')).toEqual(['FORBIDDEN', 'FORBIDDEN']);
    expect((await session.post([callNow(1), callNow(2)]).whole()).status).toBe(200);
  });

  it('of 2024 that is refused takes none', async () => {
    const server = await wireServer({ gate: gate(2) });
    const session = await Session2024.open(server);
    await session.post(initialize('2025-03-26')).whole();
    await session.stream.message(0);
    expect((await session.post([1, 2, 3].map(callNow)).whole()).status).toBe(429);
    expect((await session.post([1, 2].map(callNow)).whole()).status).toBe(202);
    await session.stream.message(2);
  });

  it('of equal ids gives back all it took, and each answer is filtered as its own', async () => {
    const audit = new Trail();
    const server = await wireServer({ gate: gate(2), access: RULE, audit });
    const session = await Session2025.open(server, BATCHES);
    const reply = session.post([callNow(1), rpc(1, 'tools/list')]);
    const list = await server.upstream.call(0, 'tools/list');
    list.answer({ tools: [{ name: 'later', inputSchema: { type: 'object' } }] });
    const { status, text } = await reply.whole();
    expect([status, text.includes('later')]).toEqual([200, false]);
    expect([audit.endsOf('tools/call'), audit.endsOf('tools/list')]).toEqual([['ok'], ['ok']]);
    expect((await session.post([callNow(1), callNow(1)]).whole()).status).toBe(200);
    expect((await session.post([callNow(1), callNow(1)]).whole()).status).toBe(200);
  });
});

describe('a client that leaves while its server starts', () => {
  it('leaves no place behind on a server it shares', async () => {
    const audit = new Trail();
    const hand = { holdsInitialize: true };
    const server = await wireServer({ hand, isolation: 'shared', gate: gate(1), audit });
    const accept = 'application/json';
    const gone = server.send(postOf('/mcp', initialize('2025-11-25'), { accept }));
    const handshake = await server.upstream.call(0, 'initialize');
    gone.leave();
    await eventually(() => server.endpoint.status.sessions === 0, 'the end of its session');
    expect(audit.endsOf('initialize')).toEqual(['refused']);
    const serverInfo = { name: 'hand', version: '1' };
    handshake.answer({ protocolVersion: '2025-11-25', capabilities: {}, serverInfo });
    const session = await Session2025.open(server);
    expect((await session.post(callNow(1)).whole()).status).toBe(200);
  });

  it('is not called for in 2026, and leaves no place behind', async () => {
    const audit = new Trail();
    const options = { server: { holdsDiscover: true }, gate: gate(1), audit };
    const { server, upstream } = await modernServer(options);
    const gone = server.send(callLater2026(1));
    const discover = await upstream.call(0, 'server/discover');
    gone.leave();
    await eventually(() => audit.endsOf('tools/call').length > 0, 'the end of its call');
    expect(audit.endsOf('tools/call')).toEqual(['cancelled']);
    const next = server.send(callLater2026(2));
    discover.discover();
    (await upstream.call(0, 'tools/call')).say('for the next');
    expect((await next.whole()).text).toContain('for the next');
    expect(upstream.calls.filter(({ method }) => method === 'tools/call')).toHaveLength(1);
  });

  it('is not called for when nothing was known of the server yet', async () => {
    const upstream = new ModernUpstream();
    const held: (() => void)[] = [];
    let isReleased = false;
    const connect = upstream.connect.bind(upstream);
    upstream.connect = (era, events) =>
      connect(era, {
        ...events,
        onMessage: (message, relatedTo) => {
          if (isReleased) events.onMessage(message, relatedTo);
          else held.push(() => events.onMessage(message, relatedTo));
        },
      });
    const server = await wireServer({ upstream });
    const gone = server.send(callLater2026(1));
    await eventually(() => held.length > 0, 'the first words of the server');
    gone.leave();
    // Replies to others prove that the server has seen what came before them.
    for (let i = 0; i < 3; i += 1) await server.fetch({ path: '/healthz' });
    isReleased = true;
    for (const say of held) say();
    const next = server.send(callLater2026(2));
    (await upstream.call(0, 'tools/call')).say('for the next');
    expect((await next.whole()).text).toContain('for the next');
    expect(upstream.calls).toHaveLength(1);
  });
});

describe('a call that waits for a handshake on behalf of its client', () => {
  it('gives its place back when it is given up', async () => {
    const audit = new Trail();
    const server = await wireServer({ hand: { holdsInitialize: true }, gate: gate(1), audit });
    const session = await Session2024.open(server);
    for (const requestId of ['a', 'b']) {
      expect((await session.post(callLater(requestId)).whole()).status).toBe(202);
      await session.post(note('notifications/cancelled', { requestId })).whole();
    }
    expect(audit.endsOf('tools/call')).toEqual(['cancelled', 'cancelled']);
  });
});
