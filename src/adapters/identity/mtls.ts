/**
 * Identity by a client certificate that the TLS handshake verified. Whoever holds the certificate's
 * key is whom its subject names; nothing is read of headers, so a proxy in front that ends TLS ends
 * this, too.
 */
import type { GrantingDoor } from '../../core/granting-door.ts';
import {
  checkOptions,
  either,
  having,
  oneOf,
  type OptionKind,
  shape,
  word,
  work,
} from '../../core/option-kinds.ts';
import type { Clock, Identity, IdentityOutcome, RequestHead } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import type { RefusingDoor } from '../../core/refusing-door.ts';
import type { TokenlessDoor } from '../../core/tokenless-door.ts';
import type { VerifiedCertificate } from '../../core/verified-certificate.ts';

/** A part of a certificate: of its subject, or of its subject alternative names. */
export type CertificateField = (typeof CERTIFICATE_FIELDS)[number];

export const CERTIFICATE_FIELDS = ['cn', 'o', 'ou', 'san-uri', 'san-dns', 'san-email'] as const;

export interface MtlsOptions {
  /** The same for everybody, or as a field says. Default `default`. */
  readonly tenant?: string | { readonly field: CertificateField } | undefined;
  /** Default `cn`. A certificate without it, or with more than one, lets nobody in. */
  readonly subject?: CertificateField | undefined;
  /** Every value of this field is a group. Default: none. */
  readonly groups?: CertificateField | undefined;
  /** The endpoint's; expiry is told on it. Default: the machine's. */
  readonly clock?: Pick<Clock, 'now'> | undefined;
  /** Milliseconds since 1970. Default: the machine's. */
  readonly now?: (() => number) | undefined;
}

/** HTTP has no scheme for it; a 401 must name one all the same (RFC 9110 section 15.5.2). */
const REFUSED: IdentityOutcome & { readonly kind: 'refused' } = {
  kind: 'refused',
  refusal: {
    error: 'UNAUTHORIZED',
    detail: 'Connect with a client certificate that this server verifies.',
    headers: ['WWW-Authenticate', 'ClientCertificate realm="tidegate"'],
  },
};

const NAME_CHARS_MAX = 512;

const field = oneOf(...CERTIFICATE_FIELDS);
const fields = CERTIFICATE_FIELDS.join(', ');

export const MTLS_KINDS: Readonly<
  Record<'tenant' | 'subject' | 'groups' | 'clock' | 'now', OptionKind>
> = {
  tenant: either(`a text, or { field } with one of ${fields}`, word, shape({ field }, 'field')),
  subject: field,
  groups: field,
  clock: having('now'),
  now: work,
};

/** @throws TypeError for an option of the wrong kind. */
export function mtlsIdentity(
  options: MtlsOptions = {},
): Identity & RefusingDoor & GrantingDoor & TokenlessDoor {
  checkOptions(options, MTLS_KINDS);
  const { tenant = 'default', subject = 'cn', groups } = options;
  const { clock = { now: () => performance.now() }, now = Date.now } = options;
  // The same in all grants of this one: they are made for each request, and known again by it.
  const claims = {};
  return {
    readsTokens: false,
    given: { has: (grant) => grant.claims === claims },
    refusalOf: () => REFUSED.refusal,
    verify({ clientCertificate, verifiedCertificate: found }: RequestHead, done) {
      const subjectName = found && nameIn(found, subject);
      const tenantName = typeof tenant === 'string' ? tenant : found && nameIn(found, tenant.field);
      // The handshake looked at the dates once; a connection may outlive them.
      const leftMs = found === undefined ? 0 : found.notAfterMs - now();
      if (found === undefined || subjectName === undefined || tenantName === undefined) {
        return done(REFUSED);
      }
      if (!(leftMs > 0)) return done(REFUSED);
      done({
        kind: 'principal',
        principal: principalOf({
          tenant: tenantName,
          issuer: 'mtls',
          subject: subjectName,
          clientId: '',
        }),
        grant: {
          expiresAt: clock.now() + leftMs,
          scopes: [],
          groups: groups === undefined ? [] : valuesIn(found, groups),
          claims,
          credentialId: `cert:${clientCertificate}`,
        },
      });
    },
  };
}

/** The one value of a field; one of several would be a choice that somebody else can make. */
function nameIn(certificate: VerifiedCertificate, field: CertificateField): string | undefined {
  const [name, more] = valuesIn(certificate, field);
  const isName = name !== undefined && name !== '' && name.length <= NAME_CHARS_MAX;
  return isName && more === undefined ? name : undefined;
}

function valuesIn(certificate: VerifiedCertificate, field: CertificateField): readonly string[] {
  switch (field) {
    case 'cn':
      return certificate.commonName === undefined ? [] : [certificate.commonName];
    case 'o':
      return certificate.organization === undefined ? [] : [certificate.organization];
    case 'ou':
      return certificate.organizationalUnits;
    case 'san-uri':
      return certificate.uris;
    case 'san-dns':
      return certificate.dnsNames;
    case 'san-email':
      return certificate.emails;
  }
}
