/** An introspection endpoint (RFC 7662) that says of each token what the test says. */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { onTestFinished } from 'vitest';

interface Asked {
  readonly token: string;
  readonly authorization: string | undefined;
}

/** Gone when the test is over. */
export class Introspection {
  readonly asked: Asked[] = [];
  says: (token: string) => object | undefined = () => ({ active: false });
  /** Answers once this resolves. */
  gate: Promise<void> | undefined;
  url = '';

  static async start(): Promise<Introspection> {
    const endpoint = new Introspection();
    const server = createServer((request, response) => {
      let body = '';
      request.on('data', (chunk: Buffer) => {
        body += chunk.toString();
      });
      request.on('end', () => {
        const token = new URLSearchParams(body).get('token') ?? '';
        endpoint.asked.push({ token, authorization: request.headers.authorization });
        void endpoint.answer(token).then((said) => {
          if (said === undefined) response.writeHead(500).end();
          else response.setHeader('content-type', 'application/json').end(JSON.stringify(said));
        });
      });
    });
    await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
    endpoint.url = `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
    onTestFinished(() => {
      server.closeAllConnections();
      server.close();
    });
    return endpoint;
  }

  async answer(token: string): Promise<object | undefined> {
    await this.gate;
    return this.says(token);
  }
}
