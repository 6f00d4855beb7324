/**
 * What a function leaves that was to return nothing: one that is asynchronous may fail later, and
 * nobody would be there to be told but the process, which would end.
 *
 * @returns whether it was a promise.
 */
export function heedPromise(
  left: unknown,
  failed: (error: unknown) => void,
  kept?: (value: unknown) => void,
): boolean {
  const { then } = (left ?? {}) as Partial<PromiseLike<unknown>>;
  if (typeof then !== 'function') return false;
  then.call(left, kept, failed);
  return true;
}
