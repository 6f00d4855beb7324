/** The names servers are served by: what they may be, and how others become one of those. */
import { createHash } from 'node:crypto';

export const SERVER_NAME: RegExp = /^[a-z0-9][a-z0-9-]{0,63}$/;
const NAME_CHARS_MAX = 64;

/** First segments of the gateway's own paths. */
export const RESERVED_NAMES: readonly string[] = [
  'all',
  'api',
  'healthz',
  'mcp',
  'message',
  'messages',
  'metrics',
  'readyz',
  'sse',
];

/** What is wrong with a name, as a sentence, or undefined. */
export function nameFault(name: string): string | undefined {
  if (RESERVED_NAMES.includes(name)) {
    return `This name is a path of the gateway itself. Use another, such as ${derivedName(name)}.`;
  }
  if (SERVER_NAME.test(name)) return undefined;
  return (
    `A server's name is at most ${NAME_CHARS_MAX} of a-z, 0-9 and -, and begins with a letter or ` +
    `digit. Use ${derivedName(name)}.`
  );
}

/** The name of a server whose file allows any characters in it; always the same one. */
export function derivedName(original: string): string {
  const plain = original
    .slice(0, 1000)
    .normalize('NFKD')
    .toLowerCase()
    .replace(/\p{M}+/gu, '')
    .replace(/[^a-z0-9]+/g, '-')
    .replace(/^-+/, '')
    .slice(0, NAME_CHARS_MAX)
    .replace(/-+$/, '');
  if (RESERVED_NAMES.includes(plain)) return `server-${plain}`;
  if (plain !== '') return plain;
  return `server-${createHash('sha256').update(original).digest('hex').slice(0, 8)}`;
}
