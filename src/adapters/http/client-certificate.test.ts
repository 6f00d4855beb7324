import { createHash, X509Certificate } from 'node:crypto';
import type { TLSSocket } from 'node:tls';
import { beforeAll, describe, expect, it } from 'vitest';
import { Authority } from '../../../test/http/certificates.ts';
import { alternativeNames, clientCertificate, verifiedCertificate } from './client-certificate.ts';

let authority: Authority;

beforeAll(async () => {
  authority = await Authority.create();
});

async function certified(
  name: string,
  sans: Parameters<Authority['client']>[0]['sans'] = [],
): Promise<X509Certificate> {
  const notAfter = new Date('2040-01-02T03:04:05Z');
  return new X509Certificate((await authority.client({ name, sans, notAfter })).cert);
}

describe('a certificate', () => {
  it('is read by its parts, each as what it is', async () => {
    const certificate = await certified('CN=ann, OU=dev, OU=ops, O=acme', [
      { type: 'url', value: 'spiffe://acme/ann' },
      { type: 'dns', value: 'ann.example' },
      { type: 'dns', value: 'annie.example' },
      { type: 'email', value: 'ann@example' },
      { type: 'ip', value: '127.0.0.1' },
    ]);
    expect(verifiedCertificate(certificate)).toEqual({
      commonName: 'ann',
      organization: 'acme',
      organizationalUnits: ['dev', 'ops'],
      uris: ['spiffe://acme/ann'],
      dnsNames: ['ann.example', 'annie.example'],
      emails: ['ann@example'],
      notAfterMs: Date.parse('2040-01-02T03:04:05Z'),
    });
  });

  it('names nobody by what is there twice, or not at all', async () => {
    expect(verifiedCertificate(await certified('CN=ann, CN=bob, OU=dev'))).toMatchObject({
      commonName: undefined,
      organization: undefined,
      organizationalUnits: ['dev'],
      uris: [],
    });
    expect(verifiedCertificate(await certified('O=acme')).organizationalUnits).toEqual([]);
    const empty = { toLegacyObject: () => ({ subject: { CN: '' } }), validTo: '' };
    const { commonName } = verifiedCertificate(empty as unknown as X509Certificate);
    expect(commonName).toBeUndefined();
  });

  it('counts where the handshake verified it, and is known by its digest in any case', async () => {
    const certificate = await certified('CN=ann');
    const socketOf = (authorized: boolean, found?: X509Certificate): TLSSocket =>
      ({ authorized, getPeerX509Certificate: () => found }) as unknown as TLSSocket;
    const thumbprint = createHash('sha256').update(certificate.raw).digest('base64url');
    const verified = verifiedCertificate(certificate);
    expect(clientCertificate(socketOf(true, certificate))).toEqual({ thumbprint, verified });
    expect(clientCertificate(socketOf(false, certificate))).toEqual({
      thumbprint,
      verified: undefined,
    });
    expect(clientCertificate(socketOf(true))).toBeUndefined();
  });
});

it('reads names as Node writes them', () => {
  expect(alternativeNames('DNS:a.example, URI:spiffe://a/b, IP Address:127.0.0.1')).toEqual([
    { type: 'DNS', value: 'a.example' },
    { type: 'URI', value: 'spiffe://a/b' },
    { type: 'IP Address', value: '127.0.0.1' },
  ]);
  expect(alternativeNames(undefined)).toEqual([]);
});

it('takes a quoted value for one name, whatever it spells', () => {
  expect(alternativeNames('DNS:"a.example, URI:spiffe://acme/root", email:b@c')).toEqual([
    { type: 'DNS', value: 'a.example, URI:spiffe://acme/root' },
    { type: 'email', value: 'b@c' },
  ]);
  expect(alternativeNames('URI:"a\\"b\\u0000"')).toEqual([{ type: 'URI', value: 'a"b\0' }]);
});

it.each(['DNS', 'DNS:a,URI:b', 'DNS:"a', 'DNS:"a"b', 'DNS:a, ', ', DNS:a', 'DNS:"\\x"'])(
  'takes nothing of %j, which is not of that form',
  (text) => {
    expect(alternativeNames(text)).toEqual([]);
  },
);
