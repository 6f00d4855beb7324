/**
 * What browsers are told. The same list that lets an origin in names it in the reply: never `*`,
 * never credentials, and nothing at all for an origin that is not listed.
 * @see https://fetch.spec.whatwg.org/#http-cors-protocol
 */
import type { HostOriginGuard, HostOriginHead } from './host-origin.ts';

const NONE: readonly string[] = [];
const VARY: readonly string[] = ['Vary', 'Origin'];
const EXPOSED = 'Mcp-Session-Id, WWW-Authenticate, DPoP-Nonce, Tidegate-Resume';
const METHODS = 'GET, POST, DELETE, OPTIONS';
const ALLOWED_HEADERS: string = [
  'authorization',
  'dpop',
  'content-type',
  'accept',
  'mcp-session-id',
  'mcp-protocol-version',
  'last-event-id',
  'mcp-method',
  'mcp-name',
].join(', ');
const PARAM_HEADER = /^mcp-param-[!#$%&'*+.^_`|~0-9a-z-]+$/;
/** No tool mirrors more arguments than this; more would only make the reply grow. */
const PARAM_HEADERS_MAX = 64;
/** Two hours: what browsers cap it to. */
const MAX_AGE_SECONDS = '7200';

/** Headers for every reply, flat. Caches must keep replies to different origins apart. */
export function corsHeaders(head: HostOriginHead, guard: HostOriginGuard): readonly string[] {
  const origin = head.header('origin');
  if (origin === undefined) return guard.hasOrigins ? VARY : NONE;
  if (!guard.allowsOrigin(origin, head.isEncrypted)) return VARY;
  return [
    'Access-Control-Allow-Origin',
    origin,
    'Vary',
    'Origin',
    'Access-Control-Expose-Headers',
    EXPOSED,
  ];
}

/** Headers for a preflight's reply, flat. Tools name their own headers, so those are echoed. */
export function preflightHeaders(head: HostOriginHead, guard: HostOriginGuard): readonly string[] {
  const origin = head.header('origin');
  const isAllowed =
    origin !== undefined &&
    head.headerCount('origin') === 1 &&
    guard.allowsOrigin(origin, head.isEncrypted);
  const vary = ['Vary', 'Origin, Access-Control-Request-Method, Access-Control-Request-Headers'];
  if (!isAllowed) return vary;
  return [
    'Access-Control-Allow-Origin',
    origin,
    ...vary,
    'Access-Control-Allow-Methods',
    METHODS,
    'Access-Control-Allow-Headers',
    ALLOWED_HEADERS + paramHeaders(head.header('access-control-request-headers') ?? ''),
    'Access-Control-Max-Age',
    MAX_AGE_SECONDS,
  ];
}

/** The well-formed `mcp-param-*` names asked for, each after a comma. */
function paramHeaders(requested: string): string {
  const names = requested
    .toLowerCase()
    .split(',')
    .map((name) => name.trim())
    .filter((name) => PARAM_HEADER.test(name));
  return [...new Set(names)]
    .slice(0, PARAM_HEADERS_MAX)
    .map((name) => `, ${name}`)
    .join('');
}
