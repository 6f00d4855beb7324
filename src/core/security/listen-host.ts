/** What a host says of who can reach a listener on it; text only, no name is resolved. */

/** Whether only this machine can reach a listener on `host`. When in doubt, it is not. */
export function isLoopback(host: string): boolean {
  const name = host.toLowerCase().replace(/^\[(.*)\]$/, '$1');
  return name === 'localhost' || name === '::1' || /^127\.\d{1,3}\.\d{1,3}\.\d{1,3}$/.test(name);
}

/**
 * Whether a host can only be this machine. @see https://www.rfc-editor.org/rfc/rfc6761#section-6.3
 */
export function isOwnName(host: string): boolean {
  return isLoopback(host) || host.toLowerCase().endsWith('.localhost');
}

/**
 * Whether somebody elsewhere names a host that can only be this machine: which ports it has is for
 * its operator to say, and for whoever is on it.
 * @param by - the host of who names it.
 */
export function isLedHome(host: string, by: string): boolean {
  return isOwnName(host) && !isOwnName(by);
}

/** Whether a listener on `host` answers on every address of this machine. */
export function isWildcard(host: string): boolean {
  return host === '0.0.0.0' || /^[0:]+$/.test(host);
}

/** A host as it stands in a URL: IPv6 in brackets, without a zone. */
export function urlHost(host: string): string {
  return host.includes(':') ? `[${host.replace(/%.*$/, '')}]` : host;
}
