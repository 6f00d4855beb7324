import { describe, expect, it } from 'vitest';
import type { AuditTrail } from '../../src/core/access.ts';
import { initialize, postOf } from '../wire/conversation.ts';
import { otherSpellings } from '../wire/other-spellings.ts';
import type { WireRequest } from '../wire/wire-reply.ts';
import { BEARER, childOf, configOf, eventually, gatewayHost } from './gateway-host.ts';

const INITIALIZE = initialize('2025-11-25');

/** Ways to ask at a path, each without and with a credential. */
function requestsAt(path: string, headers: Readonly<Record<string, string>>): WireRequest[] {
  return [
    { path, headers },
    { path, headers: { ...headers, accept: 'text/event-stream' } },
    { method: 'DELETE', path, headers },
    { method: 'OPTIONS', path, headers },
    { method: 'OPTIONS', path, headers: { ...headers, origin: 'http://localhost:1' } },
    { method: 'PATCH', path, headers },
    { path, headers: { ...headers, host: 'evil.example' } },
    { path, headers: { ...headers, origin: 'http://evil.example' } },
    postOf(path, INITIALIZE, headers),
    postOf(path, INITIALIZE, { ...headers, 'mcp-session-id': 'x'.repeat(22) }),
  ];
}

async function twinHost(): ReturnType<typeof gatewayHost> {
  return gatewayHost(configOf({ alpha: childOf(), beta: childOf() }));
}

describe('who else is served', () => {
  it('V03 V16 is told to nobody without a credential, nor to a page or under a name of others', async () => {
    const host = await twinHost();
    for (const rest of ['/mcp', '/sse', '/messages', '/healthz', '/readyz', '', '/', '/x/y']) {
      const known = requestsAt(`/alpha${rest}`, {});
      const unknown = requestsAt(`/gamma${rest}`, {});
      for (const [index, request] of known.entries()) {
        const one = await host.send(request).whole();
        const other = await host.send(unknown[index] as WireRequest).whole();
        expect(one.bytes).toBe(other.bytes);
        expect(one.status).toBe({ 3: 204, 4: 204, 6: 403, 7: 403 }[index] ?? 401);
      }
    }
  });

  it('is answered with a credential like a path that does not exist', async () => {
    const host = await twinHost();
    for (const path of [
      '/gamma/mcp',
      '/gamma/sse',
      '/gamma',
      '/',
      '/constructor/mcp',
      '/all/mcp',
    ]) {
      const unknown = requestsAt(path, BEARER);
      for (const [index, request] of requestsAt('/alpha/nowhere', BEARER).entries()) {
        const one = await host.send(request).whole();
        const other = await host.send(unknown[index] as WireRequest).whole();
        expect(other.bytes).toBe(one.bytes);
      }
      expect((await host.send({ path, headers: BEARER }).whole()).status).toBe(404);
    }
  });

  it('V09 is chosen by the first segment as it is written, and by no other spelling of it', async () => {
    const asked: unknown[] = [];
    const audit: AuditTrail = {
      fault: () => undefined,
      record: (entry) => void asked.push('server' in entry ? entry.server : undefined),
    };
    const host = await gatewayHost(configOf({ alpha: childOf() }), { audit });
    const spellings = [
      '/%61lpha/mcp',
      '/ALPHA/mcp',
      '//alpha/mcp',
      '/./alpha/mcp',
      '/x/../alpha/mcp',
      '/alpha%2fmcp',
      '/alpha;x/mcp',
      '/alpha#/mcp',
      '/x?/alpha/mcp',
    ];
    for (const path of ['/alpha/mcp', ...spellings]) {
      expect((await host.send({ path }).whole()).status).toBe(401);
    }
    expect(asked).toEqual(['alpha', ...spellings.map(() => 'gateway')]);
  });

  it('V09 is told by no other spelling of a path, to whoever may come in or not', async () => {
    const host = await twinHost();
    for (const headers of [{}, BEARER]) {
      const nowhere = requestsAt('/gamma/mcp', headers);
      const replies = await Promise.all(nowhere.map((each) => host.send(each).whole()));
      for (const path of [...otherSpellings('/alpha'), ...otherSpellings('/ALPHA')]) {
        for (const [index, request] of requestsAt(path, headers).entries()) {
          const reply = await host.send(request).whole();
          expect(reply.bytes, `${index} ${path.slice(0, 80)}`).toBe(replies[index]?.bytes);
        }
      }
    }
  });

  it('is not told by health, which is at the root alone and counts', async () => {
    const host = await gatewayHost(
      configOf({ alpha: childOf(), 'hidden-name': childOf({ FAILS: '1' }) }),
    );
    expect((await host.send({ path: '/healthz' }).whole()).status).toBe(200);
    await eventually(() => {
      const [alpha, hidden] = host.gateway.status.servers;
      return alpha?.upstream === 'up' && hidden?.upstream === 'down';
    }, 'one server up and one down');
    const ready = await host.send({ path: '/readyz' }).whole();
    expect(ready.status).toBe(503);
    expect(JSON.parse(ready.text)).toEqual({
      status: 'not ready',
      reason: 'of 2 required servers 1 cannot be started, or do not answer',
    });
    expect((await host.send({ path: '/alpha/readyz', headers: BEARER }).whole()).status).toBe(404);
  });
});

describe('a gateway that others can reach', () => {
  it('is not opened without a credential', async () => {
    const listen = { ...configOf({}).listen, host: '0.0.0.0' };
    const open = configOf({}, { listen, auth: { kind: 'none', insecure: false } });
    await expect(gatewayHost(open)).rejects.toThrow('No credential is asked');
  });

  it('keeps its door when a reload would open it', async () => {
    const listen = { ...configOf({}).listen, publicUrl: 'https://mcp.example.com' };
    const host = await gatewayHost(configOf({ alpha: childOf() }, { listen }));
    const open = configOf({}, { listen, auth: { kind: 'none', insecure: false } });
    expect(host.gateway.reload(open)).toMatchObject({ kind: 'refused' });
    expect((await host.send(postOf('/alpha/mcp', INITIALIZE)).whole()).status).toBe(401);
    expect((await host.send(postOf('/alpha/mcp', INITIALIZE, BEARER)).whole()).status).toBe(200);
  });
});
