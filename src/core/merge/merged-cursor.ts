/**
 * Where a merged list goes on: at which server, and there from which cursor of its own. Clients
 * must not look inside; what they change in it leads to a place they may read anyway.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/pagination
 */
export interface MergedCursor {
  readonly server: string;
  /** The server's own; undefined for the beginning of its list. */
  readonly cursor: string | undefined;
}

/** No name of a server holds it. */
const SEPARATOR = '~';

export function writeCursor({ server, cursor }: MergedCursor): string {
  return cursor === undefined ? server : `${server}${SEPARATOR}${cursor}`;
}

export function readCursor(text: string): MergedCursor {
  const at = text.indexOf(SEPARATOR);
  if (at === -1) return { server: text, cursor: undefined };
  return { server: text.slice(0, at), cursor: text.slice(at + SEPARATOR.length) };
}
