/** Where an application of the matrix is entered: without TLS, and over it with each certificate. */
import { connect } from 'node:tls';
import { serve } from 'tidegate/node';
import { onTestFinished } from 'vitest';
import type { Application } from '../../src/core/ports.ts';
import { Folder } from '../http/certificates.ts';
import { tunnel } from '../http/tls-hosts.ts';
import { Asker } from './matrix-ask.ts';
import type { Certificates } from './matrix-certificates.ts';
import type { Shown } from './matrix-credentials.ts';

interface Entrance {
  readonly port: number;
  readonly asker: Asker;
}

export class Entry {
  readonly #entrances: ReadonlyMap<Shown, Entrance>;

  private constructor(entrances: ReadonlyMap<Shown, Entrance>) {
    this.#entrances = entrances;
  }

  /** Closed, and the application with it, when the test is over. */
  static async open(app: Application, certificates: Certificates): Promise<Entry> {
    const { authority, server } = certificates;
    const folder = new Folder();
    const clientCa = folder.write('clients.pem', authority.cert);
    const plain = await serve(app, { port: 0, drainMs: 0 });
    const clientCrl = folder.write('crl.pem', certificates.list);
    const tls = { ...folder.pair(server), clientCa, clientCrl };
    const secure = await serve(app, { port: 0, drainMs: 0, tls });
    const entrances = new Map<Shown, Entrance>([
      [undefined, { port: plain.port, asker: new Asker(plain.port) }],
    ]);
    const closing: { close(): Promise<void> }[] = [plain, secure];
    for (const shown of certificates.shown()) {
      const door = await tunnel(() =>
        connect({
          port: secure.port,
          host: '127.0.0.1',
          ca: authority.cert,
          servername: 'localhost',
          ...(typeof shown === 'object' && shown),
        }),
      );
      closing.unshift(door);
      entrances.set(shown, { port: door.port, asker: new Asker(door.port) });
    }
    onTestFinished(async () => {
      for (const { asker } of entrances.values()) asker.close();
      for (const each of closing) await each.close();
      folder.remove();
    });
    return new Entry(entrances);
  }

  portOf(shown: Shown): number {
    return this.#entrance(shown).port;
  }

  askerOf(shown: Shown): Asker {
    return this.#entrance(shown).asker;
  }

  #entrance(shown: Shown): Entrance {
    const found = this.#entrances.get(shown);
    if (found === undefined) throw new Error('No connection shows this certificate.');
    return found;
  }
}
