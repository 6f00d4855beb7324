/**
 * What is told of a server that asks for tokens of others: where its metadata is, what it says, and
 * which audiences name the server. All of it comes from the public URL of the config; no header of
 * a request is believed.
 * @see https://www.rfc-editor.org/rfc/rfc9728
 */
import type { AuthorizationFacts } from '../resource-door.ts';

/** Where a host that is one resource describes it. */
export const METADATA_PATH = '/.well-known/oauth-protected-resource';

/** Where clients of either kind of transport connect, behind the server's public URL. */
const ENTRANCES: readonly string[] = ['/mcp', '/sse'];

/**
 * What a token may name as its audience: the server, or an entrance of it.
 * @param publicUrl - without a slash at the end.
 * @see https://www.rfc-editor.org/rfc/rfc8707#section-2
 */
export function audiencesOf(publicUrl: string): readonly string[] {
  return [publicUrl, `${publicUrl}/`, ...ENTRANCES.map((path) => publicUrl + path)];
}

/**
 * A URL with its scheme and host in small letters, in which case does not matter; everything else
 * as it is, and so is what is no such URL.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/authorization#canonical-server-uri
 */
export function canonicalAudience(audience: string): string {
  return audience.replace(/^[a-z][a-z0-9+.-]*:\/\/[^/?#]*/i, (origin) => origin.toLowerCase());
}

/**
 * Where the resource that a request was for is described: between host and path of its URL.
 * @param path - of the request. @see https://www.rfc-editor.org/rfc/rfc9728#section-3.1
 */
export function metadataUrl(publicUrl: string, path: string): string {
  const { origin, pathname } = new URL(publicUrl + entranceOf(path));
  return origin + METADATA_PATH + pathname;
}

/** Which of the server's entrances a path belongs to. */
function entranceOf(path: string): string {
  return isEventEntrance(path) ? '/sse' : '/mcp';
}

/** Whether a path belongs to `/sse`, as `/messages` does, and not to `/mcp`. */
export function isEventEntrance(path: string): boolean {
  return /\/(?:sse|messages?)\/?$/.test(path);
}

export interface ResourceQuestion {
  /** Of one server, without a slash at the end. */
  readonly publicUrl: string;
  /** What the paths that reach this process begin with; the public URL may have more of them. */
  readonly prefix: string;
  /** Whether it is the only server, and so described at the root, too. */
  readonly isOnly: boolean;
}

/**
 * The metadata asked for at a path, as JSON text; undefined when the path is none of this server's.
 */
export function metadataAt(
  path: string,
  { publicUrl, prefix, isOnly }: ResourceQuestion,
  facts: AuthorizationFacts,
): string | undefined {
  if (!path.startsWith(METADATA_PATH)) return undefined;
  const asked = path.slice(METADATA_PATH.length).replace(/\/$/, '');
  const { pathname } = new URL(`${publicUrl}/`);
  const bases = [pathname.replace(/\/$/, ''), prefix];
  const entrance = ENTRANCES.find((each) => bases.some((base) => asked === base + each));
  const isServer = bases.includes(asked) || (isOnly && asked === '');
  if (entrance === undefined && !isServer) return undefined;
  return metadataText(publicUrl + (entrance ?? '/mcp'), facts);
}

/** @see https://www.rfc-editor.org/rfc/rfc9728#section-2 */
function metadataText(resource: string, facts: AuthorizationFacts): string {
  const { issuers, scopes, dpopAlgorithms, isDpopRequired } = facts;
  return JSON.stringify({
    resource,
    authorization_servers: issuers,
    bearer_methods_supported: ['header'],
    ...(scopes.length > 0 && { scopes_supported: scopes }),
    ...(dpopAlgorithms.length > 0 && {
      dpop_signing_alg_values_supported: dpopAlgorithms,
      dpop_bound_access_tokens_required: isDpopRequired,
    }),
  });
}
