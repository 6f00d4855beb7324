/**
 * Endpoints that serve one side of the divide only, whatever their server speaks.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#compatibility-matrix
 */
import { describe, expect, it } from 'vitest';
import { answerOf, callNow, errorOf, listenTo, modern, VERSION } from './client-2026.ts';
import { initialize, note, postOf, Session2024, Session2025 } from './conversation.ts';
import { modernServer } from './modern-server.ts';
import { wireServer, type WireServer } from './wire-server.ts';

const MODERN_ONLY = [
  ['chosen over a server of this revision', { server: { isDual: false }, eras: 'modern' }],
  ['chosen over a server of every revision', { eras: 'modern' }],
] as const;

describe.each(MODERN_ONLY)('the stateless revision only, %s', (_, options) => {
  it.each(['GET', 'DELETE', 'PUT', 'PATCH'])(
    'W50 %s is 405 and told what is allowed',
    async (method) => {
      const { server } = await modernServer(options);
      const headers = { accept: 'text/event-stream', 'mcp-session-id': 'x' };
      const reply = await server.fetch({ method, path: '/mcp', headers });
      expect(reply.status).toBe(405);
      expect(reply.header('allow')?.split(', ')).toContain('POST');
      expect((await errorOf(reply)).code).toBe(-32600);
    },
  );

  it('W50 the paths of 2024 are not there', async () => {
    const { server } = await modernServer(options);
    const headers = { accept: 'text/event-stream' };
    expect((await server.fetch({ path: '/sse', headers })).status).toBe(404);
    expect((await server.fetch(postOf('/messages?sessionId=x', note('x')))).status).toBe(404);
  });

  it.each(['2024-11-05', '2025-11-25', '2099-01-01'])(
    'W59 initialize for %s is told the versions that are served',
    async (version) => {
      const { server } = await modernServer(options);
      const reply = await server.fetch(postOf('/mcp', initialize(version)));
      expect(reply.status).toBe(400);
      expect(reply.header('mcp-session-id')).toBeUndefined();
      const error = await errorOf(reply);
      expect(error).toMatchObject({ id: 0, code: -32022 });
      expect(error.data).toEqual({ supported: [VERSION], requested: version });
    },
  );

  it('W57 it lists its one version, and serves it', async () => {
    const { server } = await modernServer(options);
    const reply = await server.fetch(modern(1, 'server/discover'));
    expect(await answerOf(reply)).toMatchObject({ result: { supportedVersions: [VERSION] } });
    expect((await server.fetch(callNow(2))).status).toBe(200);
  });

  it('W62 a notification without any header gets 202, a response 400', async () => {
    const { server } = await modernServer(options);
    const notified = await server.fetch(postOf('/mcp', note('notifications/initialized')));
    expect([notified.status, notified.text]).toEqual([202, '']);
    const answered = await server.fetch(postOf('/mcp', { jsonrpc: '2.0', id: 1, result: {} }));
    expect(answered.status).toBe(400);
    expect((await errorOf(answered)).message).not.toMatch(/session/i);
  });
});

const LEGACY_ONLY: readonly [string, () => Promise<WireServer>][] = [
  ['spoken by the server', () => wireServer({ eras: 'legacy' })],
  ['chosen for the endpoint', async () => (await modernServer({ eras: 'legacy' })).server],
];

describe.each(LEGACY_ONLY)('the handshake revisions only, %s', (_, open) => {
  it.each([
    ['discovery', modern('probe', 'server/discover')],
    ['a call', callNow('probe')],
    ['a listen', listenTo('probe', { toolsListChanged: true })],
    ['a probe without its headers', { ...modern('probe', 'server/discover'), headers: undefined }],
  ])('W81 refuses %s at once, as one that knows no such revision', async (_what, { body }) => {
    const server = await open();
    const reply = await server.fetch(postOf('/mcp', body ?? ''));
    expect([400, 404]).toContain(reply.status);
    const { id, code } = await errorOf(reply);
    expect(id).toBe('probe');
    expect(code <= -32020 && code >= -32099).toBe(false);
  });

  it('W81 the same probe with all its headers is refused alike, and a handshake then succeeds', async () => {
    const server = await open();
    const reply = await server.fetch(modern(1, 'server/discover'));
    expect(reply.status).toBe(400);
    expect((await errorOf(reply)).code).toBe(-32600);
    expect((await Session2025.open(server)).initializeReply.status).toBe(200);
    expect((await Session2024.initialized(server)).stream.status).toBe(200);
  });
});
