/** Reads the files of a TLS listener, and says in one line what is wrong with them. */
import { createPrivateKey, type KeyObject, X509Certificate } from 'node:crypto';
import { readFileSync, statSync } from 'node:fs';
import { createSecureContext, type SecureContextOptions } from 'node:tls';
import { certificateName } from './certificate-name.ts';
import type { ClientTrust } from './certified-connections.ts';
import { RevocationLists } from './revocation-lists.ts';
import type { TlsOptions } from './tls-options.ts';

export interface TlsFiles extends ClientTrust {
  /** For `createSecureContext` and `setSecureContext`. */
  readonly context: SecureContextOptions;
  /** When the server's certificate ends, in milliseconds since 1970 (UTC). */
  readonly notAfterMs: number;
}

export type TlsFilesOutcome =
  | { readonly kind: 'files'; readonly files: TlsFiles }
  | { readonly kind: 'faulty'; readonly fault: TlsFault };

/** What is wrong with a file; never what it holds. */
export interface TlsFault {
  readonly file: 'cert' | 'key' | 'clientCa' | 'clientCrl';
  /** Follows the file's name: `cannot be read: there is no such file.` */
  readonly what: string;
}

/** Never throws. What passed can be served with. */
export function readTlsFiles(options: TlsOptions): TlsFilesOutcome {
  try {
    return { kind: 'files', files: read(options) };
  } catch (error) {
    if (error instanceof Unfit) return { kind: 'faulty', fault: error.fault };
    throw error;
  }
}

/**
 * All that is wrong, the files one by one: of those that can be read, only what keeps them from
 * being used together.
 */
export function tlsFaults(options: TlsOptions): readonly TlsFault[] {
  const named = (Object.keys(NAMES) as TlsFault['file'][]).filter(
    (file) => options[file] !== undefined,
  );
  const unreadable = named.flatMap((file) => faultOf(() => textOf(options, file)) ?? []);
  return unreadable.length > 0 ? unreadable : [faultOf(() => read(options)) ?? []].flat();
}

function faultOf(use: () => unknown): TlsFault | undefined {
  try {
    use();
    return undefined;
  } catch (error) {
    if (error instanceof Unfit) return error.fault;
    throw error;
  }
}

/** One line for an operator. */
export function tlsFaultLine({ file, what }: TlsFault, options: TlsOptions): string {
  return `The ${NAMES[file]} ${options[file] ?? ''} ${what}`;
}

const NAMES: Readonly<Record<TlsFault['file'], string>> = {
  cert: 'certificate',
  key: 'key',
  clientCa: 'client authority',
  clientCrl: 'revocation list',
};

class Unfit extends Error {
  readonly fault: TlsFault;

  constructor(file: TlsFault['file'], what: string, cause?: unknown) {
    super(what, { cause });
    this.fault = { file, what };
  }
}

function read(options: TlsOptions): TlsFiles {
  const cert = textOf(options, 'cert');
  const key = textOf(options, 'key');
  const leaf = certificateOf(cert, 'cert');
  if (!leaf.checkPrivateKey(privateKeyOf(key))) {
    throw new Unfit('key', 'does not belong to the certificate.');
  }
  const ca = options.clientCa === undefined ? undefined : textOf(options, 'clientCa');
  const authorities = (ca === undefined ? [] : blocksOf(ca)).map((each) =>
    certificateOf(each, 'clientCa'),
  );
  const revoked = options.clientCrl === undefined ? undefined : listsOf(options, authorities);
  const context: SecureContextOptions = {
    cert,
    key,
    ca,
    crl: revoked && [...revoked.pem],
    minVersion: options.minVersion ?? 'TLSv1.2',
    ciphers: CIPHERS,
    honorCipherOrder: false,
    secureOptions: SSL_OP_NO_RENEGOTIATION,
  };
  try {
    createSecureContext(context);
  } catch (cause) {
    const why = cause instanceof Error ? cause.message.replace(/\s+/g, ' ') : String(cause);
    throw new Unfit('cert', `cannot be used: ${why}.`, cause);
  }
  return {
    context,
    authorities: new Set(authorities.map(({ fingerprint256 }) => fingerprint256)),
    revoked,
    notAfterMs: Date.parse(leaf.validTo),
  };
}

/** To OpenSSL every certificate is refused whose authority has no list. */
function listsOf(options: TlsOptions, authorities: readonly X509Certificate[]): RevocationLists {
  const text = textOf(options, 'clientCrl');
  let lists: RevocationLists;
  try {
    lists = new RevocationLists(text);
    createSecureContext({ crl: [...lists.pem] });
  } catch (cause) {
    throw new Unfit('clientCrl', 'is not a certificate revocation list in PEM.', cause);
  }
  const missing = authorities.findIndex(({ raw }) => !lists.isOf(certificateName(raw)));
  if (missing === -1) return lists;
  throw new Unfit('clientCrl', `holds no list of authority number ${missing + 1} in clientCa.`);
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

function textOf(options: TlsOptions, file: TlsFault['file']): string {
  const path = options[file] ?? '';
  try {
    const { mode, size } = statSync(path);
    if (isAnybodys(mode)) throw new Unfit(file, 'may be changed by anybody; use chmod o-w on it.');
    if (size > FILE_BYTES_MAX) throw new Unfit(file, `is larger than ${FILE_BYTES_MAX} bytes.`);
    return readFileSync(path, 'utf8');
  } catch (cause) {
    if (cause instanceof Unfit) throw cause;
    const { code } = cause as NodeJS.ErrnoException;
    const why = READ_FAULTS.get(code ?? '') ?? code ?? 'it cannot be opened';
    throw new Unfit(file, `cannot be read: ${why}.`, cause);
  }
}

/** Whoever may write an authority lets himself in. Windows has no such modes. */
function isAnybodys(mode: number): boolean {
  return process.platform !== 'win32' && (mode & 0o002) !== 0;
}

/** Room for some 300,000 revoked certificates; reading more would hold up everybody. */
const FILE_BYTES_MAX = 16 * 1024 * 1024;

const READ_FAULTS: ReadonlyMap<string, string> = new Map([
  ['ENOENT', 'there is no such file'],
  ['EACCES', 'this user may not read it'],
  ['EISDIR', 'it is a folder'],
]);

/** The certificates of a PEM text; the whole of it where there is none, to be refused. */
function blocksOf(text: string): readonly string[] {
  return text.match(/-----BEGIN CERTIFICATE-----[^-]*-----END CERTIFICATE-----/g) ?? [text];
}

function certificateOf(text: string, file: 'cert' | 'clientCa'): X509Certificate {
  try {
    return new X509Certificate(text);
  } catch (cause) {
    throw new Unfit(file, 'is not a certificate in PEM.', cause);
  }
}

function privateKeyOf(text: string): KeyObject {
  try {
    return createPrivateKey(text);
  } catch (cause) {
    const { code } = cause as NodeJS.ErrnoException;
    const isLocked = code === 'ERR_MISSING_PASSPHRASE' || text.includes('ENCRYPTED');
    throw new Unfit(
      'key',
      isLocked
        ? "has a passphrase; store it without one, for this user's eyes only."
        : 'is not a private key in PEM.',
      cause,
    );
  }
}
