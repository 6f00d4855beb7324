/** What lies below HTTP: from checked keys of `listen` to what the listener is told. */
import type { TlsOptions } from '../../adapters/http/node.ts';
import type { ListenConfig } from '../gateway-config.ts';
import type { FileAccess } from './file-access.ts';
import type { ProblemList } from './problem-list.ts';
import type { TlsShape, TransportShape } from './transport-schema.ts';

export function transportConfig(
  { tls, trustedProxies, forwardedHeader, proxyProtocol }: TransportShape,
  files: Pick<FileAccess, 'resolve'>,
  problems: ProblemList,
): Pick<ListenConfig, 'tls' | 'trustedProxies' | 'forwardedHeader' | 'proxyProtocol'> {
  if ((trustedProxies ?? []).length === 0) {
    const sentence = 'Name the proxies in trustedProxies: nobody else is believed.';
    if (forwardedHeader !== undefined) problems.value(['listen', 'forwardedHeader'], sentence);
    if (proxyProtocol === true) problems.value(['listen', 'proxyProtocol'], sentence);
  }
  if (tls?.clientCertificates === 'required' && tls.clientCa === undefined) {
    const path = ['listen', 'tls', 'clientCertificates'];
    problems.value(path, 'Name the authorities of client certificates in clientCa.');
  }
  if (tls?.clientCrl !== undefined && tls.clientCa === undefined) {
    const path = ['listen', 'tls', 'clientCrl'];
    problems.value(path, 'Name the authorities of client certificates in clientCa.');
  }
  return {
    tls: tls && tlsOptions(tls, files),
    trustedProxies,
    forwardedHeader,
    proxyProtocol,
  };
}

function tlsOptions(tls: TlsShape, files: Pick<FileAccess, 'resolve'>): TlsOptions {
  return {
    ...tls,
    cert: files.resolve(tls.cert),
    key: files.resolve(tls.key),
    clientCa: tls.clientCa === undefined ? undefined : files.resolve(tls.clientCa),
    clientCrl: tls.clientCrl === undefined ? undefined : files.resolve(tls.clientCrl),
  };
}
