import { X509Certificate } from 'node:crypto';
import type { OptionKind } from '../../core/option-kinds.ts';

const PEM = /-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g;

/** Text that holds certificates: of one that holds none, every connection would fail. */
export const certificates: OptionKind = (name, value) => {
  const blocks = typeof value === 'string' ? (value.match(PEM) ?? []) : [];
  const areAll = blocks.length > 0 && blocks.every(isCertificate);
  return areAll ? undefined : `${name} must be the text of certificates in PEM.`;
};

function isCertificate(pem: string): boolean {
  try {
    return new X509Certificate(pem).raw.length > 0;
  } catch {
    return false;
  }
}
