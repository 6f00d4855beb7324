/**
 * What tools say of themselves, learned from the lists that pass by. A tool nobody has heard of may
 * do anything: what the specification assumes of a tool without annotations.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
import { isDeepStrictEqual } from 'node:util';
import type { ToolFacts, ToolsThere } from '../../core/access.ts';
import { recordOf } from './question.ts';

export const UNKNOWN_TOOL: ToolFacts = {
  readOnly: false,
  destructive: true,
  idempotent: false,
  openWorld: true,
};

/** Tools remembered, the longest unheard of forgotten beyond it. */
const TOOLS_MAX = 50_000;
/** Servers of which it is remembered what conversations said last. */
const SERVERS_MAX = 1000;

interface Entry {
  readonly owner: string;
  readonly facts: ToolFacts;
}

interface Owned {
  readonly keys: Set<string>;
  /** Its whole list is known: what that does not hold is not looked up elsewhere. */
  isWhole: boolean;
}

export class ToolBook {
  readonly #facts = new Map<string, Entry>();
  /** By owner; those alone of whom anything is known. */
  readonly #owned = new Map<string, Owned>();
  /** By server, the newest: most conversations with one say the same. */
  readonly #there = new Map<string, ToolsThere>();

  /** @param owner - whose list it is: what one tenant's server says counts for no other. */
  learn(owner: string, name: string, tool: Readonly<Record<string, unknown>>): ToolFacts {
    const facts = factsOf(recordOf(tool['annotations']));
    const key = keyOf(owner, name);
    this.#facts.delete(key);
    this.#facts.set(key, { owner, facts });
    this.#ownedBy(owner).keys.add(key);
    if (this.#facts.size > TOOLS_MAX) this.#forgetOldest();
    return facts;
  }

  /** @param others - whose list counts where the owner's is not known. */
  find(owner: string, name: string, others: string): ToolFacts {
    const own = this.#facts.get(keyOf(owner, name));
    if (own !== undefined) return own.facts;
    if (this.#owned.get(owner)?.isWhole === true) return UNKNOWN_TOOL;
    return this.#facts.get(keyOf(others, name))?.facts ?? UNKNOWN_TOOL;
  }

  /** The list of this owner was read to its end: what was heard of others before is no more. */
  replace(owner: string, tools: ReadonlyMap<string, Readonly<Record<string, unknown>>>): void {
    this.forget(owner);
    for (const [name, tool] of tools) this.learn(owner, name, tool);
    this.#ownedBy(owner).isWhole = true;
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
    for (const key of this.#owned.get(owner)?.keys ?? []) this.#facts.delete(key);
    this.#owned.delete(owner);
  }

  owners(): readonly string[] {
    return [...this.#owned.keys()];
  }

  #ownedBy(owner: string): Owned {
    let owned = this.#owned.get(owner);
    if (owned === undefined) {
      owned = { keys: new Set(), isWhole: false };
      this.#owned.set(owner, owned);
      const [oldest] = this.#owned.keys();
      if (this.#owned.size > TOOLS_MAX && oldest !== undefined) this.forget(oldest);
    }
    return owned;
  }

  #forgetOldest(): void {
    const [oldest] = this.#facts;
    if (oldest === undefined) return;
    const [key, { owner }] = oldest;
    this.#facts.delete(key);
    const owned = this.#owned.get(owner);
    owned?.keys.delete(key);
    if (owned?.keys.size === 0 && !owned.isWhole) this.#owned.delete(owner);
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

function keyOf(owner: string, name: string): string {
  return `${owner.length}:${owner}${name}`;
}

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
