/**
 * For how long and by whom a result may be kept that several servers had a part in: no longer than
 * the shortest of theirs, and by nobody whom one of them excludes.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
export interface Caching {
  readonly ttlMs: number;
  readonly cacheScope: 'public' | 'private';
}

export const NOT_KEPT: Caching = { ttlMs: 0, cacheScope: 'private' };

/** What a result says; what it leaves out, or says wrongly, means the stricter. */
export function cachingOf(result: unknown): Caching {
  const { ttlMs, cacheScope } = (result ?? {}) as { ttlMs?: unknown; cacheScope?: unknown };
  const isTime = typeof ttlMs === 'number' && Number.isFinite(ttlMs) && ttlMs > 0;
  return {
    ttlMs: isTime ? Math.floor(ttlMs) : 0,
    cacheScope: cacheScope === 'public' ? 'public' : 'private',
  };
}

export function mergedCaching(all: readonly Caching[]): Caching {
  const [first, ...others] = all;
  if (first === undefined) return NOT_KEPT;
  return others.reduce(
    (one, other) => ({
      ttlMs: Math.min(one.ttlMs, other.ttlMs),
      cacheScope: one.cacheScope === 'private' ? 'private' : other.cacheScope,
    }),
    first,
  );
}
