/** TLS below HTTP: handshakes, and which version of HTTP a client agreed on in them. */
import type { ServerOptions } from 'node:http';
import { createServer, type Server } from 'node:https';
import type { TLSSocket } from 'node:tls';
import { openH2Session } from './h2-session.ts';
import type { ListenerParts, Tls } from './listener-parts.ts';

/**
 * No callback is given to TLS, for server names or anything else: one that throws takes the process
 * with it.
 */
export function createSecureServer(
  parts: ListenerParts,
  { options, files }: Tls,
  http: ServerOptions,
): Server {
  const { context } = parts;
  const server = createServer({
    ...http,
    ...files.context,
    handshakeTimeout: context.limits.handshakeMsMax,
    requestCert: options.clientCa !== undefined,
    rejectUnauthorized: options.clientCa !== undefined && options.clientCertificates === 'required',
    ALPNProtocols: options.http2 === true ? ['h2', 'http/1.1'] : ['http/1.1'],
  });
  // Node would hand a broken handshake to whoever answers broken requests of HTTP.
  server.removeAllListeners('tlsClientError');
  server.on('tlsClientError', (error: NodeJS.ErrnoException, socket: TLSSocket) => {
    context.sight.count('tls_handshakes_failed_total', { reason: reasonOf(error.code) });
    socket.destroy();
  });
  const [serveHttp1] = server.listeners('secureConnection');
  server.removeAllListeners('secureConnection');
  server.on('secureConnection', (socket: TLSSocket) => {
    if (!context.certified.add(socket)) context.peers.disbelieve(socket);
    if (socket.alpnProtocol === 'h2') openH2Session(parts, socket);
    else serveHttp1?.call(server, socket);
  });
  return server;
}

/** Few words, whatever peers do: they label a counter. */
function reasonOf(code: string | undefined): string {
  if (code === 'ERR_TLS_HANDSHAKE_TIMEOUT') return 'timeout';
  if (code === 'ECONNRESET' || code === 'EPIPE') return 'left';
  if (code === 'ERR_SSL_TLSV1_ALERT_UNKNOWN_CA') return 'not-trusted-by-client';
  if (code === 'ERR_SSL_UNSUPPORTED_PROTOCOL') return 'old-version';
  if (code === 'ERR_SSL_NO_SHARED_CIPHER') return 'no-shared-cipher';
  if (code === 'ERR_SSL_PEER_DID_NOT_RETURN_A_CERTIFICATE') return 'no-certificate';
  if (code?.startsWith('ERR_SSL_CERTIFICATE') === true) return 'certificate';
  return 'other';
}
