import { X509Certificate } from 'node:crypto';
import { array, assert, integer, property, uint8Array } from 'fast-check';
import { beforeAll, describe, expect, it } from 'vitest';
import { Authority, type Certified } from '../../../test/http/certificates.ts';
import { certificateName } from './certificate-name.ts';
import { DER, DerReader } from './der.ts';
import { RevocationLists } from './revocation-lists.ts';

let authority: Authority;
let other: Authority;
let alice: Certified;
let bob: Certified;

beforeAll(async () => {
  authority = await Authority.create('CN=Test authority, O=acme');
  other = await Authority.create('CN=Other');
  alice = await authority.client({ name: 'CN=alice' });
  bob = await authority.client({ name: 'CN=bob' });
});

function derOf({ cert }: Pick<Certified, 'cert'>): Buffer {
  return new X509Certificate(cert).raw;
}

describe('lists of revoked certificates', () => {
  it('know which certificates of which authority are revoked', async () => {
    const text = `${await authority.list([alice])}\nand\n${await other.list([bob])}`;
    const lists = new RevocationLists(text);
    expect(lists.has(certificateName(derOf(alice)))).toBe(true);
    // The serial number of another authority's list is another certificate's.
    expect(lists.has(certificateName(derOf(bob)))).toBe(false);
    expect(lists.isOf(certificateName(derOf(other)))).toBe(true);
    expect(lists.isOf(certificateName(derOf(alice)))).toBe(false);
    expect([lists.size, lists.pem.length]).toEqual([2, 2]);
  });

  it('count by the newest of an authority, and until the first of them ends', async () => {
    const [before, now] = [new Date(Date.now() - 3_600_000), new Date()];
    const [soon, later] = [new Date('2051-01-01T00:00:00Z'), new Date('2052-01-01T00:00:00Z')];
    const old = await authority.list([alice], { thisUpdate: before, nextUpdate: before });
    const fresh = await authority.list([], { thisUpdate: now, nextUpdate: later });
    for (const text of [old + fresh, fresh + old]) {
      const lists = new RevocationLists(text + (await other.list([], { nextUpdate: soon })));
      expect(lists.has(certificateName(derOf(alice)))).toBe(false);
      expect(lists.untilMs).toBe(soon.getTime());
    }
    const endless = new RevocationLists(await authority.list([alice], { nextUpdate: null }));
    expect(endless.untilMs).toBe(Infinity);
    expect(endless.has(certificateName(derOf(alice)))).toBe(true);
  });

  it('are not read from what is none', async () => {
    const list = await authority.list([alice]);
    const body = list.replaceAll(/-----[^-]+-----|\n/g, '');
    const block = (text: string): string =>
      `-----BEGIN X509 CRL-----\n${text}\n-----END X509 CRL-----`;
    expect(new RevocationLists(block(body)).size).toBe(1);
    for (const text of ['', 'rubbish', alice.cert, block('AAAA'), block(body.slice(0, 60))]) {
      expect(() => new RevocationLists(text)).toThrow(RangeError);
    }
  });
});

describe('a name', () => {
  const nameIn = (bytes: readonly number[]): string =>
    certificateName(certificateOf(Buffer.from(bytes))).issuer;

  it('is the same in every encoding and case, and however it is spaced', () => {
    const plain = nameIn(attribute(0x13, Buffer.from('Test  CA')));
    expect(nameIn(attribute(0x0c, Buffer.from(' test ca ')))).toBe(plain);
    expect(nameIn(attribute(0x1e, Buffer.from('TEST CA', 'utf16le').swap16()))).toBe(plain);
    expect(nameIn(attribute(0x0c, Buffer.from('test cb')))).not.toBe(plain);
    expect(nameIn(attribute(0x04, Buffer.from('test ca')))).not.toBe(plain);
  });

  it('is read from what strangers send, or refused', () => {
    const certificate = derOf(alice);
    const changes = array(integer({ min: 0, max: certificate.length - 1 }), { maxLength: 4 });
    assert(
      property(changes, integer({ min: 0, max: 255 }), (places, byte) => {
        const changed = Buffer.from(certificate);
        for (const place of places) changed[place] = byte;
        readOrRefuse(changed);
      }),
    );
    assert(property(uint8Array({ maxLength: 200 }), (bytes) => readOrRefuse(Buffer.from(bytes))));
  });
});

function readOrRefuse(der: Buffer): void {
  try {
    certificateName(der);
  } catch (error) {
    expect(error).toBeInstanceOf(RangeError);
  }
}

function der(tag: number, ...parts: readonly Buffer[]): Buffer {
  const content = Buffer.concat(parts);
  return Buffer.concat([Buffer.from([tag, content.length]), content]);
}

/** One attribute of a name. */
function attribute(tag: number, text: Buffer): readonly number[] {
  const type = der(DER.objectIdentifier, Buffer.from([0x55, 0x04, 0x03]));
  return [...der(DER.sequence, der(DER.set, der(DER.sequence, type, der(tag, text))))];
}

/** As much of a certificate as is read. */
function certificateOf(name: Buffer): Buffer {
  const serial = der(DER.integer, Buffer.from([1]));
  const nothing = der(DER.sequence);
  return der(DER.sequence, der(DER.sequence, serial, nothing, name, nothing, name));
}

describe('values in DER', () => {
  it('are taken one after the other, and only whole', () => {
    const long = Buffer.concat([Buffer.from([0x04, 0x82, 0x01, 0x00]), Buffer.alloc(256)]);
    const reader = new DerReader(Buffer.concat([long, Buffer.from([0x02, 0x01, 0x05])]));
    expect(reader.take(0x04).content).toHaveLength(256);
    expect(reader.next).toBe(DER.integer);
    expect(reader.take().content).toEqual(Buffer.from([5]));
    expect(reader.next).toBeUndefined();
    const wrong = [[], [0x02], [0x02, 0x02, 0x01], [0x02, 0x80], [0x02, 0x85, 1, 1, 1, 1, 1]];
    for (const bytes of [...wrong, [0x04, 0x00]]) {
      expect(() => new DerReader(Buffer.from(bytes)).take(DER.integer)).toThrow(RangeError);
    }
  });
});
