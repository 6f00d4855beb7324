/**
 * What tools say of themselves, learned from the lists that pass by. A tool nobody has heard of may
 * do anything: what the specification assumes of a tool without annotations.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolFacts, ToolsThere } from '../../core/access.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import { recordOf } from './question.ts';

export const UNKNOWN_TOOL: ToolFacts = {
  readOnly: false,
  destructive: true,
  idempotent: false,
  openWorld: true,
};

/**
 * Tools remembered, of all owners. Those that are forgotten may do anything, and so be refused: of
 * too many go those of whoever's server lists so many, the longest unheard of first.
 */
const TOOLS_MAX = 50_000;
/** Owners whose whole list is known: as many as there are servers and tenants, by the config. */
const WHOLE_MAX = 50_000;
/** Servers of which it is remembered what conversations said last. */
const SERVERS_MAX = 1000;

export class ToolBook {
  readonly #facts = new SharedCache<ToolFacts>(TOOLS_MAX);
  /** Whose whole list is known: what that does not hold is not looked up elsewhere. */
  readonly #whole = new Set<string>();
  /** By server, the newest: most conversations with one say the same. */
  readonly #there = new Map<string, ToolsThere>();

  /** @param owner - whose list it is: what one tenant's server says counts for no other. */
  learn(owner: string, name: string, tool: Readonly<Record<string, unknown>>): ToolFacts {
    const facts = factsOf(recordOf(tool['annotations']));
    this.#facts.set(owner, name, facts);
    return facts;
  }

  /** @param others - whose list counts where the owner's is not known. */
  find(owner: string, name: string, others: string): ToolFacts {
    const own = this.#facts.get(owner, name);
    if (own !== undefined) return own;
    if (this.#whole.has(owner)) return UNKNOWN_TOOL;
    return this.#facts.get(others, name) ?? UNKNOWN_TOOL;
  }

  /** The list of this owner was read to its end: what was heard of others before is no more. */
  replace(owner: string, tools: ReadonlyMap<string, Readonly<Record<string, unknown>>>): void {
    this.forget(owner);
    for (const [name, tool] of tools) this.learn(owner, name, tool);
    this.#whole.add(owner);
    const [oldest] = this.#whole;
    if (this.#whole.size > WHOLE_MAX && oldest !== undefined) this.forget(oldest);
  }

  /** One object for all conversations in a row that say the same: there may be thousands. */
  there(server: string, tools: ReadonlyMap<string, Readonly<Record<string, unknown>>>): ToolsThere {
    const found = new Map<string, ToolFacts>();
    for (const [name, tool] of tools) {
      if (found.size === TOOLS_MAX) break;
      found.set(name, factsOf(recordOf(tool['annotations'])));
    }
    const known = this.#there.get(server);
    if (known !== undefined && isDeepStrictEqual(known, found)) return known;
    this.#there.delete(server);
    this.#there.set(server, found);
    const [oldest] = this.#there.keys();
    if (this.#there.size > SERVERS_MAX && oldest !== undefined) this.#there.delete(oldest);
    return found;
  }

  forget(owner: string): void {
    this.#facts.deleteAll(owner);
    this.#whole.delete(owner);
  }

  owners(): readonly string[] {
    return [...new Set([...this.#whole, ...this.#facts.owners()])];
  }
}

/** Whatever a tool could say of itself. */
export const EVERY_TOOL: readonly ToolFacts[] = Array.from({ length: 16 }, (_, bits) =>
  factsOf({
    readOnlyHint: (bits & 1) > 0,
    destructiveHint: (bits & 2) > 0,
    idempotentHint: (bits & 4) > 0,
    openWorldHint: (bits & 8) > 0,
  }),
);

function factsOf(annotations: Readonly<Record<string, unknown>>): ToolFacts {
  const flag = (name: string, fallback: boolean): boolean => {
    const value = annotations[name];
    return typeof value === 'boolean' ? value : fallback;
  };
  const readOnly = flag('readOnlyHint', UNKNOWN_TOOL.readOnly);
  return {
    readOnly,
    destructive: !readOnly && flag('destructiveHint', UNKNOWN_TOOL.destructive),
    idempotent: readOnly || flag('idempotentHint', UNKNOWN_TOOL.idempotent),
    openWorld: flag('openWorldHint', UNKNOWN_TOOL.openWorld),
  };
}
