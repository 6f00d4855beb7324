/** A reader of HTTP/2 behind a slow link, who takes all the time and answers pings late. */
import { once } from 'node:events';
import { connect } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { serve } from 'tidegate/node';
import { expect, it, onTestFinished } from 'vitest';
import type { Application } from '../../src/core/ports.ts';
import { Authority, Folder } from './certificates.ts';

const BODY = 'x'.repeat(14_000_000);
const BYTES_PER_MS = 4000;

/** @returns the port of a link to another one. */
async function slowLink(port: number): Promise<number> {
  const link = createServer((client) => {
    const server = connectTcp(port, '127.0.0.1');
    client.pipe(server);
    server.on('data', (chunk) => {
      server.pause();
      client.write(chunk);
      setTimeout(() => server.resume(), chunk.length / BYTES_PER_MS);
    });
    for (const [end, other] of [
      [client, server],
      [server, client],
    ] as const) {
      end.on('error', () => {});
      end.on('close', () => other.destroy());
    }
  });
  link.listen(0, '127.0.0.1');
  await once(link, 'listening');
  onTestFinished(() => void link.close());
  return (link.address() as AddressInfo).port;
}

it('is not taken for gone while it takes what was sent before the ping', async () => {
  const authority = await Authority.create();
  const folder = new Folder();
  const app: Application = {
    handle: (exchange) => exchange.respond(200, [], BODY),
    drain: () => Promise.resolve(),
  };
  const tls = { ...folder.pair(await authority.server()), http2: true };
  const server = await serve(app, { port: 0, drainMs: 0, tls, limits: { probeDelayMs: 1000 } });
  onTestFinished(async () => {
    await server.close();
    folder.remove();
  });
  const session = connect(`https://localhost:${await slowLink(server.port)}`, {
    ca: authority.cert,
    settings: { initialWindowSize: 2 ** 30 },
  });
  onTestFinished(() => session.destroy());
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  session.setLocalWindowSize(2 ** 30);
  const stream = session.request({ ':path': '/' });
  let taken = 0;
  stream.on('data', (chunk: Buffer) => {
    taken += chunk.length;
  });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  expect(taken).toBe(BODY.length);
}, 20_000);
