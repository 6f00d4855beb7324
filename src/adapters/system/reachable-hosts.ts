/** The names a listener is called by, from where it listens: what a Host header may say. */
import { hostname, networkInterfaces } from 'node:os';
import { isWildcard, urlHost } from '../../core/security/listen-host.ts';

const LOOPBACK_HOSTS = ['localhost', '127.0.0.1', '[::1]'] as const;

/**
 * @param publicUrl - what clients were told; its host is always answered. Loopback names are
 * answered too, for probes on the machine itself: a page that rebinds its own name to this address
 * still sends that name.
 */
export function reachableHosts(host: string, publicUrl: string | undefined): readonly string[] {
  const names = new Set<string>(LOOPBACK_HOSTS);
  if (publicUrl !== undefined) names.add(new URL(publicUrl).host);
  if (!isWildcard(host)) names.add(urlHost(host));
  else if (publicUrl === undefined) for (const name of machineHosts()) names.add(name);
  return [...names];
}

function machineHosts(): readonly string[] {
  const addresses = Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .map((entry) => urlHost(entry.address));
  return [hostname(), ...addresses];
}
