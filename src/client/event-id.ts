/** Ids of events, as they go back to the server that gave them: in `Last-Event-ID`. */

/** Longer ones would be refused with the head they come in. */
const BYTES_MAX = 4096;
const PLAIN = /^[\u0020-\u007e]*$/;
/** What no header may hold. */
const CONTROL = /\p{Cc}/u;
const ENCODER = new TextEncoder();

/**
 * The id as the value of a header, one character a byte of its UTF-8, as browsers send it.
 * @returns undefined where no header can carry it: nothing is resumed from there.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
export function eventIdHeader(id: string): string | undefined {
  if (id.length > BYTES_MAX) return undefined;
  if (PLAIN.test(id)) return id;
  if (CONTROL.test(id)) return undefined;
  const bytes = ENCODER.encode(id);
  if (bytes.length > BYTES_MAX) return undefined;
  let value = '';
  for (const byte of bytes) value += String.fromCharCode(byte);
  return value;
}

/** The header that resumes a stream, flat; none for a new one. */
export function resumeLines(lastEventId: string): readonly string[] {
  const value = eventIdHeader(lastEventId) ?? '';
  return value === '' ? [] : ['Last-Event-ID', value];
}
