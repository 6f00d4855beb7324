/** Hosts behind TLS, entered through a door on this machine that clients of plain text use. */
import { createServer, type Server, type Socket } from 'node:net';
import { connect as connectTls } from 'node:tls';
import { serve, type ServeOptions } from 'tidegate/node';
import type { Application } from '../../src/core/ports.ts';
import { Authority, Folder } from './certificates.ts';
import type { Host } from './hosts.ts';

let authority: Promise<Authority> | undefined;

/** One authority for all tests of a file: making keys takes a while. */
export async function testAuthority(): Promise<Authority> {
  return (authority ??= Authority.create());
}

/** `serve` over TLS behind a tunnel: what clients send arrives byte for byte. */
export async function tlsHost(app: Application, options: ServeOptions): Promise<Host> {
  const folder = new Folder();
  const ca = await testAuthority();
  const server = await serve(app, { ...options, tls: folder.pair(await ca.server()) });
  const door = await tunnel(() =>
    connectTls({
      port: server.port,
      host: '127.0.0.1',
      ca: ca.cert,
      servername: 'localhost',
      ALPNProtocols: ['http/1.1'],
    }),
  );
  return {
    port: door.port,
    close: async () => {
      await server.close();
      await door.close();
      folder.remove();
    },
  };
}

/** Accepts connections and joins each with one that `open` makes. */
export async function tunnel(open: () => Socket): Promise<Host> {
  const sockets = new Set<Socket>();
  const door = createServer({ allowHalfOpen: true }, (near) => {
    const far = open();
    for (const [one, other] of [
      [near, far],
      [far, near],
    ] as const) {
      sockets.add(one);
      one.on('error', () => other.destroy());
      one.on('close', () => {
        sockets.delete(one);
        other.destroySoon();
      });
      one.pipe(other);
    }
  });
  const port = await listen(door);
  return {
    port,
    close: async () => {
      await new Promise<void>((resolve) => {
        door.close(() => resolve());
        for (const socket of sockets) socket.destroy();
      });
    },
  };
}

export async function listen(server: Server): Promise<number> {
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', () => resolve());
  });
  return (server.address() as { port: number }).port;
}
