/**
 * The first bytes of a connection, before HTTP or TLS sees them: the header of the PROXY protocol
 * where one is due, and whether a client speaks TLS to a listener that does.
 */
import type { Socket } from 'node:net';
import { STATUS_CODES } from 'node:http';
import { errorResponse } from '../../core/errors.ts';
import { readProxyHeader } from './proxy-header.ts';

export interface IntroductionRules {
  readonly isTls: boolean;
  /** Whether a peer must begin with the header of the PROXY protocol. */
  readonly owesProxyHeader: boolean;
  /** Milliseconds the first bytes may take. */
  readonly msMax: number;
  /** Told once, with nothing read that is not given back. */
  readonly onReady: (source: string | undefined) => void;
  /** Told instead when the connection was refused, with why. */
  readonly onRefused: (reason: 'proxy-header' | 'plain-http' | 'not-tls' | 'silent') => void;
}

/** First byte of every TLS connection. @see https://www.rfc-editor.org/rfc/rfc8446#section-5.1 */
const HANDSHAKE_RECORD = 0x16;

export function introduce(socket: Socket, rules: IntroductionRules): void {
  let bytes: Buffer | undefined;
  let source: string | undefined;
  let { owesProxyHeader } = rules;

  const over = (): void => {
    clearTimeout(timer);
    socket.removeListener('data', onData);
    socket.removeListener('end', leave);
    socket.removeListener('close', over);
  };
  const leave = (): void => void socket.destroy();
  const refuse = (reason: Parameters<IntroductionRules['onRefused']>[0]): void => {
    over();
    rules.onRefused(reason);
    if (reason === 'plain-http') refusePlainHttp(socket, rules.msMax);
    else socket.destroy();
  };
  const onData = (chunk: Buffer): void => {
    bytes = bytes === undefined ? chunk : Buffer.concat([bytes, chunk]);
    if (owesProxyHeader) {
      const header = readProxyHeader(bytes);
      if (header.kind === 'partial') return;
      if (header.kind === 'malformed') return refuse('proxy-header');
      owesProxyHeader = false;
      source = header.source;
      bytes = bytes.subarray(header.bytes);
    }
    const [first] = bytes;
    if (rules.isTls && first === undefined) return;
    if (rules.isTls && first !== HANDSHAKE_RECORD) return refuse(plainReason(bytes));
    over();
    socket.removeListener('error', ignore);
    // The next reader gets all bytes from the first on, in its own time.
    socket.pause();
    if (first !== undefined) socket.unshift(bytes);
    rules.onReady(source);
    if (!rules.isTls) socket.resume();
  };

  const timer = setTimeout(() => refuse('silent'), rules.msMax);
  socket.on('error', ignore);
  socket.on('end', leave);
  socket.on('close', over);
  socket.on('data', onData);
}

function plainReason(bytes: Buffer): 'plain-http' | 'not-tls' {
  return /^[A-Z]+(?: |$)/.test(bytes.subarray(0, 16).toString('latin1')) ? 'plain-http' : 'not-tls';
}

/** Nothing of the request is read: it may hold a credential, which then is on the wire in clear. */
function refusePlainHttp(socket: Socket, msMax: number): void {
  const body = errorResponse({
    error: 'INVALID_REQUEST',
    detail: 'This port speaks TLS; use https.',
  });
  socket.setTimeout(msMax, () => socket.destroy());
  socket.on('end', () => socket.destroy());
  socket.resume();
  socket.end(
    `HTTP/1.1 400 ${STATUS_CODES[400]}\r\nContent-Type: application/json\r\n` +
      `Content-Length: ${Buffer.byteLength(body)}\r\nConnection: close\r\n\r\n${body}`,
    () => socket.destroySoon(),
  );
}

function ignore(): void {
  // The end of the connection is told by `close`.
}
