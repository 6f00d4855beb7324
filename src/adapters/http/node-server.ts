/** Serves an application on a port of its own, with every bound a public listener needs. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerResponse } from 'node:http';
import { Server as NetServer } from 'node:net';
import type { AddressInfo, Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import { ERRORS, errorResponse } from '../../core/errors.ts';
import type { Application, OpenDoor } from '../../core/ports.ts';
import { isLoopback } from '../../core/security/listen-host.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { NodeContext } from './node-context.ts';
import { handleRequest } from './node-handler.ts';
import { refuseRaw, statusOfParserError } from './raw-refusal.ts';

export interface ServeOptions {
  /** Where to listen. Default `127.0.0.1`. */
  readonly host?: string | undefined;
  /** 0 picks a free port. Default 8808. */
  readonly port?: number | undefined;
  /** Bounds of connections; what is absent has the default of `ConnectionLimits`. */
  readonly limits?: Partial<ConnectionLimits> | undefined;
  /** Milliseconds `close` gives the application to drain. Default 20,000. */
  readonly drainMs?: number | undefined;
  /**
   * Serves an application that asks for no credential on a host other machines can reach. Default
   * false: `serve` rejects.
   */
  readonly insecure?: boolean | undefined;
  /** Told of errors of the listener itself, such as no descriptors left for a connection. */
  readonly onError?: ((error: Error) => void) | undefined;
}

export interface RunningServer {
  readonly url: string;
  readonly host: string;
  readonly port: number;
  /**
   * Stops accepting, drains the application, ends what is left; resolves when every connection is
   * closed. Idempotent.
   */
  close(): Promise<void>;
}

/** Milliseconds that replies written at the end of the drain have to leave. */
const FLUSH_MS = 500;

/**
 * Listens and serves. Installs no signal handlers: call `close` from yours.
 * @throws Error when the address cannot be listened on, saying which and why; when anybody could
 * call from another machine without a credential.
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  const { host = '127.0.0.1', port = 8808, drainMs = 20_000 } = options;
  const isOpen = (app as Partial<OpenDoor>).isOpen === true;
  if (isOpen && options.insecure !== true && !isLoopback(host)) {
    throw new Error(
      `${host} is reachable by others: give the endpoint an identity, or insecure: true`,
    );
  }
  const context = new NodeContext(options.limits);
  const server = createHttpServer(app, context);
  await listen(server, host, port);
  server.on('error', (error) => options.onError?.(error));
  const bound = (server.address() as AddressInfo).port;
  let closing: Promise<void> | undefined;
  return {
    url: `http://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    host,
    port: bound,
    close: () => (closing ??= close(app, server, context, drainMs)),
  };
}

function createHttpServer(app: Application, context: NodeContext): Server {
  const { limits } = context;
  const server = createServer({
    headersTimeout: limits.headMsMax,
    requestTimeout: limits.requestMsMax,
    connectionsCheckingInterval: limits.checkMs,
    keepAliveTimeout: limits.keepAliveMs,
    maxHeaderSize: limits.headBytesMax,
    noDelay: true,
    keepAlive: true,
    keepAliveInitialDelay: limits.probeDelayMs,
    insecureHTTPParser: false,
    // Checked below, to be refused in JSON.
    requireHostHeader: false,
  });
  server.maxHeadersCount = limits.headersMax;
  server.maxConnections = limits.connectionsMax;
  server.on('request', (req, res) => onRequest(app, context, req, res, false));
  server.on('checkContinue', (req, res) => onRequest(app, context, req, res, true));
  server.on('clientError', (error: NodeJS.ErrnoException, socket) => {
    onClientError(context, error, socket);
  });
  // No tunnels. Without a listener for `upgrade`, Node serves such requests as if they had not
  // asked.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    refuseRaw(socket, 405);
  });
  return server;
}

function onRequest(
  app: Application,
  context: NodeContext,
  req: IncomingMessage,
  res: ServerResponse,
  isContinueDue: boolean,
): void {
  // RFC 9112 section 3.2: a request of HTTP/1.1 has a Host header.
  if (req.headers.host === undefined && req.httpVersionMinor === 1) return refuseHostless(res);
  handleRequest(app, context, req, res, isContinueDue);
}

function refuseHostless(res: ServerResponse): void {
  const body = errorResponse({ error: 'HOST_MALFORMED' });
  const length = String(Buffer.byteLength(body));
  res.writeHead(ERRORS.HOST_MALFORMED.httpStatus, [
    'Content-Type',
    'application/json',
    'Content-Length',
    length,
    'Connection',
    'close',
  ]);
  res.end(body);
}

function onClientError(context: NodeContext, error: NodeJS.ErrnoException, duplex: Duplex): void {
  const socket = duplex as Socket;
  const isAnswerable = socket.writable && error.code !== 'ECONNRESET';
  if (!isAnswerable || context.replying.has(socket)) return void socket.destroy();
  // Whoever does not take the refusal is cut.
  socket.setTimeout(context.limits.stallMsMax, () => socket.destroy());
  refuseRaw(socket, statusOfParserError(error.code));
}

async function listen(server: Server, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const reason = LISTEN_REASONS.get(cause.code ?? '') ?? cause.message;
      reject(new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause }));
    };
    server.once('error', onError);
    server.listen({ host, port, backlog: 4096 }, () => {
      server.removeListener('error', onError);
      resolve();
    });
  });
}

const LISTEN_REASONS: ReadonlyMap<string, string> = new Map([
  ['EADDRINUSE', 'the port is in use; choose another, or 0 for any free one.'],
  ['EACCES', 'the port needs rights this process does not have; choose one above 1023.'],
  ['EADDRNOTAVAIL', 'no interface of this machine has that address.'],
  ['ENOTFOUND', 'the host name cannot be resolved.'],
  ['EAI_AGAIN', 'the host name cannot be resolved.'],
]);

async function close(
  app: Application,
  server: Server,
  context: NodeContext,
  drainMs: number,
): Promise<void> {
  context.isClosing = true;
  // The `close` of `node:http` would cut idle connections now, before the application has drained.
  const closed = new Promise<void>((resolve) => {
    NetServer.prototype.close.call(server, () => resolve());
  });
  await Promise.race([app.drain(drainMs), after(drainMs + FLUSH_MS)]);
  for (const socket of context.detached) socket.destroySoon();
  // Also stops the timer that looks for slow requests; that the listener is closed already is no
  // error here.
  server.close(() => {});
  server.closeIdleConnections();
  await Promise.race([closed, after(FLUSH_MS)]);
  server.closeAllConnections();
  for (const socket of context.detached) socket.destroy();
  await closed;
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });
}
