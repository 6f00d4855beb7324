/** Reads the files of a TLS listener, and says in one line what is wrong with them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import type { TlsOptions } from './tls-options.ts';

export interface TlsFiles {
  /** For `createSecureContext` and `setSecureContext`. */
  readonly context: SecureContextOptions;
  /** When the server's certificate ends, in milliseconds since 1970 (UTC). */
  readonly notAfterMs: number;
}

export type TlsFilesOutcome =
  | { readonly kind: 'files'; readonly files: TlsFiles }
  /** `reason` names the file and never its content. */
  | { readonly kind: 'faulty'; readonly reason: string };

/** Never throws. What passed can be served with. */
export function readTlsFiles(options: TlsOptions): TlsFilesOutcome {
  try {
    return { kind: 'files', files: read(options) };
  } catch (error) {
    if (error instanceof TlsFault) return { kind: 'faulty', reason: error.message };
    throw error;
  }
}

class TlsFault extends Error {}

function read({ cert, key, clientCa, minVersion = 'TLSv1.2' }: TlsOptions): TlsFiles {
  const certText = textOf(cert, 'certificate');
  const keyText = textOf(key, 'key');
  const leaf = certificateOf(certText, cert, 'certificate');
  if (!leaf.checkPrivateKey(privateKeyOf(keyText, key))) {
    throw new TlsFault(`The key ${key} does not belong to the certificate ${cert}.`);
  }
  const ca = clientCa === undefined ? undefined : textOf(clientCa, 'client authority');
  if (ca !== undefined) certificateOf(ca, clientCa ?? '', 'client authority');
  const context: SecureContextOptions = {
    cert: certText,
    key: keyText,
    ca,
    minVersion,
    ciphers: CIPHERS,
    honorCipherOrder: false,
    secureOptions: SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    throw new TlsFault(`The certificate ${cert} cannot be used: ${sentence(cause)}.`, { cause });
  }
  return { context, notAfterMs: Date.parse(leaf.validTo) };
}

/**
 * Forward secrecy and authenticated encryption alone; the client chooses, who knows whether it has
 * AES in hardware. @see https://www.rfc-editor.org/rfc/rfc9325#section-4.2
 */
const CIPHERS = [
  'TLS_AES_128_GCM_SHA256',
  'TLS_AES_256_GCM_SHA384',
  'TLS_CHACHA20_POLY1305_SHA256',
  'ECDHE-ECDSA-AES128-GCM-SHA256',
  'ECDHE-RSA-AES128-GCM-SHA256',
  'ECDHE-ECDSA-AES256-GCM-SHA384',
  'ECDHE-RSA-AES256-GCM-SHA384',
  'ECDHE-ECDSA-CHACHA20-POLY1305',
  'ECDHE-RSA-CHACHA20-POLY1305',
].join(':');

/** Of OpenSSL; Node has no name for it. A renegotiation costs the server more than its client. */
const SSL_OP_NO_RENEGOTIATION = 0x4000_0000;

function textOf(path: string, what: string): string {
  try {
    return readFileSync(path, 'utf8');
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const why = READ_FAULTS.get(code ?? '') ?? code ?? 'it cannot be opened';
    throw new TlsFault(`The ${what} ${path} cannot be read: ${why}.`, { cause });
  }
}

const READ_FAULTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this user may not read it'],
  ['EISDIR', 'it is a folder'],
]);

function certificateOf(text: string, path: string, what: string): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new TlsFault(`The ${what} ${path} is not a certificate in PEM.`, { cause });
  }
}

function privateKeyOf(text: string, path: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const isLocked =
      (cause as NodeJS.ErrnoException).code === 'ERR_MISSING_PASSPHRASE' ||
      text.includes('ENCRYPTED');
    throw new TlsFault(
      isLocked
        ? `The key ${path} has a passphrase; store it without one, for this user's eyes only.`
        : `The key ${path} is not a private key in PEM.`,
      { cause },
    );
  }
}

function sentence(cause: unknown): string {
  return cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause);
}
