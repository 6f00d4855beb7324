/**
 * An application as a request listener of `node:http`, to be served by us or mounted in a
 * framework.
 */
import type { IncomingMessage, ServerResponse } from 'node:http';
import type { Socket } from 'node:net';
import type { Application, Telemetry } from '../../core/ports.ts';
import { checkApplication } from './check-application.ts';
import type { ConnectionLimits } from './connection-limits.ts';
import { NodeContext } from './node-context.ts';
import { NodeExchange } from './node-exchange.ts';
import { isRefused, refuseRequest } from './raw-refusal.ts';

export interface NodeHandlerOptions {
  /**
   * Bounds of connections; of them only `headersMax`, `stallMsMax`, `discard…`, `pipelined…` and
   * `unsentTotalBytesMax` are the handler's, and `requestMsMax` for bodies behind other requests;
   * the others the server's.
   */
  readonly limits?: Partial<ConnectionLimits> | undefined;
  /**
   * Addresses of proxies, such as `10.0.0.0/8`, whose `Forwarded` or `X-Forwarded-For` says who the
   * client is. Default: none, and no header is believed.
   */
  readonly trustedProxies?: readonly string[] | undefined;
  /**
   * The one header of `trustedProxies` that is read, for proxies that write it and pass on what a
   * client wrote into the other. Default: both, and where they disagree neither counts.
   */
  readonly forwardedHeader?: 'forwarded' | 'x-forwarded-for' | undefined;
  /** Told of connections that were cut. Default: nobody. */
  readonly telemetry?: Pick<Telemetry, 'log' | 'count'> | undefined;
}

export type NodeHandler = (req: IncomingMessage, res: ServerResponse) => void;

/**
 * Mounts an application in Express, Fastify, Koa or a server of your own.
 *
 * The application sees `req.url`, which Express makes relative to the mount point. A body that a
 * parser has read already is taken from `req.body`, objects by writing them as JSON again; mounting
 * before the parser is faster and keeps the text as it was sent. Timeouts and bounds of connections
 * belong to your server: see the defaults of `ConnectionLimits` for ones that hold. A reply that
 * something else of yours has begun is left to it: what the application says is dropped, and a call
 * whose request is over with it counts as left by its client.
 *
 * To end: `await app.drain(ms)`, then `server.close()` and `server.closeAllConnections()`. The
 * drain comes first because long streams have left `node:http`: the server waits for them but
 * cannot end them.
 * @throws TypeError where there is no application to mount, for an option of the wrong kind, for an
 * entry of `trustedProxies` that is no address and no range, and for a `forwardedHeader` that
 * nobody is trusted with.
 */
export function nodeHandler(app: Application, options: NodeHandlerOptions = {}): NodeHandler {
  checkApplication(app);
  const context = new NodeContext(options);
  return (req, res) => handleRequest(app, context, req, res, false);
}

/** Hands one request of `node:http` to the application. */
export function handleRequest(
  app: Application,
  context: NodeContext,
  req: IncomingMessage,
  res: ServerResponse,
  isContinueDue: boolean,
): void {
  const { socket } = req;
  // A host's middleware may have answered before us, and called us all the same.
  if (isRefused(socket) || res.headersSent) return;
  // What is left out of a head that is cut is seen by no guard.
  if (req.rawHeaders.length > 2 * context.limits.headersMax) return refuseRequest(res, 431);
  // Whose it is, is known before it waits: a connection that is gone tells nothing.
  const exchange = new NodeExchange({ req, res }, context, isContinueDue);
  if (res.socket !== null) return enterLine(app, context, socket, exchange);
  context.pipelineOf(socket).enter(res, () => enterLine(app, context, socket, exchange));
}

function enterLine(
  app: Application,
  context: NodeContext,
  socket: Socket,
  exchange: NodeExchange,
): void {
  context.line.enter(socket, () => {
    // A request behind one whose reply is an endless stream can have no reply.
    if (context.detached.has(socket) || context.occupied.has(socket)) socket.destroy();
    else app.handle(exchange);
  });
}
