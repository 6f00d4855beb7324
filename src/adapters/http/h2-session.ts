/**
 * Connections of HTTP/2, with bounds of their own: one connection carries many requests, so what a
 * request may cost is not enough to know.
 */
import { constants, performServerHandshake } from 'node:http2';
import type { IncomingHttpHeaders, ServerHttp2Session, ServerHttp2Stream } from 'node:http2';
import type { Socket } from 'node:net';
import type { ConnectionLimits } from './connection-limits.ts';
import { H2Backlog } from './h2-backlog.ts';
import { H2Exchange } from './h2-exchange.ts';
import { cutWhenStalledH2, endRequest, isReplied } from './h2-stream.ts';
import { endSession, H2Watch } from './h2-watch.ts';
import type { ListenerParts } from './listener-parts.ts';
import { MinuteBudget } from './minute-budget.ts';

/** Serves a connection that agreed on HTTP/2. */
export function openH2Session({ app, context }: ListenerParts, socket: Socket): void {
  const { limits, sight } = context;
  const session = performServerHandshake(socket, sessionOptions(limits));
  const cut = (reason: 'resets' | 'pings' | 'unread'): void => {
    if (session.destroyed) return;
    context.cuts.set(socket, reason === 'unread' ? 'unread' : 'flooding');
    sight.count('h2_connections_cut_total', { reason });
    // A peer that works against us is told why, and nothing that it opened is waited for. Without
    // an error Node would tell it that there was none.
    session.destroy(new Error(reason), constants.NGHTTP2_ENHANCE_YOUR_CALM);
  };
  const resets = new MinuteBudget(limits.resetsPerMinuteMax, () => cut('resets'));
  const pings = new MinuteBudget(limits.pingsPerMinuteMax, () => cut('pings'));
  const idle = new IdleTimer(session, socket, limits);
  session.close = (): void => leave(session, idle);
  const watch = new H2Watch(session, socket, limits.probeDelayMs);
  const backlog = new H2Backlog(socket, limits, context.unsent, () => {
    cut('unread');
    // It does not take what waits before the goodbye either.
    socket.destroy();
  });

  context.sessions.set(session, socket);
  session.on('close', () => {
    idle.stop();
    watch.stop();
    backlog.stop();
    context.sessions.delete(session);
  });
  session.on('error', ignore);
  session.on('ping', () => pings.take());
  session.on('remoteSettings', () => pings.take());
  session.on(
    'stream',
    (stream: ServerHttp2Stream, headers: IncomingHttpHeaders, _flags: number, raw: string[]) => {
      stream.on('error', ignore);
      idle.opened();
      stream.once('close', () => {
        idle.closed();
        backlog.release(stream);
        if (!isReplied(stream)) resets.take();
      });
      if (stream.destroyed) return;
      if (headers[':method'] === 'CONNECT') return refuseTunnel(stream, socket, limits);
      const exchange = new H2Exchange({ stream, headers, raw, socket, backlog }, context);
      context.line.enter(socket, () => backlog.enter(stream, () => app.handle(exchange)));
    },
  );
}

/**
 * In place of Node's own way to close, when its peer says goodbye or we do. That refuses each
 * further request in the middle of its frame, which frees memory that nghttp2 still reads. Here
 * what comes before our goodbye has left is served, and the session ends when nothing is open.
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-6.8
 */
function leave(session: ServerHttp2Session, idle: IdleTimer): void {
  if (session.destroyed || idle.isLeaving) return;
  session.goaway();
  idle.leave();
}

function sessionOptions(limits: ConnectionLimits): Parameters<typeof performServerHandshake>[1] {
  return {
    maxSessionInvalidFrames: 100,
    maxSessionRejectedStreams: 100,
    maxHeaderListPairs: limits.headersMax,
    maxSettings: 32,
    maxOutstandingPings: 16,
    settings: {
      maxConcurrentStreams: limits.requestsPerConnectionMax,
      maxHeaderListSize: limits.headBytesMax,
      enablePush: false,
    },
  };
}

/** A connection without a request: the first is waited for as a head is, later ones longer. */
class IdleTimer {
  readonly #session: ServerHttp2Session;
  readonly #socket: Socket;
  readonly #limits: ConnectionLimits;
  #timer: NodeJS.Timeout;
  #open = 0;
  /** Whether it ends as soon as nothing is open. */
  isLeaving = false;

  constructor(session: ServerHttp2Session, socket: Socket, limits: ConnectionLimits) {
    this.#session = session;
    this.#socket = socket;
    this.#limits = limits;
    this.#timer = this.#arm(limits.headMsMax);
  }

  opened(): void {
    this.#open += 1;
    clearTimeout(this.#timer);
  }

  closed(): void {
    this.#open -= 1;
    if (this.#open === 0 && !this.#session.destroyed) {
      clearTimeout(this.#timer);
      this.#timer = this.#arm(this.isLeaving ? 0 : this.#limits.keepAliveMs);
    }
  }

  leave(): void {
    this.isLeaving = true;
    if (this.#open > 0) return;
    clearTimeout(this.#timer);
    this.#timer = this.#arm(0);
  }

  stop(): void {
    clearTimeout(this.#timer);
  }

  #arm(delayMs: number): NodeJS.Timeout {
    return setTimeout(() => {
      // With a goodbye, for which a peer that takes none is not waited for.
      this.#session.destroy();
      const end = (): void => endSession(this.#session, this.#socket);
      this.#timer = setTimeout(end, this.#limits.stallMsMax);
    }, delayMs);
  }
}

function refuseTunnel(
  stream: ServerHttp2Stream,
  socket: Socket,
  { stallMsMax }: ConnectionLimits,
): void {
  stream.respond({ ':status': 405, allow: 'GET, POST, DELETE, OPTIONS' });
  stream.end();
  endRequest(stream);
  cutWhenStalledH2(stream, socket, stallMsMax);
}

function ignore(): void {
  // The end is told by `close`.
}
