/**
 * Who is out, whatever credential they show: credentials by their ids, people, whole tenants. What
 * the config says and what a program said are kept apart, so that a reload takes back neither.
 */
import type { Grant } from '../../core/grant.ts';
import type { Principal } from '../../core/ports.ts';

export interface Denied {
  /** As `Grant.credentialId` has them: `jti:<jti>` of a token, `key:<id>` of a key. */
  readonly credentials?: readonly string[] | undefined;
  /** Subjects, of whichever issuer and tenant. */
  readonly subjects?: readonly string[] | undefined;
  readonly tenants?: readonly string[] | undefined;
}

/**
 * Names of one kind that a program may deny, the oldest of which are forgotten beyond it. No
 * request adds any, so that no tenant brings back who was put out.
 */
const SAID_MAX = 100_000;

export class Denials {
  #configured: DeniedSets = setsOf({});
  #isTenantOut: (tenant: string) => boolean = () => false;
  readonly #said: DeniedSets = setsOf({});

  /**
   * What the config says from now on.
   * @param isTenantOut - of tenants that it does not name. Default: of none.
   */
  configure(denied: Denied, isTenantOut: (tenant: string) => boolean = () => false): void {
    this.#configured = setsOf(denied);
    this.#isTenantOut = isTenantOut;
  }

  deny(denied: Denied): void {
    for (const kind of KINDS) {
      for (const name of denied[kind] ?? []) addBounded(this.#said[kind], name);
    }
  }

  /** Takes back what `deny` said; what the config says stays. */
  allow(denied: Denied): void {
    for (const kind of KINDS) {
      for (const name of denied[kind] ?? []) this.#said[kind].delete(name);
    }
  }

  /** @param grant - absent where nobody's single credential is meant, as of a session. */
  isDenied(principal: Principal, grant?: Grant): boolean {
    if (this.#isTenantOut(principal.tenant)) return true;
    return [this.#configured, this.#said].some(
      ({ credentials, subjects, tenants }) =>
        tenants.has(principal.tenant) ||
        subjects.has(principal.subject) ||
        (grant?.credentialId !== undefined && credentials.has(grant.credentialId)),
    );
  }
}

const KINDS = ['credentials', 'subjects', 'tenants'] as const;

type DeniedSets = Readonly<Record<(typeof KINDS)[number], Set<string>>>;

function setsOf({ credentials, subjects, tenants }: Denied): DeniedSets {
  return {
    credentials: new Set(credentials),
    subjects: new Set(subjects),
    tenants: new Set(tenants),
  };
}

function addBounded(names: Set<string>, name: string): void {
  names.delete(name);
  for (const oldest of names) {
    if (names.size < SAID_MAX) break;
    names.delete(oldest);
  }
  names.add(name);
}
