/**
 * Listens to more resources than one listen upstream can name.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { describe, expect, it } from 'vitest';
import { listening } from './client-2026.ts';
import { modernServer, type ModernServer } from './modern-server.ts';
import { people } from './people.ts';
import type { WireReply } from './wire-reply.ts';

const UPDATED = 'notifications/resources/updated';
const LINE_BYTES_MAX = 16_384;
const LISTENS = 20;
const RESOURCES = 15;

/** Each takes six times its length in JSON. */
function resourcesOf(listen: number): string[] {
  return Array.from({ length: RESOURCES }, (_, index) => {
    const name = `test://${listen}/${index}/`;
    return name + '\u0001'.repeat(50 - name.length);
  });
}

async function crowded(): Promise<ModernServer & { readonly replies: readonly WireReply[] }> {
  const gate = await modernServer({
    identity: people(),
    isolation: 'shared',
    limits: { upstreamLineBytesMax: LINE_BYTES_MAX },
  });
  const replies: WireReply[] = [];
  for (let listen = 0; listen < LISTENS; listen += 1) {
    const filter = { resourceSubscriptions: resourcesOf(listen) };
    replies.push(await listening(gate.server, listen, filter, { token: 'alice' }));
  }
  return { ...gate, replies };
}

function bytesAsked({ upstream }: ModernServer): number[] {
  return upstream.listens.map(({ asked }) => Buffer.byteLength(JSON.stringify(asked)));
}

describe('listens that name more together than a line of the server may have', () => {
  it('W70 are carried by several of ours, and all are told of what they named', async () => {
    const gate = await crowded();
    expect(Math.max(...bytesAsked(gate))).toBeLessThan(LINE_BYTES_MAX);
    for (const [listen, reply] of gate.replies.entries()) {
      const uri = resourcesOf(listen)[RESOURCES - 1] ?? '';
      gate.upstream.publish(UPDATED, 'resourceSubscriptions', { uri });
      await reply.message(1);
    }
    expect(gate.replies.map(({ messages }) => messages.length)).toEqual(
      Array.from({ length: LISTENS }, () => 2),
    );
  });

  it('W70 V26 keep nobody else from listening', async () => {
    const gate = await crowded();
    const filter = { resourceSubscriptions: ['test://bob'] };
    const bob = await listening(gate.server, 1, filter, { token: 'bob' });
    gate.upstream.publish(UPDATED, 'resourceSubscriptions', { uri: 'test://bob' });
    await bob.message(1);
    expect(Math.max(...bytesAsked(gate))).toBeLessThan(LINE_BYTES_MAX);
    expect(gate.replies.every(({ messages }) => messages.length === 1)).toBe(true);
  });

  it('W66 leave no listen of ours when they end, and make room for the next', async () => {
    const { replies, ...gate } = await crowded();
    const { upstream, server } = gate;
    const open = (): number =>
      upstream.listens.filter(({ isOver, isCancelled }) => !isOver && !isCancelled).length;
    expect(open()).toBe(LISTENS / 2);
    for (const reply of replies) reply.leave();
    await upstream.until(() => open() === 0, 'the end of listens');
    const last = { resourceSubscriptions: resourcesOf(0) };
    await listening(server, 1, last, { token: 'alice' });
    expect(open()).toBe(1);
  });
});
