/** Serves an application on a port of its own, with every bound a public listener needs. */
import type { Server } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import { type AddressInfo, Server as NetServer } from 'node:net';
import type { Application, OpenDoor, Telemetry } from '../../core/ports.ts';
import { heedPromise } from '../../core/heed-promise.ts';
import {
  checkOptions,
  flag,
  milliseconds,
  type OptionKinds,
  wholeNumber,
  word,
  work,
} from '../../core/option-kinds.ts';
import { isLoopback } from '../../core/security/listen-host.ts';
import { checkApplication } from './check-application.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { createListener } from './create-server.ts';
import { endSession } from './h2-watch.ts';
import type { Tls } from './listener-parts.ts';
import { NodeContext } from './node-context.ts';
import { readTlsFiles, tlsFaultLine, type TlsFiles } from './tls-files.ts';
import { TLS_KIND, type TlsOptions } from './tls-options.ts';
import { TlsWatch } from './tls-watch.ts';

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
  /**
   * Speaks TLS, with files that are read again when they are replaced; connections stay. Default:
   * plain HTTP.
   */
  readonly tls?: TlsOptions | undefined;
  /**
   * Addresses of proxies, such as `10.0.0.0/8`, that say who the client is: with `Forwarded` or
   * `X-Forwarded-For`, or with the PROXY protocol. Default: none, and nobody is believed.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /**
   * The one header of `trustedProxies` that is read, for proxies that write it and pass on what a
   * client wrote into the other. Default: both, and where they disagree neither counts.
   */
  readonly forwardedHeader?: 'forwarded' | 'x-forwarded-for' | undefined;
  /**
   * Whether connections of `trustedProxies` begin with the header of the PROXY protocol, version 1
   * or 2. Those that do not are closed. Default false.
   */
  readonly proxyProtocol?: boolean | undefined;
  /**
   * Told of handshakes that failed, of connections that were cut and of files that changed.
   * Default: nobody.
   */
  readonly telemetry?: Pick<Telemetry, 'log' | 'count'> | undefined;
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

const PORT_MAX = 65_535;

const KINDS: OptionKinds = {
  host: word,
  port: wholeNumber(0, PORT_MAX),
  drainMs: milliseconds,
  insecure: flag,
  tls: TLS_KIND,
  proxyProtocol: flag,
  onError: work,
};

/** Milliseconds that replies written at the end of the drain have to leave. */
const FLUSH_MS = 500;

/**
 * Listens and serves. Installs no signal handlers: call `close` from yours.
 * @throws Error when the address cannot be listened on, saying which and why; when anybody could
 * call from another machine without a credential; when a file of `tls` cannot be used, saying which
 * and why in one line.
 * @throws TypeError where there is no application to serve, for an option of the wrong kind, for an
 * entry of `trustedProxies` that is no address and no range, and for a `forwardedHeader` that
 * nobody is trusted with.
 */
export async function serve(app: Application, options: ServeOptions = {}): Promise<RunningServer> {
  checkApplication(app);
  checkOptions(options, KINDS);
  const { host = '127.0.0.1', port = 8808, drainMs = 20_000 } = options;
  const isOpen = (app as Partial<OpenDoor>).isOpen === true;
  if (isOpen && options.insecure !== true && !isLoopback(host)) {
    throw new Error(
      `${host} is reachable by others: give the endpoint an identity, or insecure: true`,
    );
  }
  const { trustedProxies, proxyProtocol = false } = options;
  if (proxyProtocol && (trustedProxies ?? []).length === 0) {
    throw new TypeError('proxyProtocol needs trustedProxies: nobody else is believed');
  }
  const context = new NodeContext(options);
  const tls = options.tls && { options: options.tls, files: filesOf(options.tls) };
  if (tls !== undefined) context.certified.trust(tls.files);
  const server = createListener({ app, context, proxyProtocol, tls });
  await listen(server, host, port);
  server.on('error', (error) => tellError(options.onError, error, context.sight));
  const watch = tls && watchFiles(server as SecureServer, tls, context);
  const bound = (server.address() as AddressInfo).port;
  let closing: Promise<void> | undefined;
  return {
    url: `${tls ? 'https' : 'http'}://${host.includes(':') ? `[${host}]` : host}:${bound}`,
    host,
    port: bound,
    close: () => {
      watch?.close();
      return (closing ??= close(app, server, context, drainMs));
    },
  };
}

/** Whoever is told must not end what is served. */
function tellError(
  onError: ServeOptions['onError'],
  error: Error,
  sight: Pick<Telemetry, 'log'>,
): void {
  const failed = (cause: unknown): void => {
    const kind = cause instanceof Error ? cause.name : undefined;
    sight.log('error', 'on_error_failed', { kind });
  };
  try {
    const left: unknown = onError?.(error);
    if (left !== undefined) heedPromise(left, failed);
  } catch (cause) {
    failed(cause);
  }
}

function filesOf(options: TlsOptions): TlsFiles {
  const read = readTlsFiles(options);
  if (read.kind === 'files') return read.files;
  throw new Error(tlsFaultLine(read.fault, options));
}

/**
 * New handshakes get the new files, and no ticket of before. What is open stays as it is, unless it
 * came in by an authority that is trusted no more, or by a certificate that is revoked.
 */
function watchFiles(
  server: SecureServer,
  { options, files }: Tls,
  { certified, sight }: NodeContext,
): TlsWatch {
  return new TlsWatch(options, files, {
    onFiles: (read) => {
      server.setSecureContext(read.context);
      const ended = certified.trust(read);
      const notAfter = new Date(read.notAfterMs).toISOString();
      const revoked = read.revoked?.size;
      sight.log('info', 'tls_files_read', { cert: options.cert, notAfter, revoked, ended });
    },
    onListEnded: (untilMs) => {
      const until = new Date(untilMs).toISOString();
      sight.log('error', 'tls_crl_expired', { crl: options.clientCrl, until });
    },
    onFault: (reason) => sight.log('error', 'tls_files_refused', { reason }),
  });
}

async function listen(server: NetServer, host: string, port: number): Promise<void> {
  await new Promise<void>((resolve, reject) => {
    const onError = (cause: NodeJS.ErrnoException): void => {
      const reason = LISTEN_REASONS.get(cause.code ?? '') ?? cause.message;
      const error = new Error(`Cannot listen on ${host}:${port}: ${reason}`, { cause });
      reject(Object.assign(error, { code: cause.code }));
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
  server: Server | SecureServer,
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
  for (const session of context.sessions.keys()) session.close();
  // Also stops the timer that looks for slow requests; that the listener is closed already is no
  // error here.
  server.close(() => {});
  server.closeIdleConnections();
  await Promise.race([closed, after(FLUSH_MS)]);
  server.closeAllConnections();
  for (const socket of context.detached) socket.destroy();
  for (const [session, socket] of context.sessions) endSession(session, socket);
  await closed;
}

function after(delayMs: number): Promise<void> {
  return new Promise((resolve) => {
    setTimeout(resolve, delayMs).unref();
  });
}
