/** A request's head over a stream of HTTP/2, in the terms of HTTP/1.1. */
import type { IncomingHttpHeaders } from 'node:http2';
import type { Socket } from 'node:net';
import type { RequestHead } from '../../core/ports.ts';
import type { VerifiedCertificate } from '../../core/verified-certificate.ts';
import { isListHeader } from './list-headers.ts';
import type { NodeContext } from './node-context.ts';

export class H2Head implements RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly connection: object;
  /** HTTP/2 in the clear is not spoken. */
  readonly isEncrypted = true;
  readonly clientCertificate: string | undefined;
  readonly verifiedCertificate: VerifiedCertificate | undefined;
  /** Flat: name, value, name, value; names in lower case, without pseudo-headers. */
  readonly #lines: readonly string[];

  /** @param raw - the lines as they came, pseudo-headers included. */
  constructor(
    headers: IncomingHttpHeaders,
    raw: readonly string[],
    socket: Socket,
    { peers }: NodeContext,
  ) {
    const target = headers[':path'] ?? '/';
    const mark = target.indexOf('?');
    this.method = headers[':method'] ?? 'GET';
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? '' : target.slice(mark + 1);
    this.#lines = linesOf(raw, headers[':authority']);
    this.connection = socket;
    this.remoteAddress = peers.addressOf(socket, (name) => this.#joined(name));
    const certificate = peers.certificateOf(socket);
    this.clientCertificate = certificate?.thumbprint;
    this.verifiedCertificate = certificate?.verified;
  }

  header(name: string): string | undefined {
    if (isListHeader(name)) return this.#joined(name);
    const at = this.#lines.findIndex((line, i) => i % 2 === 0 && line === name);
    return at === -1 ? undefined : this.#lines[at + 1];
  }

  headerCount(name: string): number {
    return this.headerNames().filter((each) => each === name).length;
  }

  headerNames(): readonly string[] {
    return this.#lines.filter((_, i) => i % 2 === 0);
  }

  #joined(name: string): string | undefined {
    const found = this.#lines.filter((_, i) => i % 2 === 1 && this.#lines[i - 1] === name);
    return found.length === 0 ? undefined : found.join(',');
  }
}

/**
 * The authority is what Host is in HTTP/1.1. A Host beside it that says the same is left out; one
 * that says something else stays, and makes two.
 * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
 */
function linesOf(raw: readonly string[], authority: string | undefined): readonly string[] {
  const lines: string[] = authority === undefined ? [] : ['host', authority];
  for (let i = 0; i < raw.length; i += 2) {
    const [name, value] = [raw[i] ?? '', raw[i + 1] ?? ''];
    if (name.startsWith(':') || (name === 'host' && value === authority)) continue;
    lines.push(name, value);
  }
  return lines;
}
