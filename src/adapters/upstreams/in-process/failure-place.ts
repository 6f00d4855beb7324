import { WordedFailure } from './worded-failure.ts';

/**
 * What failed in a server of this process, for the log: the kind of error and where. Not its
 * message, which is the server's own and may hold a connection string or an argument, unless it is
 * ours.
 */
export function failurePlace(error: unknown): string {
  if (error instanceof WordedFailure) return error.message;
  if (!(error instanceof Error)) return `it threw a ${typeof error}`;
  const { code } = error as NodeJS.ErrnoException;
  const kind = typeof code === 'string' && /^[A-Z][A-Z0-9_]{1,60}$/.test(code) ? code : '';
  const name = /^[A-Za-z]{1,40}$/.test(error.name) ? error.name : 'Error';
  const place = placeOf(error);
  return [name, kind, place].filter((part) => part !== '').join(' ');
}

/** The first frame; a message of several lines may look like one and is passed over. */
function placeOf({ stack = '', message }: Error): string {
  const end = stack.indexOf(message) + message.length;
  const frame = /^\s+(at [^\n]+)/m.exec(stack.slice(end))?.[1] ?? '';
  return frame.slice(0, 300);
}
