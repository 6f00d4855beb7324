/**
 * A cursor is an SSE event id: `stream . generation - sequence . tag`, opaque to clients,
 * meaningful only together with the session it was minted for. The tag keeps another session's
 * cursor, or one from a store that lost its tail and reused positions, from resolving here. 2024
 * puts the session id in front, because an EventSource that reconnects sends nothing else.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#resumability-and-redelivery
 */
export interface Cursor {
  readonly stream: number;
  readonly generation: number;
  readonly sequence: number;
}

const CURSOR = /^([0-9a-z]{1,8})\.([0-9a-z]{1,8})-([0-9a-z]{1,10})\.[0-9a-z]{1,7}$/;

/** @param salt - 32 random bits of the session. */
export function formatCursor(cursor: Cursor, salt: number): string {
  const { stream, generation, sequence } = cursor;
  return `${place(stream, generation)}${sequence.toString(36)}.${tagOf(cursor, salt)}`;
}

/** Undefined for anything this session did not mint. */
export function parseCursor(text: string, salt: number): Cursor | undefined {
  const match = CURSOR.exec(text);
  if (match === null) return undefined;
  const cursor: Cursor = {
    stream: Number.parseInt(match[1] ?? '', 36),
    generation: Number.parseInt(match[2] ?? '', 36),
    sequence: Number.parseInt(match[3] ?? '', 36),
  };
  // Compared as a whole, so that leading zeros are no second spelling of a place.
  return formatCursor(cursor, salt) === text ? cursor : undefined;
}

/** Splits a 2024 event id into its session id and its cursor. */
export function splitSessionCursor(
  text: string,
): { readonly session: string; readonly cursor: string } | undefined {
  const dot = text.indexOf('.');
  if (dot < 1 || text.length > 256) return undefined;
  return { session: text.slice(0, dot), cursor: text.slice(dot + 1) };
}

function place(stream: number, generation: number): string {
  return `${stream.toString(36)}.${generation.toString(36)}-`;
}

/**
 * A 32-bit mix (the finaliser of MurmurHash3): no secret rests on it, only accidents are caught.
 */
function tagOf({ stream, generation, sequence }: Cursor, salt: number): string {
  let hash = mix(salt ^ stream);
  hash = mix(hash ^ generation);
  hash = mix(hash ^ (sequence >>> 0));
  return (mix(hash ^ Math.floor(sequence / 0x1_0000_0000)) >>> 0).toString(36);
}

function mix(value: number): number {
  let hash = value | 0;
  hash = Math.imul(hash ^ (hash >>> 16), 0x85eb_ca6b);
  hash = Math.imul(hash ^ (hash >>> 13), 0xc2b2_ae35);
  return hash ^ (hash >>> 16);
}
