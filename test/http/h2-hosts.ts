/** `serve` over HTTP/2 behind a small proxy, so that clients which speak HTTP/1.1 meet it, too. */
import { createServer, type IncomingMessage, type ServerResponse } from 'node:http';
import { connect, constants, type ClientHttp2Session } from 'node:http2';
import type { Socket } from 'node:net';
import { serve, type ServeOptions } from 'tidegate/node';
import type { Application } from '../../src/core/ports.ts';
import { Folder } from './certificates.ts';
import type { Host } from './hosts.ts';
import { listen, testAuthority } from './tls-hosts.ts';

const OF_CONNECTIONS = new Set([
  'connection',
  'keep-alive',
  'transfer-encoding',
  'upgrade',
  'host',
]);

export async function h2Host(app: Application, options: ServeOptions): Promise<Host> {
  const folder = new Folder();
  const ca = await testAuthority();
  const tls = { ...folder.pair(await ca.server()), http2: true };
  const server = await serve(app, { ...options, tls });
  const sessions = new Map<Socket, ClientHttp2Session>();
  const sessionOf = (socket: Socket): ClientHttp2Session => {
    const known = sessions.get(socket);
    if (known !== undefined) return known;
    const session = connect(`https://localhost:${server.port}`, { ca: ca.cert });
    session.on('error', () => socket.destroy());
    sessions.set(socket, session);
    socket.on('close', () => {
      sessions.delete(socket);
      session.destroy();
    });
    return session;
  };
  const proxy = createServer({ requireHostHeader: false }, (req, res) => {
    forward(sessionOf(req.socket), req, res);
  });
  const port = await listen(proxy);
  return {
    port,
    close: async () => {
      await server.close();
      await new Promise<void>((resolve) => {
        proxy.close(() => resolve());
        proxy.closeAllConnections();
      });
      folder.remove();
    },
  };
}

function forward(session: ClientHttp2Session, req: IncomingMessage, res: ServerResponse): void {
  const headers: Record<string, string | string[] | undefined> = Object.create(null) as never;
  for (const [name, value] of Object.entries(req.headers)) {
    if (!OF_CONNECTIONS.has(name)) headers[name] = value;
  }
  headers[':method'] = req.method;
  headers[':path'] = req.url;
  headers[':authority'] = req.headers.host ?? 'localhost';
  const hasBody =
    req.headers['transfer-encoding'] !== undefined ||
    Number(req.headers['content-length'] ?? 0) > 0;
  const stream = session.request(headers, { endStream: !hasBody });
  if (hasBody) req.pipe(stream);
  stream.on('error', () => {});
  stream.on('response', ({ ':status': status, ...fields }) => {
    res.writeHead(status ?? 500, fields as Record<string, string | string[]>);
    res.flushHeaders();
    stream.pipe(res);
  });
  stream.on('close', () => {
    if (stream.rstCode !== 0) res.destroy();
  });
  res.on('error', () => {});
  res.on('close', () => stream.close(constants.NGHTTP2_CANCEL));
}
