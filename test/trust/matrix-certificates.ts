/** Every state a client certificate can be in, as the only credential of a connection. */
import { createHash, X509Certificate } from 'node:crypto';
import { Authority, type Certified } from '../http/certificates.ts';
import { type Credential, type Shown, type Standing, stated } from './matrix-credentials.ts';

/** Longer than the test, on any machine, and within the time of the authority. */
const HOUR_MS = 3_600_000;

/** Whoever has one, and the authority that a listener knows. */
export class Certificates {
  readonly authority: Authority;
  readonly server: Certified;
  /** Of those that are revoked, in PEM. */
  readonly list: string;
  /** By the state it is in. */
  readonly #all: ReadonlyMap<string, Certified>;

  private constructor(
    authority: Authority,
    server: Certified,
    list: string,
    all: ReadonlyMap<string, Certified>,
  ) {
    this.authority = authority;
    this.server = server;
    this.list = list;
    this.#all = all;
  }

  static async make(): Promise<Certificates> {
    const authority = await Authority.create();
    const stranger = await Authority.create('CN=Stranger');
    const ada = { name: 'CN=ada, O=acme' };
    const past = new Date(Date.now() - HOUR_MS);
    const future = new Date(Date.now() + HOUR_MS);
    const all = new Map([
      ['right', await authority.client(ada)],
      ['right, renewed', await authority.client(ada)],
      ['other principal', await authority.client({ name: 'CN=bob, O=acme' })],
      ['other tenant', await authority.client({ name: 'CN=ada, O=globex' })],
      ['unknown authority', await stranger.client(ada)],
      ['expired', await authority.client({ ...ada, notAfter: past })],
      ['not yet', await authority.client({ ...ada, notBefore: future })],
      ['without a name', await authority.client({ name: 'O=acme' })],
      ['with two names', await authority.client({ name: 'CN=ada, CN=bob, O=acme' })],
      ['without a tenant', await authority.client({ name: 'CN=ada' })],
      ['of a server', await authority.server(ada)],
      ['denied', await authority.client(ada)],
      ['revoked', await authority.client(ada)],
      ['revoked, of nobody', await authority.client({ name: 'O=acme' })],
    ]);
    const revoked = [...all].flatMap(([state, each]) => (state.startsWith('revoked') ? each : []));
    const list = await authority.list(revoked);
    return new Certificates(authority, await authority.server(), list, all);
  }

  /** As the denied one is called in the record and for revocation. */
  get deniedId(): string {
    return `cert:${thumbprintOf(this.of('denied'))}`;
  }

  of(state: string): Certified {
    const found = this.#all.get(state);
    if (found === undefined) throw new Error(`There is no certificate ${state}.`);
    return found;
  }

  /** Whatever a connection may show. */
  shown(): readonly Shown[] {
    return [...this.#all.values(), 'none'];
  }

  credentials(): Credential[] {
    const certificate = (
      state: string,
      standing: Standing,
      more: Partial<Credential> = {},
    ): Credential =>
      stated('certificate', state, standing, {
        shown: this.#all.get(state) ?? 'none',
        isForOneServer: false,
        isCovering: true,
        ...more,
      });
    return [
      certificate('right', 'right'),
      certificate('right, renewed', 'right'),
      certificate('other principal', 'other'),
      certificate('other tenant', 'other'),
      certificate('namesake of a token', 'other', { shown: this.of('right'), way: 'token' }),
      certificate('unknown authority', 'nothing'),
      certificate('expired', 'nothing'),
      certificate('not yet', 'nothing'),
      certificate('without a name', 'nothing'),
      certificate('with two names', 'nothing'),
      certificate('without a tenant', 'nothing'),
      certificate('of a server', 'nothing'),
      certificate('denied', 'nothing'),
      certificate('revoked', 'nothing'),
      certificate('none', 'nothing'),
      certificate('told by headers', 'nothing', {
        headers: {
          'client-cert': ':MIIB:',
          'x-client-cert': 'ada',
          'x-ssl-client-verify': 'SUCCESS',
          'x-forwarded-client-cert': 'Subject="CN=ada,O=acme"',
        },
      }),
    ];
  }
}

/** As tokens are bound to it. @see https://www.rfc-editor.org/rfc/rfc8705#section-3.1 */
export function thumbprintOf({ cert }: Certified): string {
  return createHash('sha256').update(new X509Certificate(cert).raw).digest('base64url');
}
