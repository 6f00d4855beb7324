/** Places for calls at a server that principals share. */
import { describe, expect, it } from 'vitest';
import { callLater, callNow, Session2025 } from './conversation.ts';
import { modernServer } from './modern-server.ts';
import { people } from './people.ts';
import type { WireReply } from './wire-reply.ts';
import { wireServer, type WireServer } from './wire-server.ts';

const PLACES = 16;
const LIMITS = { pendingPerUpstreamMax: PLACES, pendingPerOwnerMax: 4 };

/** As many calls as there are places, from several sessions of one; none is ended. */
async function crowd(server: WireServer, token: string): Promise<readonly Promise<WireReply>[]> {
  const replies: Promise<WireReply>[] = [];
  for (let each = 0; each < PLACES / LIMITS.pendingPerOwnerMax; each += 1) {
    const session = await Session2025.open(server, { token });
    for (let id = 1; id <= LIMITS.pendingPerOwnerMax; id += 1) {
      replies.push(session.post(callLater(id)).whole());
    }
  }
  return replies;
}

async function answerTo(server: WireServer, token: string): Promise<string> {
  const session = await Session2025.open(server, { token });
  return (await session.post(callNow(1)).whole()).text;
}

describe('places for calls at a server that principals share', () => {
  it('are left to others by one with many sessions', async () => {
    const server = await wireServer({ isolation: 'shared', identity: people(), limits: LIMITS });
    const refused = await Promise.any(await crowd(server, 'alice'));
    expect(refused.text).toContain('-32003');
    expect(await answerTo(server, 'bob')).toContain('now');
    await Promise.any(await crowd(server, 'bob'));
    expect(await answerTo(server, 'alice-of-another-tenant')).toContain('now');
  });

  it('are left to others by one with many sessions over a server without any', async () => {
    const { server, upstream } = await modernServer({
      isolation: 'shared',
      identity: people(),
      limits: LIMITS,
      server: { isDual: false },
    });
    await Promise.any(await crowd(server, 'alice'));
    await upstream.call(0);
    expect(await answerTo(server, 'bob')).toContain('now');
  });

  it('are all of a principal that has the server to itself', async () => {
    const server = await wireServer({ isolation: 'principal', identity: people(), limits: LIMITS });
    const replies = await crowd(server, 'alice');
    await server.upstream.call(replies.length - 1);
    expect(await answerTo(server, 'bob')).toContain('now');
  });
});
