import { flag, oneOf, type OptionKind, shape, word } from '../../core/option-kinds.ts';

/** What a listener needs to speak TLS, as files that may be replaced while it runs. */
export interface TlsOptions {
  /** Path of a PEM file: the server's certificate, then the chain up to its authority. */
  readonly cert: string;
  /** Path of a PEM file: the certificate's private key, without a passphrase. */
  readonly key: string;
  /**
   * Path of a PEM file of authorities whose client certificates are verified. Default: clients are
   * asked for none.
   */
  readonly clientCa?: string | undefined;
  /**
   * Path of a PEM file of certificate revocation lists, one of each authority in `clientCa` and of
   * each between it and its clients. Default: nothing is looked up.
   */
  readonly clientCrl?: string | undefined;
  /**
   * Whether a client without a certificate that `clientCa` verifies may come in at all, to show
   * another credential. Default `optional`.
   */
  readonly clientCertificates?: 'optional' | 'required' | undefined;
  /** Default `TLSv1.2`. */
  readonly minVersion?: 'TLSv1.2' | 'TLSv1.3' | undefined;
  /** Whether clients that ask for HTTP/2 by ALPN get it. Default false. */
  readonly http2?: boolean | undefined;
}

const members = shape(
  {
    cert: word,
    key: word,
    clientCa: word,
    clientCrl: word,
    clientCertificates: oneOf('optional', 'required'),
    minVersion: oneOf('TLSv1.2', 'TLSv1.3'),
    http2: flag,
  },
  'cert',
  'key',
);

/** Without authorities nobody would be asked for a certificate, whatever else is said of them. */
export const TLS_KIND: OptionKind = (name, value) => {
  const fault = members(name, value);
  if (fault !== undefined) return fault;
  const { clientCa, clientCrl, clientCertificates } = value as TlsOptions;
  const isVain = clientCrl !== undefined || clientCertificates === 'required';
  return isVain && clientCa === undefined
    ? `${name} needs clientCa: without it no certificate of a client is verified.`
    : undefined;
};
