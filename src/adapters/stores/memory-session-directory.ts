/**
 * Where sessions live when there is one process: a map from id to owner and handle, and a view of
 * it by principal. Iterating while sessions end is safe; a session that ends is not visited
 * afterwards.
 */
import type { Limits } from '../../core/limits.ts';
import type { Principal, SessionDirectory } from '../../core/ports.ts';

export type SessionDirectoryLimits = Pick<Limits, 'sessionsPerPrincipalMax' | 'sessionsMax'>;

interface Entry<Handle> {
  readonly principalKey: string;
  readonly handle: Handle;
}

export class MemorySessionDirectory<Handle> implements SessionDirectory<Handle> {
  readonly #limits: SessionDirectoryLimits;
  readonly #entries = new Map<string, Entry<Handle>>();
  readonly #byPrincipal = new Map<string, Map<string, Handle>>();

  constructor(limits: SessionDirectoryLimits) {
    this.#limits = limits;
  }

  create(id: string, principal: Principal, handle: Handle): boolean {
    const { sessionsMax, sessionsPerPrincipalMax } = this.#limits;
    if (this.#entries.has(id) || this.#entries.size >= sessionsMax) return false;
    let own = this.#byPrincipal.get(principal.key);
    if ((own?.size ?? 0) >= sessionsPerPrincipalMax) return false;
    if (own === undefined) {
      own = new Map();
      this.#byPrincipal.set(principal.key, own);
    }
    own.set(id, handle);
    this.#entries.set(id, { principalKey: principal.key, handle });
    return true;
  }

  find(id: string, principal: Principal): Handle | undefined {
    const entry = this.#entries.get(id);
    return entry?.principalKey === principal.key ? entry.handle : undefined;
  }

  has(id: string): boolean {
    return this.#entries.has(id);
  }

  end(id: string): void {
    const entry = this.#entries.get(id);
    if (entry === undefined) return;
    this.#entries.delete(id);
    const own = this.#byPrincipal.get(entry.principalKey);
    own?.delete(id);
    if (own?.size === 0) this.#byPrincipal.delete(entry.principalKey);
  }

  countOf(principal: Principal): number {
    return this.#byPrincipal.get(principal.key)?.size ?? 0;
  }

  count(): number {
    return this.#entries.size;
  }

  *all(): Iterable<Handle> {
    for (const entry of this.#entries.values()) yield entry.handle;
  }

  *ofPrincipal(principal: Principal): Iterable<Handle> {
    yield* this.#byPrincipal.get(principal.key)?.values() ?? [];
  }
}
