/**
 * Who may come in: Host, Origin and credentials, before anything of a request is believed or read.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#security-warning
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { staticToken } from 'tidegate';
import { RawClient, statusOf } from '../http/raw-client.ts';
import { callNow, initialize, postOf, rpc, Session2025 } from './conversation.ts';
import { otherSpellings } from './other-spellings.ts';
import { people } from './people.ts';
import type { WireReply, WireRequest } from './wire-reply.ts';
import { wireServer, type WireServer } from './wire-server.ts';

const ORIGIN = 'https://app.example';
const SSE = { accept: 'text/event-stream' };

/** Every route there is, in a form that would be served. */
const ROUTES: readonly WireRequest[] = [
  postOf('/mcp', initialize('2025-11-25')),
  { path: '/mcp', headers: SSE },
  { method: 'DELETE', path: '/mcp' },
  { path: '/sse', headers: SSE },
  postOf('/messages?sessionId=x', callNow(1)),
];

function withHeaders(request: WireRequest, headers: WireRequest['headers']): WireRequest {
  return { ...request, headers: { ...request.headers, ...headers } };
}

/** A request of which only the head ever arrives. */
async function headOnly(server: WireServer, lines: readonly string[]): Promise<string> {
  const client = await RawClient.open(server.port);
  onTestFinished(() => client.destroy());
  const head = ['POST /mcp HTTP/1.1', 'Content-Type: application/json', 'Content-Length: 1000'];
  client.send([...head, ...lines, '', ''].join('\r\n'));
  await client.until(({ received }) => received.includes('}}'), 'a refusal');
  return client.received;
}

async function errorOf(reply: WireReply): Promise<unknown> {
  return (await reply.json())['error'];
}

describe('the Origin', () => {
  it.each(['https://evil.test', 'null', '', 'https://app.example:444', 'http://app.example'])(
    'W27 V05 "%s" is 403 on every route, for it is not listed',
    async (origin) => {
      const server = await wireServer({ allowedOrigins: [ORIGIN], identity: people() });
      for (const route of ROUTES) {
        const reply = await server.fetch(withHeaders(route, { origin }));
        expect([route.path, reply.status]).toEqual([route.path, 403]);
        expect(await errorOf(reply)).toMatchObject({ code: -32600 });
        expect(reply.header('access-control-allow-origin')).toBeUndefined();
      }
      expect(server.endpoint.status.sessions).toBe(0);
    },
  );

  it('W27 is looked at before the body, the session and the credential', async () => {
    const server = await wireServer({ allowedOrigins: [ORIGIN], identity: people() });
    const evil = 'Origin: https://evil.test';
    const received = await headOnly(server, ['Host: localhost', evil, 'Mcp-Session-Id: unknown']);
    expect(statusOf(received)).toBe(403);
    expect(received).not.toMatch(/www-authenticate/i);
  });

  it('W27 may be absent, and may be one that is listed; two are refused', async () => {
    const server = await wireServer({ allowedOrigins: [ORIGIN, 'null'] });
    for (const origin of [undefined, ORIGIN, 'null']) {
      const request = postOf('/mcp', initialize('2025-11-25'), { origin });
      expect((await server.fetch(request)).status).toBe(200);
    }
    const client = await RawClient.open(server.port);
    onTestFinished(() => client.destroy());
    const lines = [
      'GET /mcp HTTP/1.1',
      'Host: localhost',
      `Origin: ${ORIGIN}`,
      `Origin: ${ORIGIN}`,
    ];
    client.send([...lines, '', ''].join('\r\n'));
    await client.untilReceived('}}');
    expect(statusOf(client.received)).toBe(403);
  });

  it('W27 of a loopback page is allowed by default, and no other', async () => {
    const server = await wireServer();
    for (const [origin, status] of [
      ['http://localhost:3000', 200],
      ['http://127.0.0.1', 200],
      ['http://[::1]:8080', 200],
      ['https://evil.test', 403],
      ['http://localhost.evil.test', 403],
    ] as const) {
      const reply = await server.fetch(postOf('/mcp', initialize('2025-11-25'), { origin }));
      expect([origin, reply.status]).toEqual([origin, status]);
    }
  });
});

describe('the Host', () => {
  it.each(['evil.test', 'evil.test:80', 'localhost.evil.test', '169.254.169.254', '0.0.0.0'])(
    'W28 V01 V03 "%s" is 403 on every route of a loopback server',
    async (host) => {
      const server = await wireServer();
      for (const route of ROUTES) {
        const reply = await server.fetch(withHeaders(route, { host }));
        expect([route.path, reply.status]).toEqual([route.path, 403]);
        expect(await errorOf(reply)).toMatchObject({ code: -32600 });
      }
      expect(server.endpoint.status.sessions).toBe(0);
    },
  );

  it.each(['a/x?', 'a#b', 'user@localhost', 'local host', 'localhost:99999', '[::1'])(
    'W28 V09 "%s" is 400, for it is no host',
    async (host) => {
      const server = await wireServer();
      const request = postOf('/mcp', initialize('2025-11-25'), { host });
      expect((await server.fetch(request)).status).toBe(400);
    },
  );

  it('W28 may be any name of loopback or the public one, in any case', async () => {
    const server = await wireServer({ publicUrl: 'https://gate.example/team' });
    for (const host of ['localhost', 'LOCALHOST:1', '127.0.0.1:8808', '[::1]:1', 'Gate.Example']) {
      const request = postOf('/mcp', initialize('2025-11-25'), { host });
      expect([host, (await server.fetch(request)).status]).toEqual([host, 200]);
    }
  });
});

describe('browsers', () => {
  const asked = {
    origin: ORIGIN,
    'access-control-request-method': 'POST',
    'access-control-request-headers': 'mcp-session-id, mcp-param-region, x-other, mcp-param-a b',
  };

  it('W41 are told of every header of MCP that they may send, parameters included', async () => {
    const server = await wireServer({ allowedOrigins: [ORIGIN], identity: people() });
    for (const path of ['/mcp', '/sse', '/messages']) {
      const reply = await server.fetch({ method: 'OPTIONS', path, headers: asked });
      expect([reply.status, reply.text]).toEqual([204, '']);
      expect(reply.header('access-control-allow-origin')).toBe(ORIGIN);
      expect(reply.header('access-control-allow-methods')).toBe('GET, POST, DELETE, OPTIONS');
      const allowed = (reply.header('access-control-allow-headers') ?? '').split(', ');
      for (const name of [
        'authorization',
        'dpop',
        'content-type',
        'mcp-session-id',
        'mcp-protocol-version',
        'last-event-id',
        'mcp-method',
        'mcp-name',
        'mcp-param-region',
      ]) {
        expect(allowed).toContain(name);
      }
      expect(allowed).not.toContain('x-other');
      expect(reply.header('access-control-allow-credentials')).toBeUndefined();
      expect(reply.header('vary')).toContain('Origin');
    }
  });

  it('W41 may read the session id and the challenge, on every reply', async () => {
    const server = await wireServer({ allowedOrigins: [ORIGIN], identity: people() });
    const authorization = 'Bearer alice';
    const origin = ORIGIN;
    const replies = [
      await server.fetch(postOf('/mcp', initialize('2025-11-25'), { origin, authorization })),
      await server.fetch(postOf('/mcp', initialize('2025-11-25'), { origin })),
      await server.fetch(postOf('/mcp', '{', { origin, authorization })),
      await server.open({ path: '/sse', headers: { ...SSE, origin, authorization } }),
    ];
    expect(replies.map(({ status }) => status)).toEqual([200, 401, 400, 200]);
    for (const reply of replies) {
      expect(reply.header('access-control-allow-origin')).toBe(ORIGIN);
      const exposed = reply.header('access-control-expose-headers') ?? '';
      expect(exposed).toContain('Mcp-Session-Id');
      expect(exposed).toContain('WWW-Authenticate');
    }
  });

  it('W41 V08 of a stranger are told nothing', async () => {
    const server = await wireServer({ allowedOrigins: [ORIGIN] });
    const headers = { ...asked, origin: 'https://evil.test' };
    const reply = await server.fetch({ method: 'OPTIONS', path: '/mcp', headers });
    expect(reply.status).toBe(403);
    expect(reply.header('access-control-allow-origin')).toBeUndefined();
  });

  it('W41 and others that ask for a HEAD get 405 with Allow and no body', async () => {
    const server = await wireServer();
    const reply = await server.fetch({ method: 'HEAD', path: '/mcp' });
    expect([reply.status, reply.text]).toEqual([405, '']);
    expect(reply.header('allow')).toBe('GET, POST, DELETE');
  });
});

describe('the credential', () => {
  it('W42 V12 is asked for on every route and method, before 400, 404, 405, 406 and 415', async () => {
    const server = await wireServer({ identity: staticToken('a-token-of-sixteen') });
    const others: readonly WireRequest[] = [
      postOf('/mcp', '{'),
      postOf('/mcp', [], { 'content-type': 'text/plain' }),
      postOf('/mcp', callNow(1), { 'mcp-session-id': 'unknown' }),
      postOf('/mcp', callNow(1), { accept: 'text/html' }),
      { method: 'PUT', path: '/mcp' },
      { path: '/nowhere' },
      { path: '/sse', headers: { ...SSE, 'last-event-id': 'junk' } },
      postOf('/messages', callNow(1)),
    ];
    for (const request of [...ROUTES, ...others]) {
      for (const authorization of [undefined, 'Bearer wrong-wrong-wrong', 'Basic eDp5']) {
        const reply = await server.fetch(withHeaders(request, { authorization }));
        expect([request.path, reply.status]).toEqual([request.path, 401]);
        expect(reply.header('www-authenticate')).toMatch(/^Bearer realm="/);
        expect(await errorOf(reply)).toMatchObject({ code: -32600 });
      }
    }
    expect(server.endpoint.status.sessions).toBe(0);
  });

  it('V09 is asked for at every spelling of a path, and nothing is served at another', async () => {
    const server = await wireServer({ identity: staticToken('a-token-of-sixteen') });
    for (const authorization of [undefined, 'Bearer a-token-of-sixteen']) {
      for (const method of ['GET', 'POST', 'DELETE', 'PUT']) {
        const ask = async (path: string): Promise<WireReply> =>
          server.fetch({ method, path, headers: { authorization } });
        const nowhere = await ask('/nowhere');
        expect(nowhere.status).toBe(authorization === undefined ? 401 : 404);
        for (const path of otherSpellings('')) {
          expect((await ask(path)).bytes, path.slice(0, 80)).toBe(nowhere.bytes);
        }
      }
    }
  });

  it('W42 is asked for before the body is read', async () => {
    const server = await wireServer({ identity: people() });
    const received = await headOnly(server, ['Host: localhost']);
    expect(statusOf(received)).toBe(401);
    expect(received).toMatch(/www-authenticate: Bearer/i);
  });

  it('W42 that lacks a scope is 403 with the challenge that names it', async () => {
    const server = await wireServer({ identity: people() });
    const headers = { authorization: 'Bearer reader' };
    const reply = await server.fetch(postOf('/mcp', initialize('2025-11-25'), headers));
    expect(reply.status).toBe(403);
    expect(reply.header('www-authenticate')).toContain('error="insufficient_scope"');
  });

  it('W42 is asked for again on every request of a session', async () => {
    const identity = people();
    const server = await wireServer({ identity });
    const session = await Session2025.open(server, { token: 'alice' });
    expect((await session.post(rpc(1, 'ping')).whole()).status).toBe(200);
    identity.expire('alice');
    for (const reply of [session.post(rpc(2, 'ping')), session.listen(), session.end()]) {
      expect((await reply.whole()).status).toBe(401);
    }
  });

  it('V18 in a URL is refused as such, beside a good one too, and not read', async () => {
    const server = await wireServer({ identity: people() });
    for (const headers of [{}, { authorization: 'Bearer alice' }]) {
      const path = '/mcp?access_token=alice';
      const reply = await server.fetch(postOf(path, initialize('2025-11-25'), headers));
      expect(reply.status).toBe(400);
      expect(reply.text).not.toContain('alice');
    }
  });

  it('V17 V18 comes from the Authorization header alone', async () => {
    const server = await wireServer({ identity: people() });
    for (const [path, headers] of [
      ['/mcp?token=alice', {}],
      ['/mcp', { 'x-forwarded-user': 'alice', 'x-user': 'alice', cookie: 'token=alice' }],
      ['/mcp', { 'proxy-authorization': 'Bearer alice' }],
    ] as const) {
      const reply = await server.fetch(postOf(path, initialize('2025-11-25'), headers));
      expect(reply.status).toBe(401);
    }
  });

  it('is not asked for by the health of the process, which says nothing else', async () => {
    const server = await wireServer({ identity: people() });
    await server.endpoint.ready();
    for (const path of ['/healthz', '/readyz']) {
      expect((await server.fetch({ path })).status).toBe(200);
    }
  });
});
