/** A page of a server's `tools/list`, as we read it for ourselves. */

/** Pages that are read; a longer list is not read to its end. */
const PAGES_MAX = 100;

export interface ToolPage {
  readonly tools: readonly unknown[];
  /** Of the page that is read next; undefined where that is not done. */
  readonly nextCursor: string | undefined;
}

/** @param number - which page it is, from 1 on. */
export function toolPageOf(result: unknown, number: number): ToolPage {
  const { tools, nextCursor } = (result ?? {}) as {
    readonly tools?: unknown;
    readonly nextCursor?: unknown;
  };
  const hasNext = typeof nextCursor === 'string' && number < PAGES_MAX;
  return {
    tools: Array.isArray(tools) ? (tools as unknown[]) : [],
    nextCursor: hasNext ? nextCursor : undefined,
  };
}
