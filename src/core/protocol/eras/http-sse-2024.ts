/**
 * HTTP with SSE, revision 2024-11-05: a GET stream that begins with an `endpoint` event, and POSTs
 * to it.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */

/** How the `endpoint` event names the POST URL. */
export type EndpointForm = 'relative' | 'root' | 'absolute';

/**
 * The URI reference of the `endpoint` event, resolved by the client against the URL it opened.
 * @param path - the path of the GET as this server sees it, e.g. `/sse`, `/sse/` or `/name/sse`.
 * @param publicUrl - scheme, host and path prefix clients reach us by; needed for `absolute`, and
 * for `root` where a proxy adds a prefix that this server does not see.
 */
export function endpointReference(
  form: EndpointForm,
  path: string,
  publicUrl: string | undefined,
  sessionId: string,
): string {
  const target = `messages?sessionId=${sessionId}`;
  const base = publicUrl?.replace(/\/+$/, '');
  if (form === 'absolute' && base !== undefined) return `${base}/${target}`;
  if (form === 'root') return `${base === undefined ? prefixOf(path) : pathOf(base)}/${target}`;
  return path.endsWith('/') ? `../${target}` : target;
}

/**
 * The first bytes of a 2024 stream: nothing precedes the `endpoint` event, so the id to resume from
 * and the time to wait before reconnecting travel inside it.
 */
export function endpointPreamble(id: string, retryMs: number, reference: string): string {
  return `event: endpoint\nid: ${id}\nretry: ${retryMs}\ndata: ${reference}\n\n`;
}

/**
 * The value of `sessionId` in a query. Ids are made of unreserved characters, so nothing is
 * decoded.
 */
export function sessionIdOf(query: string): string | undefined {
  for (const pair of query.split('&')) {
    if (pair.startsWith('sessionId=')) return pair.slice('sessionId='.length);
  }
  return undefined;
}

/** What stands before `/sse`. */
function prefixOf(path: string): string {
  return path.replace(/\/sse\/?$/, '');
}

function pathOf(url: string): string {
  const authority = url.indexOf('//');
  const slash = url.indexOf('/', authority < 0 ? 0 : authority + 2);
  return slash < 0 ? '' : url.slice(slash);
}
