/**
 * Connections that came in with a client certificate, by the authority that vouched for it: when it
 * is trusted no more, they end. A handshake is never repeated, so nothing else would end them.
 */
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';

export class CertifiedConnections {
  readonly #authorities = new Map<TLSSocket, string | undefined>();

  add(socket: TLSSocket): void {
    this.#authorities.set(socket, authorityOf(socket));
    socket.once('close', () => this.#authorities.delete(socket));
  }

  /**
   * Ends those whose authority is not among these, and those whose authority is not known: a
   * resumed session does not tell.
   * @returns how many.
   */
  retain(authorities: ReadonlySet<string>): number {
    let ended = 0;
    for (const [socket, authority] of this.#authorities) {
      if (authority !== undefined && authorities.has(authority)) continue;
      socket.destroy();
      ended += 1;
    }
    return ended;
  }
}

/** Links of a chain; no chain that was verified is as long. */
const LINKS_MAX = 16;

function authorityOf(socket: TLSSocket): string | undefined {
  let link: DetailedPeerCertificate | undefined = socket.getPeerCertificate(true);
  for (let i = 0; i < LINKS_MAX && link !== undefined; i += 1) {
    const issuer: DetailedPeerCertificate | undefined = link.issuerCertificate;
    if (issuer?.fingerprint256 === link.fingerprint256) return link.fingerprint256;
    link = issuer;
  }
  return undefined;
}
