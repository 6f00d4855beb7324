/** The words of a command line that speak of a remote server, as options for it. */
import { readFileSync } from 'node:fs';
import type { RemoteOptions } from '../adapters/upstreams/http/remote.ts';
import type { RemoteChoice } from './serve-options.ts';

/**
 * Everything but its credential.
 * @throws TypeError, in a sentence for the operator, when the file of certificates cannot be read.
 */
export function remoteOptions(choice: RemoteChoice): RemoteOptions {
  const { headers, allowedHosts, caFile, proxy } = choice;
  return {
    headers,
    allowedHosts,
    proxy,
    ca: caFile === undefined ? undefined : certificates(caFile),
  };
}

/** Our own token for every caller, where the operator named a client and its secret. */
export function ownCredential({ client }: RemoteChoice): RemoteOptions['credential'] {
  const { id, secret, issuer, scope } = client;
  if (id === undefined || secret === undefined) return undefined;
  return { kind: 'client-credentials', clientId: id, clientSecret: secret, issuer, scope };
}

function certificates(file: string): string {
  try {
    const text = readFileSync(file, 'utf8');
    if (text.includes('-----BEGIN CERTIFICATE-----')) return text;
  } catch {
    throw new TypeError(`The file ${file} of certificates cannot be read.`);
  }
  throw new TypeError(`The file ${file} holds no certificate in PEM.`);
}
