/**
 * What a client's certificate says, of one that was verified in the TLS handshake against the
 * authorities the operator named. Values that are ambiguous are absent.
 */
export interface VerifiedCertificate {
  /** Of the subject; absent when there is none or more than one. */
  readonly commonName: string | undefined;
  readonly organization: string | undefined;
  readonly organizationalUnits: readonly string[];
  /** Subject alternative names. @see https://www.rfc-editor.org/rfc/rfc5280#section-4.2.1.6 */
  readonly uris: readonly string[];
  readonly dnsNames: readonly string[];
  readonly emails: readonly string[];
  /** When it ends, in milliseconds since 1970 (UTC). */
  readonly notAfterMs: number;
}
