/**
 * What tells one certificate from every other: who issued it, and its serial number. Lists of
 * revoked certificates name them so.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-4.1.2.2
 */
import { DER, DerReader, type DerValue } from './der.ts';

export interface CertificateName {
  /** Equal for names that are the same to OpenSSL, however they are encoded. */
  readonly issuer: string;
  readonly subject: string;
  readonly serial: string;
}

const VERSION = 0xa0;

/** @param der - of an X.509 certificate. @throws RangeError when it is none. */
export function certificateName(der: Buffer): CertificateName {
  const facts = new DerReader(der).enter(DER.sequence).enter(DER.sequence);
  if (facts.next === VERSION) facts.take();
  const serial = serialOf(facts.take(DER.integer));
  facts.take(DER.sequence);
  const issuer = nameOf(facts.enter(DER.sequence));
  facts.take(DER.sequence);
  return { issuer, subject: nameOf(facts.enter(DER.sequence)), serial };
}

export function serialOf({ content }: DerValue): string {
  return content.toString('hex').replace(/^(?:00)+(?=..)/, '');
}

/**
 * A distinguished name as it is compared: without regard to case and to spaces beyond one.
 * @see https://www.rfc-editor.org/rfc/rfc5280#section-7.1
 */
export function nameOf(parts: DerReader): string {
  const said: string[] = [];
  while (parts.next !== undefined) {
    const attributes = parts.enter(DER.set);
    while (attributes.next !== undefined) {
      const attribute = attributes.enter(DER.sequence);
      const type = attribute.take(DER.objectIdentifier).content.toString('hex');
      said.push(type, textOf(attribute.take()));
    }
    said.push('');
  }
  return JSON.stringify(said);
}

/** Tags of strings of one byte a character, UTF-8 among them. */
const TEXTS: ReadonlySet<number> = new Set([0x0c, 0x13, 0x14, 0x16, 0x1a]);
const TWO_BYTE_TEXT = 0x1e;

function textOf({ tag, content }: DerValue): string {
  if (!TEXTS.has(tag) && tag !== TWO_BYTE_TEXT) return `${tag}:${content.toString('hex')}`;
  const text =
    tag === TWO_BYTE_TEXT && content.length % 2 === 0
      ? Buffer.from(content).swap16().toString('utf16le')
      : content.toString('utf8');
  return text.toLowerCase().replaceAll(/\s+/g, ' ').trim();
}
