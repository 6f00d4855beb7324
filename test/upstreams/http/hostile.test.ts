/** What a remote server may do wrong costs one call at most: the next one is answered. */
import { describe, expect, it } from 'vitest';
import type { RemoteOptions } from 'tidegate';
import { dialModern, dialSession, HandServer, server2025 } from './hand-server.ts';
import { endless, METADATA, MISDEEDS, UNAVAILABLE } from './misdeeds.ts';

describe.each([
  ['2025', dialSession],
  ['2026', async (url: string, options?: RemoteOptions) => dialModern(url, options)],
] as const)('a server of %s', (_era, dial) => {
  it.each(MISDEEDS)('V55: %s costs the call it answers', async (_name, misdeed, expected) => {
    const server = await HandServer.start(
      server2025((asked) => {
        if (asked.body.params?.['name'] !== 'bad') return false;
        misdeed(asked);
        return true;
      }),
    );
    const { call, recorder } = await dial(server.url);
    expect(await call(1, 'bad')).toMatchObject(expected);
    expect(await call(2, 'good')).toEqual({ of: 'tools/call' });
    expect(recorder.closes()).toEqual([]);
    const calls = server.of('tools/call');
    expect(calls).toHaveLength(2);
    expect(calls[1]?.header('mcp-session-id')).toBe(calls[0]?.header('mcp-session-id'));
  });

  it.each([
    ['JSON', 'application/json', '['],
    ['an event', 'text/event-stream', 'x'],
  ])('V54: %s without end is given up at the bound', async (_name, type, text) => {
    const server = await HandServer.start(
      server2025((asked) => {
        if (asked.body.params?.['name'] !== 'bad') return false;
        endless(asked, 200, type, type === 'application/json' ? text : `data: ${text}`);
        return true;
      }),
    );
    const limits = { upstreamLineBytesMax: 1_000_000 };
    const { call, recorder, sight } = await dial(server.url, { limits });
    void call(1, 'bad').catch(() => {});
    await recorder.until(({ seen }) => seen.some(({ kind }) => kind === 'oversized'), 'the bound');
    expect(recorder.seen).toContainEqual({ kind: 'oversized', id: '1' });
    expect(sight.counts.get('upstream_lines_skipped_total too-long')).toBe(1);
    expect(await call(2, 'good')).toEqual({ of: 'tools/call' });
  });

  it('V37: a redirect to a metadata address is not followed', async () => {
    const server = await HandServer.start((asked) => {
      asked.status(307, { location: METADATA });
    });
    const { call } = dialModern(server.url);
    expect(await call(1)).toMatchObject(UNAVAILABLE);
    expect(server.asked).toHaveLength(1);
  });

  it('V41: sends our own headers, and never logs or tells their values', async () => {
    const server = await HandServer.start(server2025(() => false));
    const headers = { Authorization: 'Bearer our-canary' };
    const { call, sight, recorder } = await dial(server.url, { headers });
    await call(1);
    expect(
      server.asked.every((asked) => asked.header('authorization') === 'Bearer our-canary'),
    ).toBe(true);
    const seen = [sight.logs, [...sight.counts], recorder.seen];
    expect(JSON.stringify(seen)).not.toContain('canary');
  });
});
