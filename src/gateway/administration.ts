/** What whoever runs a gateway did, for the record: every act by one name, and never a setting. */
import type { Denied } from '../adapters/identity/denials.ts';
import type { AdministrativeAct, AuditTrail } from '../core/access.ts';
import type { ReloadOutcome } from './reload-outcome.ts';

/** Names of one kind in one line. */
const NAMES_MAX = 100;

type Act = Omit<AdministrativeAct, 'event'>;

export class Administration {
  readonly #audit: AuditTrail | undefined;
  #configDenied: Denied;

  /**
   * @param audit - undefined where no record is kept.
   * @param denied - whom the config denies to begin with.
   */
  constructor(audit: AuditTrail | undefined, denied: Denied) {
    this.#audit = audit;
    this.#configDenied = denied;
  }

  reloaded(outcome: ReloadOutcome, isPolicyNew: boolean): void {
    const act = { act: 'reload', by: 'config', outcome: outcome.kind } as const;
    if (outcome.kind === 'refused') {
      this.#record(act);
      return;
    }
    const { added, changed, removed } = outcome;
    this.#record({ ...act, added, changed, removed, isPolicyNew });
  }

  /** Told of whom the config denies now: what differs is on the record. */
  configDenies(denied: Denied): void {
    const before = this.#configDenied;
    this.#configDenied = denied;
    this.denied('revoke', 'config', without(denied, before));
    this.denied('reinstate', 'config', without(before, denied));
  }

  denied(act: 'revoke' | 'reinstate', by: Act['by'], denied: Denied): void {
    const { credentials = [], subjects = [], tenants = [] } = denied;
    if (credentials.length + subjects.length + tenants.length === 0) return;
    this.#record({ act, by, ...denied });
  }

  keysAdded(credentials: readonly string[]): void {
    this.#record({ act: 'add', by: 'keys', credentials });
  }

  #record(act: Act): void {
    let more = 0;
    const cut = Object.entries(act).map(([name, value]): [string, unknown] => {
      if (!Array.isArray(value)) return [name, value];
      more += Math.max(0, value.length - NAMES_MAX);
      return [name, value.length === 0 ? undefined : value.slice(0, NAMES_MAX)];
    });
    const said = Object.fromEntries(cut) as unknown as Act;
    this.#audit?.record({ event: 'administered', ...said, more: more === 0 ? undefined : more });
  }
}

/** What the first denies and the second does not. */
function without(some: Denied, others: Denied): Denied {
  const left = (kind: keyof Denied): readonly string[] => {
    const known = new Set(others[kind]);
    return (some[kind] ?? []).filter((name) => !known.has(name));
  };
  return {
    credentials: left('credentials'),
    subjects: left('subjects'),
    tenants: left('tenants'),
  };
}
