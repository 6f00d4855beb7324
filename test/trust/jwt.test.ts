import { describe, expect, it } from 'vitest';
import { childOf, configOf, gatewayHost, type GatewayHost } from '../gateway/gateway-host.ts';
import type { GatewayConfig, JwtAuthConfig } from 'tidegate/gateway';
import { initialize, postOf } from '../wire/conversation.ts';
import type { WireReply } from '../wire/wire-reply.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';

const LISTEN = {
  host: '127.0.0.1',
  port: 0,
  publicUrl: PUBLIC_URL,
  allowedOrigins: undefined,
  drainMs: 500,
};

function trusting(
  issuer: Issuer,
  auth: Partial<JwtAuthConfig> = {},
  more: Partial<GatewayConfig> = {},
): GatewayConfig {
  return configOf(
    { files: childOf(), other: childOf() },
    {
      listen: LISTEN,
      auth: { kind: 'jwt', issuer: issuer.url, allowedHosts: ['127.0.0.1'], ...auth },
      ...more,
    },
  );
}

function open(host: GatewayHost, token: string, path = '/files/mcp'): Promise<WireReply> {
  const headers = { authorization: `Bearer ${token}` };
  return host.send(postOf(path, initialize('2025-11-25'), headers)).whole();
}

describe('access tokens that are JWTs', () => {
  it('let in whoever has one of the issuer for this very server', async () => {
    const issuer = await Issuer.start();
    const host = await gatewayHost(trusting(issuer));
    const reply = await open(host, await issuer.token());
    expect(reply.status, reply.bytes).toBe(200);
    expect(issuer.asked).toEqual({ metadata: 1, keys: 1 });
  });
});
