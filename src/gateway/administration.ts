/** What whoever runs a gateway did, for the record: every act by one name, and never a setting. */
import type { Denied } from '../adapters/identity/denials.ts';
import type { AdministrativeAct, AuditTrail } from '../core/access.ts';
import type { ReloadOutcome } from './reload-outcome.ts';

/** Names of one kind in one line. */
const NAMES_MAX = 100;
/**
 * Characters of them together. A line has three kinds at most, and six bytes for a character that
 * is escaped: that is 147,456, well within what is read back as a line.
 */
const NAMES_CHARS_MAX = 8192;

type Act = Omit<AdministrativeAct, 'event'>;

/** What counts for all servers, and whether it is another now. */
export type ReloadNews = Required<Pick<AdministrativeAct, 'isPolicyNew' | 'isAuthNew'>>;

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

  /** @param news - of what counts for all servers. */
  reloaded(outcome: ReloadOutcome, news: ReloadNews): void {
    const act = { act: 'reload', by: 'config', outcome: outcome.kind } as const;
    if (outcome.kind === 'refused') {
      this.#record(act);
      return;
    }
    const { added, changed, removed } = outcome;
    this.#record({ ...act, added, changed, removed, ...news });
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
      const told = firstOf(value as readonly string[]);
      more += value.length - told.length;
      return [name, value.length === 0 ? undefined : told];
    });
    const said = Object.fromEntries(cut) as unknown as Act;
    this.#audit?.record({ event: 'administered', ...said, more: more === 0 ? undefined : more });
  }
}

/** As many as a line has room for. One that is too long does not hide those behind it. */
function firstOf(names: readonly string[]): readonly string[] {
  const told: string[] = [];
  let chars = 0;
  for (const name of names) {
    if (told.length === NAMES_MAX) break;
    if (chars + name.length > NAMES_CHARS_MAX) continue;
    chars += name.length;
    told.push(name);
  }
  return told;
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
