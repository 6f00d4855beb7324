/** A request's head over a Web `Request`. */
import type { RequestHead } from '../../core/ports.ts';

/**
 * A Web `Headers` joins lines of one name with commas and forgets how many there were:
 * `headerCount` is 1 for a header that is there, and checks for repeated lines are the host's.
 */
export class FetchHead implements RequestHead {
  readonly method: string;
  readonly path: string;
  readonly query: string;
  readonly remoteAddress: string;
  readonly isEncrypted: boolean;
  readonly #headers: Headers;
  readonly #url: string;

  constructor(request: Request, remoteAddress: string) {
    this.#url = request.url;
    const { path, query } = splitUrl(request.url);
    this.method = request.method;
    this.path = path;
    this.query = query;
    this.remoteAddress = remoteAddress;
    this.isEncrypted = request.url.startsWith('https:');
    this.#headers = request.headers;
  }

  header(name: string): string | undefined {
    return this.#headers.get(name) ?? (name === 'host' ? hostOf(this.#url) : undefined);
  }

  headerCount(name: string): number {
    return name === 'host' || this.#headers.has(name) ? 1 : 0;
  }

  headerNames(): readonly string[] {
    return [...this.#headers.keys()];
  }
}

/**
 * HTTP/2 says the host in `:authority`, which runtimes show in the URL alone, and a request that
 * a program made has only its URL. @see https://www.rfc-editor.org/rfc/rfc9113#section-8.3.1
 */
function hostOf(url: string): string {
  return new URL(url).host;
}

/** A request's URL is absolute and normalised by the runtime; only its parts are wanted. */
function splitUrl(url: string): { readonly path: string; readonly query: string } {
  const fragment = url.indexOf('#');
  const whole = fragment === -1 ? url : url.slice(0, fragment);
  const start = whole.indexOf('/', whole.indexOf('://') + 3);
  const target = start === -1 ? '/' : whole.slice(start);
  const mark = target.indexOf('?');
  if (mark === -1) return { path: target, query: '' };
  return { path: target.slice(0, mark), query: target.slice(mark + 1) };
}
