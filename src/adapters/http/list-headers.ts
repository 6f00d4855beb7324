/**
 * Headers that are lists, of those we read: several lines mean what one line of all of them does.
 * @see https://www.rfc-editor.org/rfc/rfc9110#section-5.3
 */
const LISTS: ReadonlySet<string> = new Set(['accept', 'access-control-request-headers']);

/** @param name - in lower case. */
export function isListHeader(name: string): boolean {
  return LISTS.has(name);
}
