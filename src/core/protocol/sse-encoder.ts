/**
 * Writes Server-Sent Events. The only place that does, so that no value of a peer can end a field
 * early and inject an event of its own.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#event-stream-interpretation
 */

/** Characters that would end a field, and NUL, which makes a reader ignore an id. */
const FORBIDDEN = /[\0\r\n]/;
const LINE_BREAK = /\r\n|\r|\n/;

/**
 * One event.
 * @param event - the event's name; empty omits the field, which readers take as `message`.
 * @param data - any text; line breaks become several `data` lines, which readers join with LF.
 * @throws RangeError when `event` or `id` holds CR, LF or NUL: both are ours, so that is our bug.
 */
export function encodeEvent(event: string, data: string, id?: string): string {
  const idLine = id === undefined ? '' : `id: ${checked(id)}\n`;
  const eventLine = event === 'message' ? 'event: message\n' : nameLine(event);
  if (data.indexOf('\n') === -1 && data.indexOf('\r') === -1) {
    return `${eventLine}${idLine}data: ${data}\n\n`;
  }
  return `${eventLine}${idLine}data: ${data.split(LINE_BREAK).join('\ndata: ')}\n\n`;
}

/** A comment: readers drop it, so it keeps a connection alive without being an event. */
export function encodeComment(text?: string): string {
  return text === undefined || text === '' ? ':\n\n' : `: ${checked(text)}\n\n`;
}

/** Tells the reader how many milliseconds to wait before it reconnects. */
export function encodeRetry(ms: number): string {
  if (!Number.isSafeInteger(ms) || ms < 0) {
    throw new RangeError('A retry is a whole number of milliseconds.');
  }
  return `retry: ${ms}\n\n`;
}

/**
 * Gives the reader an id to come back with before there is anything to tell.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#sending-messages-to-the-server
 */
export function encodePriming(id: string): string {
  return `id: ${checked(id)}\ndata: \n\n`;
}

function nameLine(event: string): string {
  return event === '' ? '' : `event: ${checked(event)}\n`;
}

function checked(field: string): string {
  if (FORBIDDEN.test(field)) {
    throw new RangeError('A field of an event stream must not hold CR, LF or NUL.');
  }
  return field;
}
