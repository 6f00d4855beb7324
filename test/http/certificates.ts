/** Certificates for tests, made here and now: authorities, servers and clients. */
import 'reflect-metadata';
import {
  AuthorityKeyIdentifierExtension,
  BasicConstraintsExtension,
  type Extension,
  ExtendedKeyUsage,
  ExtendedKeyUsageExtension,
  type JsonGeneralName,
  SubjectAlternativeNameExtension,
  X509Certificate,
  X509CertificateGenerator,
  X509CrlGenerator,
} from '@peculiar/x509';
import { KeyObject, webcrypto } from 'node:crypto';
import { mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';

export interface Certified {
  /** PEM. */
  readonly cert: string;
  /** PEM of PKCS #8, without a passphrase. */
  readonly key: string;
}

export interface CertificateFacts {
  /** A distinguished name such as `CN=alice, O=acme`. */
  readonly name: string;
  readonly sans?: readonly JsonGeneralName[];
  readonly notBefore?: Date;
  readonly notAfter?: Date;
}

const ALGORITHM = { name: 'ECDSA', namedCurve: 'P-256', hash: 'SHA-256' };
const DAY_MS = 86_400_000;

type Keys = webcrypto.CryptoKeyPair;

async function newKeys(): Promise<Keys> {
  return webcrypto.subtle.generateKey(ALGORITHM, true, ['sign', 'verify']);
}

function pemOf(keys: Keys): string {
  return KeyObject.from(keys.privateKey).export({ type: 'pkcs8', format: 'pem' }).toString();
}

export interface ListFacts {
  readonly thisUpdate?: Date;
  /** Default: a day from now; null for a list that does not say. */
  readonly nextUpdate?: Date | null;
}

export class Authority {
  readonly cert: string;
  readonly #name: string;
  readonly #keys: Keys;

  private constructor(name: string, keys: Keys, cert: string) {
    this.#name = name;
    this.#keys = keys;
    this.cert = cert;
  }

  static async create(name = 'CN=Test authority'): Promise<Authority> {
    const keys = await newKeys();
    const made = await X509CertificateGenerator.createSelfSigned({
      name,
      keys,
      signingAlgorithm: ALGORITHM,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new Authority(name, keys, made.toString('pem'));
  }

  /** For `localhost` and 127.0.0.1, unless names are given. */
  async server(facts: Partial<CertificateFacts> = {}): Promise<Certified> {
    const sans: readonly JsonGeneralName[] = [
      { type: 'dns', value: 'localhost' },
      { type: 'ip', value: '127.0.0.1' },
    ];
    return this.#issue({ name: 'CN=localhost', sans, ...facts }, ExtendedKeyUsage.serverAuth);
  }

  async client(facts: CertificateFacts): Promise<Certified> {
    return this.#issue(facts, ExtendedKeyUsage.clientAuth);
  }

  /** Another authority below this one. */
  async below(name: string): Promise<Authority> {
    const keys = await newKeys();
    const made = await X509CertificateGenerator.create({
      subject: name,
      issuer: this.#name,
      notBefore: new Date(Date.now() - DAY_MS),
      notAfter: new Date(Date.now() + DAY_MS),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions: [new BasicConstraintsExtension(true, undefined, true)],
    });
    return new Authority(name, keys, made.toString('pem'));
  }

  /** The list of what it revoked, in PEM. */
  async list(
    revoked: readonly Pick<Certified, 'cert'>[],
    { thisUpdate, nextUpdate }: ListFacts = {},
  ): Promise<string> {
    const now = Date.now();
    const until = nextUpdate === null ? undefined : (nextUpdate ?? new Date(now + DAY_MS));
    const made = await X509CrlGenerator.create({
      issuer: this.#name,
      thisUpdate: thisUpdate ?? new Date(now - DAY_MS),
      ...(until !== undefined && { nextUpdate: until }),
      entries: revoked.map(({ cert }) => ({
        serialNumber: new X509Certificate(cert).serialNumber,
        revocationDate: new Date(now - DAY_MS),
      })),
      signingAlgorithm: ALGORITHM,
      signingKey: this.#keys.privateKey,
    });
    return made.toString('pem').replaceAll(' CRL-----', ' X509 CRL-----');
  }

  async #issue(facts: CertificateFacts, usage: ExtendedKeyUsage): Promise<Certified> {
    const keys = await newKeys();
    const extensions: Extension[] = [
      new BasicConstraintsExtension(false),
      new ExtendedKeyUsageExtension([usage]),
      await AuthorityKeyIdentifierExtension.create(this.#keys.publicKey),
    ];
    if (facts.sans !== undefined) {
      extensions.push(new SubjectAlternativeNameExtension([...facts.sans]));
    }
    const made = await X509CertificateGenerator.create({
      subject: facts.name,
      issuer: this.#name,
      notBefore: facts.notBefore ?? new Date(Date.now() - DAY_MS),
      notAfter: facts.notAfter ?? new Date(Date.now() + DAY_MS),
      publicKey: keys.publicKey,
      signingKey: this.#keys.privateKey,
      signingAlgorithm: ALGORITHM,
      extensions,
    });
    return { cert: made.toString('pem'), key: pemOf(keys) };
  }
}

/** A folder of files, removed by `remove`. */
export class Folder {
  readonly path: string = mkdtempSync(join(tmpdir(), 'tidegate-tls-'));

  write(name: string, text: string): string {
    const path = join(this.path, name);
    writeFileSync(path, text);
    return path;
  }

  /** Certificate and key of a server, at the same two paths each time. */
  pair({ cert, key }: Certified): { readonly cert: string; readonly key: string } {
    return { cert: this.write('cert.pem', cert), key: this.write('key.pem', key) };
  }

  delete(name: string): void {
    rmSync(join(this.path, name));
  }

  remove(): void {
    rmSync(this.path, { recursive: true, force: true });
  }
}
