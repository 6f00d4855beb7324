/** The listener of `serve`: HTTP/1.1, in the clear or over TLS, with every bound there is. */
import { createServer } from 'node:http';
import type { IncomingMessage, Server, ServerOptions, ServerResponse } from 'node:http';
import type { Server as SecureServer } from 'node:https';
import type { Socket } from 'node:net';
import type { Duplex } from 'node:stream';
import type { Application } from '../../core/ports.ts';
import { introduce } from './introduction.ts';
import type { ListenerParts } from './listener-parts.ts';
import type { NodeContext } from './node-context.ts';
import { handleRequest } from './node-handler.ts';
import { isRefused, refuseRaw, refuseRequest, statusOfParserError } from './raw-refusal.ts';
import { createSecureServer } from './secure-server.ts';

export function createListener(parts: ListenerParts): Server | SecureServer {
  const { context, tls, proxyProtocol } = parts;
  const http = httpOptions(context);
  const server = tls === undefined ? createServer(http) : createSecureServer(parts, tls, http);
  // One more than is taken: lines beyond it would be dropped unseen.
  server.maxHeadersCount = context.limits.headersMax + 1;
  server.maxConnections = context.limits.connectionsMax;
  serveHttp1(parts, server);
  if (proxyProtocol || tls !== undefined) introduceAll(parts, server);
  return server;
}

function httpOptions({ limits }: NodeContext): ServerOptions {
  return {
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
  };
}

function serveHttp1({ app, context }: ListenerParts, server: Server | SecureServer): void {
  server.on('request', (req: IncomingMessage, res: ServerResponse) => {
    onRequest(app, context, req, res, false);
  });
  server.on('checkContinue', (req: IncomingMessage, res: ServerResponse) => {
    onRequest(app, context, req, res, true);
  });
  server.on('checkExpectation', (_req: IncomingMessage, res: ServerResponse) => {
    refuseRequest(res, 417);
  });
  server.on('clientError', (error: NodeJS.ErrnoException, socket: Duplex) => {
    onClientError(context, error, socket);
  });
  // No tunnels. Without a listener for `upgrade`, Node serves such requests as if they had not
  // asked.
  server.on('connect', (_req: IncomingMessage, socket: Duplex) => {
    socket.on('error', () => socket.destroy());
    if (pendingOn(socket) === undefined) refuseRaw(socket, 405);
    else socket.destroy();
  });
}

/** The response that is next on a connection; `node:http` keeps it there. */
function pendingOn(socket: Duplex): ServerResponse | undefined {
  return (socket as { _httpMessage?: ServerResponse | null })._httpMessage ?? undefined;
}

/** Puts the first look at a connection before whatever Node does with it. */
function introduceAll(parts: ListenerParts, server: Server | SecureServer): void {
  const { context, proxyProtocol, tls } = parts;
  const [accept] = server.listeners('connection');
  server.removeAllListeners('connection');
  server.on('connection', (socket: Socket) => {
    introduce(socket, {
      isTls: tls !== undefined,
      owesProxyHeader: proxyProtocol && context.peers.isTrusted(socket.remoteAddress ?? ''),
      msMax: context.limits.handshakeMsMax,
      onReady: (source) => {
        if (source !== undefined) context.peers.introduce(socket, source);
        accept?.call(server, socket);
      },
      onRefused: (reason) => context.sight.count('connections_refused_total', { reason }),
    });
  });
}

function onRequest(
  app: Application,
  context: NodeContext,
  req: IncomingMessage,
  res: ServerResponse,
  isContinueDue: boolean,
): void {
  if (req.httpVersionMajor !== 1) return refuseRequest(res, 505);
  const coding = req.headers['transfer-encoding'];
  // RFC 9112 section 6.1: a coding that is not undone would be taken for the body.
  if (coding !== undefined && coding.toLowerCase() !== 'chunked') return refuseRequest(res, 501);
  // RFC 9112 section 3.2: a request of HTTP/1.1 has a Host header.
  if (req.headers.host === undefined && req.httpVersionMinor === 1) {
    return refuseRequest(res, 400, { error: 'HOST_MALFORMED' });
  }
  handleRequest(app, context, req, res, isContinueDue);
}

function onClientError(context: NodeContext, error: NodeJS.ErrnoException, duplex: Duplex): void {
  const socket = duplex as Socket;
  const isLate = error.code === 'ERR_HTTP_REQUEST_TIMEOUT';
  if (isLate && isBodyUnwanted(context, socket)) return;
  const isAnswerable = socket.writable && error.code !== 'ECONNRESET';
  if (!isAnswerable || context.replying.has(socket)) return void socket.destroy();
  const pending = pendingOn(socket);
  // A second reply would be taken for the answer to another request.
  if (pending !== undefined && context.answered.has(pending)) return;
  // So would this one, where the fault is not in the request that awaits its reply.
  if (pending?.req.complete === true) return void socket.destroy();
  // What is wrong with the rest of a refused request changes nothing: its reply ends all.
  if (isRefused(socket)) return;
  // Whoever does not take the refusal is cut.
  socket.setTimeout(context.limits.stallMsMax, () => socket.destroy());
  refuseRaw(socket, statusOfParserError(error.code));
}

/** Whether nobody reads the body of the last request: it waits behind others, or was answered. */
function isBodyUnwanted({ pipelines, answered }: NodeContext, socket: Socket): boolean {
  const pipeline = pipelines.get(socket);
  if (pipeline?.last === undefined) return false;
  return pipeline.isBodyHeld || answered.has(pipeline.last);
}
