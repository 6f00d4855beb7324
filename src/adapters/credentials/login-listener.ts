/**
 * Where the browser comes back to after a login: a port of this machine that serves one page, for
 * one login, for a bounded time.
 * @see https://www.rfc-editor.org/rfc/rfc8252#section-7.3
 */
import { timingSafeEqual } from 'node:crypto';
import { once } from 'node:events';
import { createServer, type Server, type ServerResponse } from 'node:http';
import type { AddressInfo } from 'node:net';
import { CredentialError } from './credential-error.ts';

const PATH = '/callback';
const CONNECTIONS_MAX = 16;

export class LoginListener {
  readonly #server: Server;
  readonly #state: string;
  #resolve: (params: URLSearchParams) => void = () => {};
  readonly #answered: Promise<URLSearchParams>;

  private constructor(state: string) {
    this.#state = state;
    this.#answered = new Promise((resolve) => {
      this.#resolve = resolve;
    });
    this.#server = createServer((request, response) => {
      // As text: of what is no URL a parser of URLs makes an error, and any page can ask for it.
      const [, path, query] = /^([^?]*)\??(.*)$/s.exec(request.url ?? '') ?? [];
      const params = new URLSearchParams(query);
      const isBack = request.method === 'GET' && path === PATH;
      if (!isBack) this.#show(response, 404, 'Nothing is here.');
      else if (!isSame(params.get('state') ?? '', this.#state)) {
        // Not of this login: it goes on waiting for its own.
        this.#show(response, 400, 'This is not the login that was asked for.');
      } else {
        const isGranted = params.has('code');
        this.#show(
          response,
          200,
          isGranted ? 'You can close this page.' : 'The login was refused.',
        );
        this.#resolve(params);
      }
    });
    this.#server.maxConnections = CONNECTIONS_MAX;
    this.#server.requestTimeout = 5000;
  }

  /** @param state - what its own login must come back with. */
  static async open(state: string): Promise<LoginListener> {
    const listener = new LoginListener(state);
    listener.#server.listen(0, '127.0.0.1');
    await once(listener.#server, 'listening');
    listener.#server.unref();
    return listener;
  }

  get redirectUri(): string {
    return `http://127.0.0.1:${(this.#server.address() as AddressInfo).port}${PATH}`;
  }

  /** What the browser brought; nothing of it is checked but the state. */
  async answer(msMax: number, signal: AbortSignal): Promise<URLSearchParams> {
    let timer: NodeJS.Timeout | undefined;
    const late = new Promise<never>((_resolve, reject) => {
      timer = setTimeout(() => reject(new CredentialError('Nobody signed in in time.')), msMax);
      signal.addEventListener('abort', () =>
        reject(new CredentialError('The login was given up.')),
      );
    });
    try {
      return await Promise.race([this.#answered, late]);
    } finally {
      clearTimeout(timer);
    }
  }

  close(): void {
    this.#server.close();
    this.#server.closeIdleConnections();
  }

  #show(response: ServerResponse, status: number, text: string): void {
    response.writeHead(status, {
      'content-type': 'text/html; charset=utf-8',
      'content-security-policy': "default-src 'none'; style-src 'unsafe-inline'",
      'cache-control': 'no-store',
      'referrer-policy': 'no-referrer',
      connection: 'close',
    });
    response.end(
      `<!doctype html><html lang="en"><meta charset="utf-8"><title>Tidegate</title>` +
        `<body style="font:1.1em system-ui;margin:4em auto;max-width:30em">` +
        `<h1>Tidegate</h1><p>${text}</p></body></html>`,
    );
  }
}

function isSame(given: string, expected: string): boolean {
  const [a, b] = [Buffer.from(given), Buffer.from(expected)];
  return a.length === b.length && timingSafeEqual(a, b);
}
