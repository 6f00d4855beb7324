/** The listener of what the command serves, and how it is spoken of. */
import { type RunningServer, serve, type TlsOptions } from '../adapters/http/node.ts';
import { isLoopback, isWildcard, urlHost } from '../core/security/listen-host.ts';
import type { Application, HttpExchange, Telemetry } from '../core/ports.ts';
import { listenFailure } from './listen-failure.ts';

export interface ListenerOptions {
  readonly host: string;
  readonly port: number;
  /** Milliseconds a shutdown may take in all. */
  readonly drainMs: number;
  /** Undefined: plain HTTP. */
  readonly tls?: TlsOptions | undefined;
  readonly trustedProxies?: readonly string[] | undefined;
  readonly forwardedHeader?: 'forwarded' | 'x-forwarded-for' | undefined;
  readonly proxyProtocol?: boolean | undefined;
}

export interface ServeFailure {
  readonly kind: 'failed';
  readonly exitCode: 1 | 2;
  /** One line that says what to do. */
  readonly reason: string;
}

/** Where the listener expects its application. It is taken in the same turn the port is. */
export class ApplicationSeat implements Application {
  app: Application | undefined;

  handle(exchange: HttpExchange): void {
    this.app?.handle(exchange);
  }

  async drain(windowMs: number): Promise<void> {
    await this.app?.drain(windowMs);
  }
}

/** Who may come in without a credential was decided before. */
export async function openListener(
  app: Application,
  options: ListenerOptions,
  telemetry: Telemetry,
): Promise<RunningServer | ServeFailure> {
  const { host, port, drainMs, tls, trustedProxies, forwardedHeader, proxyProtocol } = options;
  try {
    return await serve(app, {
      host,
      port,
      drainMs: drainWindow(drainMs),
      tls,
      trustedProxies,
      forwardedHeader,
      proxyProtocol,
      insecure: true,
      telemetry,
      onError: (error) => telemetry.log('error', 'listener_error', { error: error.message }),
    });
  } catch (error) {
    if (!(error instanceof Error)) throw error;
    const { code } = (error.cause ?? {}) as NodeJS.ErrnoException;
    const reason = code === undefined ? error.message : listenFailure(code, host, port);
    return { kind: 'failed', exitCode: 1, reason };
  }
}

/** What calls get of the whole: closing the rest has to fit in as well. */
export function drainWindow(drainMs: number): number {
  return Math.max(drainMs / 2, drainMs - 1500);
}

/** A wildcard is no address to call; this machine's own is. */
export function baseUrl(host: string, port: number, isTls: boolean): string {
  const called = isWildcard(host) ? '127.0.0.1' : urlHost(host);
  return `${isTls ? 'https' : 'http'}://${called}:${port}`;
}

/**
 * Who gives the URL of an endpoint for what stands before it serves it nowhere.
 * @param place - what stands between the two: nothing, or `/<name>`.
 */
export function publicUrlNotes(publicUrl: string | undefined, place: string): readonly string[] {
  const [end] = /\/(?:mcp|sse)$/.exec(publicUrl ?? '') ?? [];
  if (publicUrl === undefined || end === undefined) return [];
  const before = publicUrl.slice(0, -end.length);
  return [
    `The public URL ends in ${end}, so clients call ${publicUrl}${place}/mcp. ` +
      `For ${before}${place}/mcp make it ${before}.`,
  ];
}

/**
 * What an operator should know about the way of others to a listener: they come to it, or to what
 * the public URL names in front of it.
 */
export function exposureNotes(
  host: string,
  publicUrl: string | undefined,
  isTls: boolean,
  said: DoorWords,
): readonly string[] {
  if (isTls) return [];
  if (publicUrl === undefined) {
    const add = `add ${said.tls}, or TLS in front and ${said.publicUrl}`;
    return isLoopback(host) ? [] : [`Others can reach this without TLS: ${add}.`];
  }
  const { protocol, hostname } = new URL(publicUrl);
  if (protocol === 'https:' || (isLoopback(hostname) && isLoopback(host))) return [];
  return [
    `Calls and credentials travel unencrypted. Put TLS in front, and https in ${said.publicUrl}.`,
  ];
}

/** What the two settings are called where the reader can change them. */
export interface DoorWords {
  readonly tls: string;
  readonly publicUrl: string;
}
