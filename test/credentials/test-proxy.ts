/** A proxy on this machine that takes every name for one server of the test. */
import { once } from 'node:events';
import { createServer, request, type IncomingMessage, type Server } from 'node:http';
import { connect, type AddressInfo, type Socket } from 'node:net';
import { onTestFinished } from 'vitest';

export class TestProxy {
  /** Every request to it: its first line, and who asked. */
  readonly asked: { readonly line: string; readonly credential: string | undefined }[] = [];
  /** Refuses with this status; 0 to serve. */
  refuses = 0;
  readonly #server: Server;
  readonly #port: number;
  readonly #sockets = new Set<Socket>();

  /** @param port - where the one server is. */
  constructor(port: number) {
    this.#port = port;
    this.#server = createServer((asked, response) => {
      this.#note(asked);
      if (this.refuses > 0) {
        response.writeHead(this.refuses).end();
        return;
      }
      const { pathname } = new URL(asked.url ?? '');
      const { method, headers } = asked;
      const onward = request({ port: this.#port, path: pathname, method, headers }, (reply) => {
        response.writeHead(reply.statusCode ?? 0, reply.headers);
        reply.pipe(response);
      });
      asked.pipe(onward);
    });
    this.#server.on('connect', (asked, socket: Socket) => {
      this.#note(asked);
      this.#keep(socket);
      if (this.refuses > 0) {
        socket.end(`HTTP/1.1 ${this.refuses} No\r\n\r\n`);
        return;
      }
      const onward = connect(this.#port, '127.0.0.1', () => {
        socket.write('HTTP/1.1 200 Connected\r\n\r\n');
        socket.pipe(onward).pipe(socket);
      });
      this.#keep(onward);
    });
  }

  static async start(port: number): Promise<TestProxy> {
    const proxy = new TestProxy(port);
    proxy.#server.listen(0, '127.0.0.1');
    await once(proxy.#server, 'listening');
    onTestFinished(() => proxy.stop());
    return proxy;
  }

  url(user = ''): string {
    return `http://${user}127.0.0.1:${(this.#server.address() as AddressInfo).port}`;
  }

  async stop(): Promise<void> {
    for (const socket of this.#sockets) socket.destroy();
    this.#server.closeAllConnections();
    this.#server.close();
    await once(this.#server, 'close');
  }

  #note({ method, url, headers }: IncomingMessage): void {
    this.asked.push({ line: `${method} ${url}`, credential: headers['proxy-authorization'] });
  }

  #keep(socket: Socket): void {
    this.#sockets.add(socket);
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }
}
