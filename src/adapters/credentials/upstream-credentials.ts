/** From an operator's choice to the credentials of every conversation with one remote server. */
import type { Credentials } from '../../core/credentials.ts';
import type { Clock, Principal, Telemetry } from '../../core/ports.ts';
import type { Outbound } from '../../core/outbound.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import type { SsrfGuard } from '../outbound/ssrf-guard.ts';
import { clientCredentialsToken, exchangedToken, type GrantClient } from './client-grants.ts';
import { CredentialError } from './credential-error.ts';
import { type GuardedFetch, guardedFetch } from './guarded-fetch.ts';
import { OAuthClient } from './oauth-client.ts';
import { openBrowser } from './open-browser.ts';
import { PersonGrant } from './person-grant.ts';
import { type ObtainToken, RenewedCredential } from './renewed-credential.ts';
import type { SubjectTokens } from './subject-tokens.ts';
import { TokenStore } from './token-store.ts';

/** Our own credential at a remote server, from its authorization server. Never a client's. */
export type UpstreamCredential =
  | {
      readonly kind: 'client-credentials';
      /**
       * Default: the authorization server that the server names (RFC 9728). Name it: otherwise the
       * secret goes wherever the server says first.
       */
      readonly issuer?: string | undefined;
      readonly clientId: string;
      readonly clientSecret: string;
      /** Space-separated. Default: what the server asks for, or says it knows. */
      readonly scope?: string | undefined;
    }
  /** RFC 8693: a caller's token is exchanged for one of the server's, for each principal. */
  | {
      readonly kind: 'token-exchange';
      /** Needed: callers' tokens are shown to no authorization server but the operator's choice. */
      readonly issuer: string | undefined;
      readonly clientId: string;
      readonly clientSecret: string;
      readonly scope?: string | undefined;
      readonly audience?: string | undefined;
      /** Where the identity notes the tokens it saw; without it nobody has one to exchange. */
      readonly subjectTokens?: SubjectTokens | undefined;
    };

type ExchangeChoice = UpstreamCredential & { readonly kind: 'token-exchange' };

/** The credential of the person in front of this machine, who signs in with a browser. */
export interface PersonCredential {
  readonly kind: 'authorization-code';
  /** The folder that tokens are kept in, a file a server. Undefined: nobody can sign in. */
  readonly folder: string | undefined;
  readonly issuer?: string | undefined;
  /** Default: one that registers itself. */
  readonly clientId?: string | undefined;
  readonly clientSecret?: string | undefined;
  /** A client that describes itself at this https URL, where the authorization server takes it. */
  readonly clientMetadataUrl?: string | undefined;
  readonly scope?: string | undefined;
  /** Shows the page to sign in at. Default: the system's browser does. */
  readonly show?: ((url: string) => void) | undefined;
}

export interface CredentialParts {
  /** For logs. */
  readonly name: string;
  /** The MCP server. */
  readonly url: string;
  readonly http: Outbound;
  readonly guard: SsrfGuard;
  readonly clock: Clock;
  readonly telemetry: Telemetry;
}

/** Milliseconds after its last use that a principal's credential is kept. */
const IDLE_MS = 3_600_000;
const PRINCIPALS_MAX = 20_000;
/** How many are looked at for each that is used or new. */
const LOOKS_MAX = 4;
/** Milliseconds a person may take to sign in. */
export const LOGIN_MS_MAX = 300_000;

interface Exchanged {
  readonly caller: Principal;
  readonly credential: RenewedCredential;
}

export class UpstreamCredentials {
  readonly #choice: UpstreamCredential | PersonCredential;
  readonly #fetch: GuardedFetch;
  readonly #closing = new AbortController();
  readonly #parts: CredentialParts;
  readonly #oauth: OAuthClient;
  readonly #own: RenewedCredential;
  /** Of all tenants, the longest unused first: what is over is found at its beginning. */
  readonly #exchanged = new Map<string, Exchanged>();
  /** The same by tenant: of too many its own go. Those that somebody waits for know no bound. */
  readonly #order = new SharedCache<Exchanged>(Infinity);

  /** @throws TypeError when tokens are to be exchanged and nobody said where. */
  constructor(choice: UpstreamCredential | PersonCredential, parts: CredentialParts) {
    if (choice.kind === 'token-exchange' && choice.issuer === undefined) {
      throw new TypeError("Exchanging callers' tokens needs the issuer they are shown to.");
    }
    this.#choice = choice;
    this.#parts = parts;
    const { url, guard, http } = parts;
    const fetch = guardedFetch(http);
    this.#fetch = fetch;
    const mayMove = choice.kind === 'authorization-code' && choice.clientId === undefined;
    this.#oauth = new OAuthClient({ url, issuer: choice.issuer, mayMove, fetch, guard });
    const obtain =
      choice.kind === 'authorization-code' ? this.#personToken(choice) : this.#ownToken(choice);
    this.#own = this.#renewed(obtain);
  }

  /** @param caller - on whose behalf; undefined for nobody's in particular. */
  for(caller: Principal | undefined): Credentials {
    if (this.#choice.kind !== 'token-exchange' || caller === undefined) return this.#own;
    const known = this.#exchanged.get(caller.key);
    if (known === undefined) this.#makeRoom(caller.tenant);
    const used = known ?? { caller, credential: this.#exchangedFor(caller, this.#choice) };
    this.#exchanged.delete(caller.key);
    this.#exchanged.set(caller.key, used);
    this.#order.set(caller.tenant, caller.key, used);
    this.#dropUnused();
    return used.credential;
  }

  /** Gives up a login that is under way. */
  close(): void {
    this.#closing.abort();
  }

  #personToken(choice: PersonCredential): ObtainToken {
    const { folder, clientId, scope, show = openBrowser } = choice;
    if (folder === undefined) return homelessToken;
    const store = new TokenStore(folder, this.#parts.url, clientId);
    const { signal } = this.#closing;
    const options = { ...choice, scope, show, msMax: LOGIN_MS_MAX, signal };
    const grant = new PersonGrant(this.#oauth, store, this.#fetch, options);
    return (need) => grant.obtain(need);
  }

  /**
   * What a conversation for nobody in particular is opened with. Where tokens are exchanged, a
   * client may also have a token by itself, or none: then the server is asked without.
   */
  #ownToken(choice: UpstreamCredential): ObtainToken {
    const client = clientOf(choice);
    const obtain: ObtainToken = (need) => clientCredentialsToken(this.#oauth, client, need);
    if (choice.kind === 'client-credentials') return obtain;
    return async (need) => (need.isRefused ? obtain(need) : undefined);
  }

  #renewed(obtain: ObtainToken): RenewedCredential {
    const { name, clock, telemetry } = this.#parts;
    return new RenewedCredential(obtain, clock, (detail) => {
      telemetry.log('warn', 'upstream_credential_failed', { upstream: name, detail });
    });
  }

  #exchangedFor(caller: Principal, choice: ExchangeChoice): RenewedCredential {
    const { audience, subjectTokens } = choice;
    const client = { ...clientOf(choice), audience };
    return this.#renewed((need) =>
      exchangedToken(this.#oauth, client, subjectTokens?.find(caller), need),
    );
  }

  #makeRoom(tenant: string): void {
    for (let i = 0; i < LOOKS_MAX && this.#exchanged.size >= PRINCIPALS_MAX; i += 1) {
      const oldest = this.#order.nextOut(tenant)?.value;
      if (oldest === undefined) return;
      const { caller, credential } = oldest;
      if (credential.isBusy) this.#order.set(caller.tenant, caller.key, oldest);
      else this.#drop(caller);
    }
  }

  /** A few at each turn; conversations that still use one keep it. */
  #dropUnused(): void {
    const before = this.#parts.clock.now() - IDLE_MS;
    let looks = 0;
    for (const { caller, credential } of this.#exchanged.values()) {
      if (looks >= LOOKS_MAX || credential.lastUsedAt >= before) return;
      looks += 1;
      if (!credential.isBusy) this.#drop(caller);
    }
  }

  #drop({ tenant, key }: Principal): void {
    this.#exchanged.delete(key);
    this.#order.delete(tenant, key);
  }
}

/** A login whose outcome cannot be kept would be asked for again at each start. */
const homelessToken: ObtainToken = async ({ isRefused }) => {
  if (!isRefused) return undefined;
  throw new CredentialError('There is no home folder to keep tokens in; set HOME.');
};

function clientOf({ clientId, clientSecret, scope }: UpstreamCredential): GrantClient {
  return { clientId, clientSecret, scope };
}
