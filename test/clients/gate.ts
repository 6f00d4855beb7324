/**
 * An endpoint on a real port, behind a wire that can be cut; gone when the test, or the suite, is
 * over.
 */
import { createEndpoint, type Endpoint, type EndpointOptions } from 'tidegate';
import { serve } from 'tidegate/node';
import { Relay } from './relay.ts';
import { SERVERS, type ServerName } from './servers.ts';

export interface Gate {
  readonly endpoint: Endpoint;
  readonly relay: Relay;
  /** The URL of Streamable HTTP, through the relay. */
  readonly mcp: URL;
  /** The URL of HTTP with SSE, through the relay. */
  readonly sse: URL;
  /** The same URLs past the relay. */
  readonly direct: { readonly mcp: URL; readonly sse: URL };
  close(): Promise<void>;
}

/** Clients come back soon, so that a test of it is short. */
const LIMITS = { retryMs: 100 };

export async function gateTo(
  server: ServerName,
  options: Partial<EndpointOptions> = {},
): Promise<Gate> {
  return gateOf({ upstream: SERVERS[server](), ...options });
}

export async function gateOf(options: EndpointOptions): Promise<Gate> {
  const endpoint = createEndpoint({ ...options, limits: { ...LIMITS, ...options.limits } });
  const running = await serve(endpoint, { port: 0, drainMs: 100 });
  const relay = await Relay.to(running.port);
  const url = `http://127.0.0.1:${relay.port}`;
  await endpoint.ready();
  return {
    endpoint,
    relay,
    mcp: new URL('/mcp', url),
    sse: new URL('/sse', url),
    direct: { mcp: new URL('/mcp', running.url), sse: new URL('/sse', running.url) },
    async close() {
      await relay.close();
      await running.close();
    },
  };
}
