/**
 * One list out of those of several servers: in the order of the servers, and within each in its
 * own. What is too long for one result goes on at a cursor.
 */
import { SERVER_INFO } from '../bridge/modern-client/modern-result.ts';
import type { ListKind } from './list-kind.ts';
import type { ListItem, ListPage } from './list-page.ts';
import { mergedCaching, NOT_KEPT, type Caching } from './merged-caching.ts';
import { writeCursor } from './merged-cursor.ts';
import type { ServerInfo } from './merged-discover.ts';
import { TOOL_NAME_CHARS_MAX } from './merged-name.ts';

export interface MemberPages {
  readonly server: string;
  /** In their order; the last one's `next` is where a longer list goes on. */
  readonly pages: readonly ListPage[];
}

export interface MergeListFacts {
  readonly kind: ListKind;
  readonly serverInfo: ServerInfo;
  /** Whether every server that should be in it is. */
  readonly isComplete: boolean;
  /** Characters of one result. */
  readonly charsMax: number;
  /** Whether another server, on an earlier page, has this URI. */
  readonly isTaken: (key: string, server: string) => boolean;
}

/** An entry that is not in the merged list though its server has it. */
export interface LeftOut {
  readonly server: string;
  readonly key: string;
  readonly reason: 'repeated' | 'name-too-long';
}

export interface MergedList {
  /** The result as JSON. */
  readonly text: string;
  readonly leftOut: readonly LeftOut[];
}

export function mergedList(members: readonly MemberPages[], facts: MergeListFacts): MergedList {
  const items: string[] = [];
  const cachings: Caching[] = [];
  const leftOut: LeftOut[] = [];
  const seen = new Set<string>();
  let chars = 0;
  let next: string | undefined;
  for (const { server, page } of pagesOf(members)) {
    if (cachings.length > 0 && chars + page.chars > facts.charsMax) {
      next = writeCursor({ server, cursor: page.cursor });
      break;
    }
    chars += page.chars;
    cachings.push(page.caching);
    for (const item of page.items) {
      const reason = faultOf(item, server, seen, facts);
      seen.add(item.key);
      if (reason === undefined) items.push(item.text);
      else leftOut.push({ server, key: item.key, reason });
    }
    if (page.next !== undefined && isLast(members, server, page)) {
      next = writeCursor({ server, cursor: page.next });
      break;
    }
  }
  return { text: resultText(items, next, cachings, facts), leftOut };
}

function* pagesOf(members: readonly MemberPages[]): Generator<{ server: string; page: ListPage }> {
  for (const { server, pages } of members) for (const page of pages) yield { server, page };
}

/** Whether the pages of its server end here. */
function isLast(members: readonly MemberPages[], server: string, page: ListPage): boolean {
  return members.find((each) => each.server === server)?.pages.at(-1) === page;
}

function faultOf(
  { key }: ListItem,
  server: string,
  seen: ReadonlySet<string>,
  { kind, isTaken }: MergeListFacts,
): LeftOut['reason'] | undefined {
  if (seen.has(key) || isTaken(key, server)) return 'repeated';
  // One name that a client cannot take would cost it the tools of all servers.
  const isTooLong = kind.member === 'tools' && key.length > TOOL_NAME_CHARS_MAX;
  return isTooLong ? 'name-too-long' : undefined;
}

function resultText(
  items: readonly string[],
  next: string | undefined,
  cachings: readonly Caching[],
  { kind, isComplete, serverInfo }: MergeListFacts,
): string {
  // A list with a hole is nobody's to keep: the server that lacks may answer the next time.
  const caching = isComplete ? mergedCaching(cachings) : NOT_KEPT;
  const rest = { nextCursor: next, ...caching, _meta: { [SERVER_INFO]: serverInfo } };
  const list = `"${kind.member}":[${items.join(',')}]`;
  return `{"resultType":"complete",${list},${JSON.stringify(rest).slice(1)}`;
}
