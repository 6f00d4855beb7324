/**
 * Members of params that say what a request does. Servers whose parsers do not tell cases apart
 * would take `Name` for `name`, so that a policy and a server could see different requests.
 */
import { isWord } from './json-tokens.ts';

const NAMES = ['name', 'uri', 'arguments', 'ref', 'taskId', 'notifications', '_meta'] as const;
const CHARS_MAX = 'notifications'.length;
const FOLDED: ReadonlySet<string> = new Set(NAMES.map(folded));
/** Methods that have such members. Those of vendors may have others beside them. */
const DECIDED = /^(?:tools|prompts|resources|completion|subscriptions|tasks)\//;

/** Whether the members inside it matter, too: it holds more than a text or what is ours to read. */
export function isReadInside(source: string, start: number, end: number): boolean {
  return (
    isWord(source, start, end, 'arguments') ||
    isWord(source, start, end, 'ref') ||
    isWord(source, start, end, 'notifications')
  );
}

/** Whether it is one of them, save for the case of its letters. */
export function isParamVariant(source: string, start: number, end: number): boolean {
  if (end - start > CHARS_MAX) return false;
  for (const name of NAMES) if (isWord(source, start, end, name)) return false;
  return FOLDED.has(folded(source.slice(start, end)));
}

export function hasParamNames(method: string): boolean {
  return DECIDED.test(method);
}

/** Case is folded both ways, so that the long s and its like count as what they fold to. */
export function folded(name: string): string {
  return name.toLowerCase().toUpperCase();
}
