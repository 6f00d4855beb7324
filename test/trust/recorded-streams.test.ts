/** Streams are on the record, too: where it is required and cannot be kept, none is begun. */
import { describe, expect, it } from 'vitest';
import type { AuditTrail } from '../../src/core/access.ts';
import type { Refusal } from '../../src/core/errors.ts';
import { listenTo } from '../wire/client-2026.ts';
import { Session2024, Session2025 } from '../wire/conversation.ts';
import { modernServer } from '../wire/modern-server.ts';
import { wireServer } from '../wire/wire-server.ts';

class Trail implements AuditTrail {
  isBroken = false;
  readonly events: string[] = [];

  fault(): Refusal | undefined {
    return this.isBroken ? { error: 'AUDIT_UNAVAILABLE' } : undefined;
  }

  record({ event }: { readonly event: string }): void {
    this.events.push(event);
  }
}

/** An end, and when to come again. */
const COME_AGAIN = /^retry: \d+\n\n$/;
const SSE = { path: '/sse', headers: { accept: 'text/event-stream' } };

describe('a stream that cannot be recorded', () => {
  it('is not begun by a GET of 2025, which is told when to come again', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit });
    const session = await Session2025.open(server);
    audit.isBroken = true;
    expect((await session.listen().whole()).text).toMatch(COME_AGAIN);
    expect(audit.events).not.toContain('connected');
    audit.isBroken = false;
    expect((await session.listen().head()).status).toBe(200);
    expect(audit.events).toContain('connected');
  });

  it('is not begun by a reader that comes back, or takes the place of another', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit });
    const session = await Session2025.open(server);
    const stream = await session.listen().head();
    const { id } = await stream.block(0);
    audit.isBroken = true;
    expect((await session.listen(id).whole()).text).toMatch(COME_AGAIN);
    expect(audit.events.filter((event) => event === 'connected')).toHaveLength(1);
  });

  it('is not begun in the words of 2024', async () => {
    const audit = new Trail();
    const server = await wireServer({ audit });
    const session = await Session2024.initialized(server);
    const { id = '' } = await session.stream.block(0);
    audit.isBroken = true;
    expect((await server.send(SSE).whole()).text).toMatch(COME_AGAIN);
    expect((await (await session.comeBack(id)).whole()).text).toMatch(COME_AGAIN);
    audit.isBroken = false;
    expect((await (await server.open(SSE)).block(0)).event).toBe('endpoint');
  });

  it('is not begun by a listen of 2026', async () => {
    const audit = new Trail();
    const { server } = await modernServer({ audit });
    audit.isBroken = true;
    const reply = await server.send(listenTo(1, { toolsListChanged: true })).whole();
    expect(reply.status).toBe(503);
    expect(audit.events).not.toContain('connected');
  });
});
