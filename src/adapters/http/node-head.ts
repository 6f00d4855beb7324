/** A request's head over `IncomingMessage`, without copies. */
import type { IncomingMessage } from 'node:http';
import type { RequestHead } from '../../core/ports.ts';
import type { VerifiedCertificate } from '../../core/verified-certificate.ts';
import { isListHeader } from './list-headers.ts';
import type { NodeContext } from './node-context.ts';
import { lineOf } from './peers.ts';

export class NodeHead implements RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly connection: object;
  readonly clientCertificate: string | undefined;
  readonly verifiedCertificate: VerifiedCertificate | undefined;
  readonly #headers: IncomingMessage['headers'];
  readonly #rawHeaders: readonly string[];

  constructor(req: IncomingMessage, { peers }: NodeContext) {
    const target = originForm(req.url ?? '/');
    const mark = target.indexOf('?');
    this.method = req.method ?? 'GET';
    this.path = mark === -1 ? target : target.slice(0, mark);
    this.query = mark === -1 ? '' : target.slice(mark + 1);
    this.connection = req.socket;
    this.remoteAddress = peers.addressOf(req.socket, lineOf(req.headers));
    const certificate = peers.certificateOf(req.socket);
    this.clientCertificate = certificate?.thumbprint;
    this.verifiedCertificate = certificate?.verified;
    this.#headers = req.headers;
    this.#rawHeaders = req.rawHeaders;
  }

  get isEncrypted(): boolean {
    return 'encrypted' in this.connection;
  }

  header(name: string): string | undefined {
    // Anything but a string is either absent, inherited from Object.prototype, or a list of lines.
    const value: unknown = this.#headers[name];
    if (typeof value === 'string' && (!value.includes(',') || isListHeader(name))) return value;
    if (value === undefined) return name === 'host' ? this.#authority : undefined;
    // Node joins several lines of most headers with commas, or keeps the last of none: ask the
    // lines.
    return this.#firstLine(name);
  }

  headerCount(name: string): number {
    let count = 0;
    for (let i = 0; i < this.#rawHeaders.length; i += 2) {
      if (isNamed(this.#rawHeaders[i] ?? '', name)) count += 1;
    }
    if (count === 0 && name === 'host' && this.#authority !== undefined) return 1;
    return count;
  }

  headerNames(): readonly string[] {
    const names: string[] = [];
    for (let i = 0; i < this.#rawHeaders.length; i += 2) {
      names.push((this.#rawHeaders[i] ?? '').toLowerCase());
    }
    return names;
  }

  /**
   * What HTTP/2 says in place of Host, where the handler is mounted on a server of `node:http2`.
   * @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
   */
  get #authority(): string | undefined {
    const found = this.#headers[':authority'];
    return typeof found === 'string' ? found : undefined;
  }

  #firstLine(name: string): string | undefined {
    for (let i = 0; i < this.#rawHeaders.length; i += 2) {
      if (isNamed(this.#rawHeaders[i] ?? '', name)) return this.#rawHeaders[i + 1];
    }
    return undefined;
  }
}

function isNamed(raw: string, name: string): boolean {
  return raw.length === name.length && (raw === name || raw.toLowerCase() === name);
}

/**
 * The path and query of a request target. Proxies may send the absolute form, whose authority is
 * not believed: the Host header is what is checked.
 * @see https://www.rfc-editor.org/rfc/rfc9112#section-3.2.2
 */
export function originForm(target: string): string {
  if (target.startsWith('/')) return target;
  const scheme = target.indexOf('://');
  if (scheme === -1) return target;
  const start = target.slice(scheme + 3).search(/[/?]/);
  if (start === -1) return '/';
  const rest = target.slice(scheme + 3 + start);
  return rest.startsWith('/') ? rest : `/${rest}`;
}
