/** A reader of HTTP/2 behind a slow link, who takes all the time and answers pings late. */
import { once } from 'node:events';
import { type ClientHttp2Session, type ClientHttp2Stream, connect } from 'node:http2';
import { type AddressInfo, connect as connectTcp, createServer } from 'node:net';
import { type ConnectionLimits, serve } from 'tidegate/node';
import { describe, expect, it, type TestContext } from 'vitest';
import type { Application, HttpExchange, StreamSink } from '../../src/core/ports.ts';
import { Authority, Folder } from './certificates.ts';

const BODY = 'x'.repeat(40_000_000);
const BYTES_PER_MS = 6000;

/** @returns the port of a link to another one. */
async function slowLink({ onTestFinished }: TestContext, port: number): Promise<number> {
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

/** A connection over a slow link whose windows are so wide that all waits in the connection. */
async function slowSession(
  context: TestContext,
  app: Application,
  limits: Partial<ConnectionLimits>,
  initialWindowSize = 2 ** 30,
): Promise<ClientHttp2Session> {
  const authority = await Authority.create();
  const folder = new Folder();
  const tls = { ...folder.pair(await authority.server()), http2: true };
  const server = await serve(app, { port: 0, drainMs: 0, tls, limits });
  context.onTestFinished(async () => {
    await server.close();
    folder.remove();
  });
  const session = connect(`https://localhost:${await slowLink(context, server.port)}`, {
    ca: authority.cert,
    settings: { initialWindowSize },
  });
  context.onTestFinished(() => session.destroy());
  session.on('error', () => {});
  await once(session, 'remoteSettings');
  session.setLocalWindowSize(2 ** 30);
  return session;
}

/** How many bytes of a reply come. */
async function takenOf(stream: ClientHttp2Stream): Promise<number> {
  let taken = 0;
  stream.on('data', (chunk: Buffer) => {
    taken += chunk.length;
  });
  stream.on('error', () => {});
  await new Promise((resolve) => stream.once('close', resolve));
  return taken;
}

function respondBody(exchange: HttpExchange): void {
  exchange.respond(200, [], BODY);
}

describe.concurrent('a reader behind a slow link', () => {
  it('is not taken for gone while it takes what was sent before the ping', async (context) => {
    const app = { handle: respondBody, drain: () => Promise.resolve() };
    const session = await slowSession(context, app, { probeDelayMs: 2000 });
    expect(await takenOf(session.request({ ':path': '/' }))).toBe(BODY.length);
  }, 60_000);

  it('is not cut as one that takes nothing while it takes a large reply', async (context) => {
    const app = { handle: respondBody, drain: () => Promise.resolve() };
    const session = await slowSession(context, app, { stallMsMax: 2000 }, 2 ** 25);
    expect(await takenOf(session.request({ ':path': '/' }))).toBe(BODY.length);
    expect(session.destroyed).toBe(false);
  }, 60_000);

  it('loses nothing else when one of its streams is cut behind a large reply', async (context) => {
    const sinks: StreamSink[] = [];
    const app: Application = {
      handle: (exchange) => {
        if (exchange.head.path === '/') respondBody(exchange);
        else sinks.push(exchange.openStream(200, [], 'first', true));
      },
      drain: () => Promise.resolve(),
    };
    const session = await slowSession(context, app, { stallMsMax: 2000 });
    const [cut, kept] = [
      session.request({ ':path': '/cut' }),
      session.request({ ':path': '/kept' }),
    ];
    cut.on('error', () => {}).resume();
    await once(
      kept.on('error', () => {}),
      'data',
    );
    const large = session.request({ ':path': '/' });
    await once(large, 'response');
    sinks[0]?.destroy();
    expect(await takenOf(large)).toBe(BODY.length);
    sinks[1]?.end('last');
    expect(await takenOf(kept)).toBe('last'.length);
  }, 60_000);

  it('is seen to take one large frame of an event stream', async (context) => {
    const sinks: StreamSink[] = [];
    const session = await slowSession(context, streams(sinks), {});
    const stream = session.request({ ':path': '/' });
    const taken = takenOf(stream);
    await once(stream, 'data');
    const [sink] = sinks;
    sink?.write(BODY);
    const seen = new Set<number>();
    stream.on('data', () => void seen.add(sink?.queuedBytes() ?? NaN));
    sink?.end('last');
    expect(await taken).toBe('first'.length + BODY.length + 'last'.length);
    const all = [...seen];
    expect(all.length).toBeGreaterThan(20);
    expect(all).toEqual(all.toSorted((a, b) => b - a));
  }, 60_000);

  it('is seen to take what comes before an event behind a large reply', async (context) => {
    const sinks: StreamSink[] = [];
    const session = await slowSession(context, streams(sinks), {});
    const stream = session.request({ ':path': '/kept' });
    const taken = takenOf(stream);
    await once(stream, 'data');
    const large = session.request({ ':path': '/large' });
    await once(large, 'response');
    const [sink] = sinks;
    sink?.write('second');
    const seen = new Set<number>();
    large.on('data', () => {
      if (sink?.queuedBytes() === 'second'.length) seen.add(sink.takenBytes?.() ?? NaN);
    });
    expect(await takenOf(large)).toBe(BODY.length);
    sink?.end('');
    expect(await taken).toBe('firstsecond'.length);
    const all = [...seen];
    expect(all.length).toBeGreaterThan(3);
    expect(all).toEqual(all.toSorted((a, b) => a - b));
  }, 60_000);
});

/** Answers `/large` with a large reply, and all else with an event stream. */
function streams(sinks: StreamSink[]): Application {
  return {
    handle: (exchange) => {
      if (exchange.head.path === '/large') respondBody(exchange);
      else sinks.push(exchange.openStream(200, [], 'first', true));
    },
    drain: () => Promise.resolve(),
  };
}
