/** The certificate a client showed in its TLS handshake, read once a connection. */
import { createHash, type X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import type { VerifiedCertificate } from '../../core/verified-certificate.ts';

export interface ClientCertificate {
  /** Base64url of the SHA-256 of its DER. */
  readonly thumbprint: string;
  /** Undefined when the handshake did not verify it. */
  readonly verified: VerifiedCertificate | undefined;
}

/** Undefined when the client showed none. */
export function clientCertificate(socket: TLSSocket): ClientCertificate | undefined {
  const found = socket.getPeerX509Certificate();
  if (found === undefined) return undefined;
  return {
    thumbprint: createHash('sha256').update(found.raw).digest('base64url'),
    verified: socket.authorized ? verifiedCertificate(found) : undefined,
  };
}

export function verifiedCertificate(certificate: X509Certificate): VerifiedCertificate {
  const subject = certificate.toLegacyObject().subject as unknown as Subject;
  const names = alternativeNames(certificate.subjectAltName);
  return {
    commonName: only(subject.CN),
    organization: only(subject.O),
    organizationalUnits: listOf(subject.OU),
    uris: names.filter(({ type }) => type === 'URI').map(({ value }) => value),
    dnsNames: names.filter(({ type }) => type === 'DNS').map(({ value }) => value),
    emails: names.filter(({ type }) => type === 'email').map(({ value }) => value),
    notAfterMs: Date.parse(certificate.validTo),
  };
}

type Attribute = string | readonly string[] | undefined;

interface Subject {
  readonly CN?: Attribute;
  readonly O?: Attribute;
  readonly OU?: Attribute;
}

function listOf(attribute: Attribute): readonly string[] {
  return attribute === undefined ? [] : [attribute].flat();
}

function only(attribute: Attribute): string | undefined {
  return typeof attribute === 'string' && attribute !== '' ? attribute : undefined;
}

interface AlternativeName {
  readonly type: string;
  readonly value: string;
}

/**
 * Names as Node writes them: `DNS:a, URI:b`, a value in JSON's quotes where it holds a comma, a
 * quote or a control character. Of a text that is not wholly of that form nothing is taken: the
 * boundaries of its names would be guessed.
 */
export function alternativeNames(text: string | undefined): readonly AlternativeName[] {
  const names: AlternativeName[] = [];
  let rest = text ?? '';
  while (rest !== '') {
    const [all, type, quoted, bare] = NAME.exec(rest) ?? [];
    if (all === undefined || type === undefined) return [];
    const value = quoted === undefined ? bare : unquoted(quoted);
    if (value === undefined) return [];
    names.push({ type, value });
    rest = rest.slice(all.length);
  }
  return names;
}

const NAME = /^([A-Za-z][A-Za-z ]*):(?:("(?:[^"\\]|\\.)*")|([^",]*))(?:, (?=.)|$)/s;

function unquoted(text: string): string | undefined {
  try {
    return JSON.parse(text) as string;
  } catch {
    return undefined;
  }
}
