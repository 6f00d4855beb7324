/**
 * One page of one server's list, as it stands in the merged one: names with their server before
 * them, everything else as the text it came as.
 */
import type { Message } from '../protocol/message.ts';
import { membersOf, objectText } from '../protocol/object-members.ts';
import { itemsOf } from './array-items.ts';
import type { ListKind } from './list-kind.ts';
import { type Caching, cachingOf } from './merged-caching.ts';
import { joinName } from './merged-name.ts';

export interface ListItem {
  /** Its name or URI in the merged list. */
  readonly key: string;
  readonly text: string;
}

export interface ListPage {
  /** Asked with this cursor of the server; undefined for its first page. */
  readonly cursor: string | undefined;
  readonly items: readonly ListItem[];
  readonly caching: Caching;
  /** The server's cursor of the page after it. */
  readonly next: string | undefined;
  readonly chars: number;
}

/**
 * @param answer - a result, not an error.
 * @returns undefined when it holds no list.
 */
export function readPage(
  kind: ListKind,
  server: string,
  cursor: string | undefined,
  answer: Message,
): ListPage | undefined {
  const result = answer.value as Readonly<Record<string, unknown>>;
  const values = result[kind.member];
  const payload = answer.payload ?? '{}';
  const list = membersOf(payload).find(({ name }) => name === kind.member);
  if (!Array.isArray(values) || list === undefined) return undefined;
  const items: ListItem[] = [];
  for (const [index, text] of itemsOf(list.value).entries()) {
    const item = itemOf(kind, server, values[index], text);
    if (item !== undefined) items.push(item);
  }
  const { nextCursor } = result;
  return {
    cursor,
    items,
    caching: cachingOf(result),
    next: typeof nextCursor === 'string' ? nextCursor : undefined,
    chars: payload.length,
  };
}

/** Undefined for an entry without a name: nobody could ask for it. */
function itemOf(
  kind: ListKind,
  server: string,
  value: unknown,
  text: string,
): ListItem | undefined {
  const key = ((value ?? {}) as Readonly<Record<string, unknown>>)[kind.key];
  if (typeof key !== 'string' || key === '') return undefined;
  if (kind.key !== 'name') return { key, text };
  const name = joinName(server, key);
  const members = membersOf(text).map((member) =>
    member.name === 'name' ? `"name":${JSON.stringify(name)}` : member.text,
  );
  return { key: name, text: objectText(members) };
}
