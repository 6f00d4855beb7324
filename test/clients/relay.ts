/** A wire between a client and the gate that a test can cut: the network, when it fails. */
import { connect, createServer } from 'node:net';
import type { AddressInfo, Server, Socket } from 'node:net';

export class Relay {
  readonly port: number;
  /** Heads of the requests that were sent through it, in order. */
  readonly heads: readonly string[];
  readonly #server: Server;
  readonly #pairs: Set<readonly [Socket, Socket]>;

  private constructor(
    server: Server,
    pairs: Set<readonly [Socket, Socket]>,
    heads: readonly string[],
  ) {
    this.#server = server;
    this.#pairs = pairs;
    this.heads = heads;
    this.port = (server.address() as AddressInfo).port;
  }

  static async to(port: number): Promise<Relay> {
    const pairs = new Set<readonly [Socket, Socket]>();
    const seen: string[] = [];
    const server = createServer((near) => {
      const far = connect({ port, host: '127.0.0.1' });
      const pair = [near, far] as const;
      pairs.add(pair);
      near.on('data', (chunk: Buffer) => seen.push(...headsIn(chunk.toString('latin1'))));
      for (const socket of pair) {
        socket.on('error', () => {});
        socket.on('close', () => {
          pairs.delete(pair);
          near.destroy();
          far.destroy();
        });
      }
      near.pipe(far);
      far.pipe(near);
    });
    await new Promise<void>((resolve) => {
      server.listen(0, '127.0.0.1', () => resolve());
    });
    return new Relay(server, pairs, seen);
  }

  /** Every connection breaks, without a goodbye to either side. */
  cut(): number {
    const cut = this.#pairs.size;
    for (const [near, far] of this.#pairs) {
      near.resetAndDestroy();
      far.resetAndDestroy();
    }
    return cut;
  }

  async close(): Promise<void> {
    this.cut();
    await new Promise<void>((resolve) => {
      this.#server.close(() => resolve());
    });
  }
}

/** Clients send a head in one piece; a body that looks like one is none. */
function headsIn(text: string): string[] {
  return /^(GET|POST|DELETE|OPTIONS) /.test(text) ? [text.slice(0, text.indexOf('\r\n\r\n'))] : [];
}
