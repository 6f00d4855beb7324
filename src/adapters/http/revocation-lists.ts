/**
 * Lists of certificates that their authorities revoked. OpenSSL reads the same lists and checks
 * their signatures at each handshake; here they are read for what it does not do: to find
 * connections that are open already, and to say when a list has ended.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-5
 */
import { type CertificateName, nameOf, serialOf } from './certificate-name.ts';
import { DER, DerReader } from './der.ts';

interface RevocationList {
  readonly issuer: string;
  readonly fromMs: number;
  /** Infinity for one that does not say. */
  readonly untilMs: number;
  readonly serials: ReadonlySet<string>;
}

export class RevocationLists {
  /** Each in PEM, as `createSecureContext` takes them. */
  readonly pem: readonly string[];
  /** When the first of them ends, in milliseconds since 1970 (UTC). */
  readonly untilMs: number;
  /** By issuer the newest, which is the one that OpenSSL goes by. */
  readonly #lists = new Map<string, RevocationList>();

  /** @throws RangeError when the text holds no list in PEM, or one that is malformed. */
  constructor(text: string) {
    this.pem = text.match(BLOCKS) ?? [];
    if (this.pem.length === 0) throw new RangeError('There is no list.');
    for (const block of this.pem) {
      const list = listOf(Buffer.from(block.replaceAll(/-----[^-]+-----/g, ''), 'base64'));
      const known = this.#lists.get(list.issuer);
      if (known === undefined || known.fromMs <= list.fromMs) this.#lists.set(list.issuer, list);
    }
    this.untilMs = Math.min(...Array.from(this.#lists.values(), ({ untilMs }) => untilMs));
  }

  /** How many certificates are revoked. */
  get size(): number {
    return [...this.#lists.values()].reduce((sum, { serials }) => sum + serials.size, 0);
  }

  has({ issuer, serial }: CertificateName): boolean {
    return this.#lists.get(issuer)?.serials.has(serial) === true;
  }

  /** Whether there is a list of this authority: without one, none of its certificates counts. */
  isOf({ subject }: CertificateName): boolean {
    return this.#lists.has(subject);
  }
}

const BLOCKS = /-----BEGIN X509 CRL-----[^-]*-----END X509 CRL-----/g;

function listOf(der: Buffer): RevocationList {
  const facts = new DerReader(der).enter(DER.sequence).enter(DER.sequence);
  if (facts.next === DER.integer) facts.take();
  facts.take(DER.sequence);
  const issuer = nameOf(facts.enter(DER.sequence));
  const fromMs = timeOf(facts);
  const isEnding = facts.next === DER.utcTime || facts.next === DER.generalizedTime;
  const untilMs = isEnding ? timeOf(facts) : Infinity;
  const serials = new Set<string>();
  const entries = facts.next === DER.sequence ? facts.enter(DER.sequence) : undefined;
  while (entries?.next !== undefined) {
    serials.add(serialOf(entries.enter(DER.sequence).take(DER.integer)));
  }
  return { issuer, fromMs, untilMs, serials };
}

/** @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.5 */
function timeOf(facts: DerReader): number {
  const { tag, content } = facts.take();
  const text = content.toString('latin1');
  const short = tag === DER.utcTime ? (text < '5' ? '20' : '19') : '';
  const [, year, month, day, hour, minute, second] =
    /^(\d{4})(\d\d)(\d\d)(\d\d)(\d\d)(\d\d)Z$/.exec(short + text) ?? [];
  const ms = Date.parse(`${year}-${month}-${day}T${hour}:${minute}:${second}Z`);
  if (Number.isNaN(ms)) throw new RangeError('A time is malformed.');
  return ms;
}
