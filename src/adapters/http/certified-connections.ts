/**
 * Connections that came in with a client certificate, by what it is and who vouched for it: when
 * the authority is trusted no more, or the certificate is revoked, they end. A handshake is never
 * repeated, so nothing else would end them.
 */
import type { Socket } from 'node:net';
import type { DetailedPeerCertificate, TLSSocket } from 'node:tls';
import type { CloseReason } from '../../core/close-reasons.ts';
import { type CertificateName, certificateName } from './certificate-name.ts';
import type { RevocationLists } from './revocation-lists.ts';

/** Whom certificates of clients are believed. */
export interface ClientTrust {
  /** Fingerprints of the authorities. */
  readonly authorities: ReadonlySet<string>;
  /** Undefined: nothing is known to be revoked. */
  readonly revoked: RevocationLists | undefined;
}

/** What a client showed. */
interface Chain {
  /** From its own certificate on; undefined when one of them cannot be read. */
  readonly names: readonly CertificateName[] | undefined;
  /** The fingerprint of its authority; undefined when it is not known. */
  readonly authority: string | undefined;
}

/** Chains kept for clients that resume a session, which tells their own certificate alone. */
const CHAINS_MAX = 10_000;

export class CertifiedConnections {
  readonly #open = new Map<TLSSocket, Chain & { readonly isVerified: boolean }>();
  /** By the fingerprint of the client's certificate, the oldest first. */
  readonly #chains = new Map<string, Chain>();
  readonly #cuts: Pick<WeakMap<Socket, CloseReason>, 'set'>;
  #trust: ClientTrust = { authorities: new Set(), revoked: undefined };

  /** @param cuts - told which connections were ended. */
  constructor(cuts: Pick<WeakMap<Socket, CloseReason>, 'set'>) {
    this.#cuts = cuts;
  }

  /** @returns whether what it shows may count: false when it is revoked. */
  add(socket: TLSSocket): boolean {
    const chain = this.#chainOf(socket);
    if (chain === undefined) return true;
    this.#open.set(socket, { ...chain, isVerified: socket.authorized });
    socket.once('close', () => this.#open.delete(socket));
    return !this.#isRevoked(chain);
  }

  /**
   * From now on goes by these. Ends connections whose certificate is revoked, and of those that
   * were verified the ones whose authority is not among these or not known.
   * @returns how many.
   */
  trust(trust: ClientTrust): number {
    this.#trust = trust;
    let ended = 0;
    for (const [socket, chain] of this.#open) {
      const { authority, isVerified } = chain;
      const isVouchedFor = authority !== undefined && trust.authorities.has(authority);
      if ((isVouchedFor || !isVerified) && !this.#isRevoked(chain)) continue;
      this.#cuts.set(socket, 'unauthorized');
      socket.destroy();
      ended += 1;
    }
    return ended;
  }

  /** What cannot be looked up counts as revoked. */
  #isRevoked({ names }: Chain): boolean {
    const { revoked } = this.#trust;
    if (revoked === undefined) return false;
    return names === undefined || names.some((name) => revoked.has(name));
  }

  #chainOf(socket: TLSSocket): Chain | undefined {
    const shown = socket.getPeerX509Certificate();
    if (shown === undefined) return undefined;
    const { fingerprint256, raw } = shown;
    if (!socket.authorized) return { names: namesOf([raw]), authority: undefined };
    const read = readChain(socket.getPeerCertificate(true));
    const known = this.#chains.get(fingerprint256);
    this.#chains.delete(fingerprint256);
    const chain = read.authority === undefined && known !== undefined ? known : read;
    const [oldest] = this.#chains.keys();
    if (this.#chains.size >= CHAINS_MAX && oldest !== undefined) this.#chains.delete(oldest);
    this.#chains.set(fingerprint256, chain);
    return chain;
  }
}

/** Links of a chain; no chain that was verified is as long. */
const LINKS_MAX = 16;

function readChain(leaf: DetailedPeerCertificate): Chain {
  const links: Buffer[] = [];
  let link: DetailedPeerCertificate | undefined = leaf;
  for (let i = 0; i < LINKS_MAX && link?.raw !== undefined; i += 1) {
    links.push(link.raw);
    const issuer: DetailedPeerCertificate | undefined = link.issuerCertificate;
    if (issuer?.fingerprint256 === link.fingerprint256) {
      return { names: namesOf(links), authority: link.fingerprint256 };
    }
    link = issuer;
  }
  return { names: namesOf(links), authority: undefined };
}

/** Whoever connects chooses what this reads, so that it must not throw. */
function namesOf(links: readonly Buffer[]): readonly CertificateName[] | undefined {
  try {
    return links.map((each) => certificateName(each));
  } catch {
    return undefined;
  }
}
