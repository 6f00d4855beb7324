import { describe, expect, it } from 'vitest';
import { initialize, postOf } from '../wire/conversation.ts';
import { BEARER, childOf, configOf, gatewayHost, GatewaySession } from './gateway-host.ts';

describe('servers behind one listener', () => {
  it('are each reached by their name, and answer as themselves', async () => {
    const host = await gatewayHost(
      configOf({ alpha: childOf({ GREETING: 'one' }), beta: childOf({ GREETING: 'two' }) }),
    );
    const alpha = await GatewaySession.open(host, 'alpha');
    const beta = await GatewaySession.open(host, 'beta');
    expect(await alpha.said('now')).toMatch(/^one \d+$/);
    expect(await beta.said('now')).toMatch(/^two \d+$/);
  });

  it('know only their own sessions', async () => {
    const host = await gatewayHost(configOf({ alpha: childOf(), beta: childOf() }));
    const opened = await host.send(postOf('/alpha/mcp', initialize('2025-11-25'), BEARER)).whole();
    const stolen = { ...BEARER, 'mcp-session-id': opened.header('mcp-session-id') };
    const list = { jsonrpc: '2.0', id: 2, method: 'tools/list' };
    expect((await host.send(postOf('/beta/mcp', list, stolen)).whole()).status).toBe(404);
    expect((await host.send(postOf('/alpha/mcp', list, stolen)).whole()).status).toBe(200);
  });
});
