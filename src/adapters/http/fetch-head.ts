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

  constructor(request: Request, remoteAddress: string) {
    const { path, query } = splitUrl(request.url);
    this.method = request.method;
    this.path = path;
    this.query = query;
    this.remoteAddress = remoteAddress;
    this.isEncrypted = request.url.startsWith('https:');
    this.#headers = request.headers;
  }

  header(name: string): string | undefined {
    return this.#headers.get(name) ?? undefined;
  }

  headerCount(name: string): number {
    return this.#headers.has(name) ? 1 : 0;
  }

  headerNames(): readonly string[] {
    return [...this.#headers.keys()];
  }
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
