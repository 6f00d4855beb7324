/** What a client showed of itself in its TLS handshake. No header is believed for it. */
import type { VerifiedCertificate } from './verified-certificate.ts';

export interface CertifiedPeer {
  /**
   * The certificate the peer proved to hold, verified or not: base64url of the SHA-256 of its DER,
   * as tokens are bound to it.
   * @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1
   */
  readonly clientCertificate?: string | undefined;
  /** What that certificate says, only when it was verified against the operator's authorities. */
  readonly verifiedCertificate?: VerifiedCertificate | undefined;
}
