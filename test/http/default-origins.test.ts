/** Which pages may call when nobody said: those of this machine, by the scheme of the connection. */
import { request as plainRequest } from 'node:http';
import { connect as connectH2 } from 'node:http2';
import { request as secureRequest } from 'node:https';
import { createEndpoint } from 'tidegate';
import { fetchHandler } from 'tidegate/fetch';
import { createGateway, type GatewayConfig } from 'tidegate/gateway';
import { type RunningServer, serve, type ServeOptions } from 'tidegate/node';
import { describe, expect, it, onTestFinished } from 'vitest';
import type { Application } from '../../src/core/ports.ts';
import { childOf, configOf } from '../gateway/gateway-host.ts';
import { HandUpstream } from '../wire/hand-upstream.ts';
import { Folder } from './certificates.ts';
import { testAuthority } from './tls-hosts.ts';

const PAGES = ['http://localhost:3000', 'https://localhost:3000', 'https://127.0.0.1'];

interface Served {
  readonly server: RunningServer;
  readonly ca: string;
}

async function over(scheme: 'http' | 'https', app: Application, http2 = false): Promise<Served> {
  const folder = new Folder();
  const authority = await testAuthority();
  const options: ServeOptions = { port: 0, drainMs: 0 };
  const tls = { ...folder.pair(await authority.server()), http2 };
  const server = await serve(app, scheme === 'https' ? { ...options, tls } : options);
  onTestFinished(async () => {
    await server.close();
    folder.remove();
  });
  return { server, ca: authority.cert };
}

/** Of each page, whether it is let in and named in the reply. */
async function letIn({ server, ca }: Served, path = '/nothing'): Promise<readonly boolean[]> {
  const request = server.url.startsWith('https') ? secureRequest : plainRequest;
  return Promise.all(
    PAGES.map(
      (origin) =>
        new Promise<boolean>((resolve, reject) => {
          const options = { ca, agent: false, headers: { origin } };
          const sent = request(`${server.url}${path}`, options, (reply) => {
            reply.resume();
            const isNamed = reply.headers['access-control-allow-origin'] === origin;
            if (isNamed === (reply.statusCode === 403)) reject(new Error('Named and refused.'));
            else resolve(isNamed);
          });
          sent.on('error', reject);
          sent.end();
        }),
    ),
  );
}

function endpoint(more: Partial<Parameters<typeof createEndpoint>[0]> = {}): Application {
  return createEndpoint({ upstream: new HandUpstream(), ...more });
}

describe('pages that may call when nobody said which', () => {
  it('are those of this machine with the scheme of the connection', async () => {
    expect(await letIn(await over('http', endpoint()))).toEqual([true, false, false]);
    expect(await letIn(await over('https', endpoint()))).toEqual([false, true, true]);
  });

  it('are those of the public URL where there is one, and those that are listed', async () => {
    const publicUrl = 'http://localhost:3000';
    expect(await letIn(await over('https', endpoint({ publicUrl })))).toEqual([true, false, false]);
    const listed = endpoint({ allowedOrigins: ['http://localhost:*'] });
    expect(await letIn(await over('https', listed))).toEqual([true, false, false]);
  });

  it('are the same over HTTP/2', async () => {
    const { server, ca } = await over('https', endpoint(), true);
    const session = connectH2(server.url, { ca });
    onTestFinished(() => session.destroy());
    const statuses = PAGES.map(
      (origin) =>
        new Promise<boolean>((resolve, reject) => {
          const stream = session.request({ ':path': '/nothing', origin });
          stream.on('response', (headers) => resolve(headers[':status'] !== 403));
          stream.on('error', reject);
          stream.resume();
        }),
    );
    expect(await Promise.all(statuses)).toEqual([false, true, true]);
  });

  it('are the same before a Web handler, by the URL of the request', async () => {
    const handle = fetchHandler(createEndpoint({ upstream: new HandUpstream() }));
    const statuses = async (scheme: string): Promise<readonly boolean[]> =>
      Promise.all(
        PAGES.map(async (origin) => {
          const headers = { host: 'localhost', origin };
          const reply = await handle(new Request(`${scheme}://localhost/nothing`, { headers }));
          return reply.status !== 403;
        }),
      );
    expect(await statuses('http')).toEqual([true, false, false]);
    expect(await statuses('https')).toEqual([false, true, true]);
  });

  it('are the same at every server of a gateway, and where none is', async () => {
    const config: GatewayConfig = configOf({ one: childOf() }, { all: { servers: undefined } });
    for (const [scheme, expected] of [
      ['http', [true, false, false]],
      ['https', [false, true, true]],
    ] as const) {
      const served = await over(scheme, createGateway(config));
      for (const path of ['/one/nothing', '/all/nothing', '/none']) {
        expect(await letIn(served, path), `${scheme} ${path}`).toEqual(expected);
      }
    }
  });
});
