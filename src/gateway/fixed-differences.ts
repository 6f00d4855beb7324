/** What of a listener cannot be changed while it is open. */
import { isDeepStrictEqual } from 'node:util';
import type { ListenConfig } from './gateway-config.ts';

const FIXED = [
  'host',
  'port',
  'publicUrl',
  'allowedOrigins',
  'tls',
  'trustedProxies',
  'forwardedHeader',
  'proxyProtocol',
] as const;

/** Names of the settings that differ and want a restart. */
export function fixedDifferences(before: ListenConfig, after: ListenConfig): readonly string[] {
  return FIXED.filter((name) => !isDeepStrictEqual(before[name], after[name])).map(
    (name) => `listen.${name}`,
  );
}
