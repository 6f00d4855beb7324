/**
 * What tools say of themselves, learned from the lists that pass by. A tool nobody has heard of may
 * do anything: what the specification assumes of a tool without annotations.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/schema#toolannotations
 */
import { recordOf } from './question.ts';

export interface ToolFacts {
  readonly readOnly: boolean;
  readonly destructive: boolean;
  readonly idempotent: boolean;
  readonly openWorld: boolean;
}

export const UNKNOWN_TOOL: ToolFacts = {
  readOnly: false,
  destructive: true,
  idempotent: false,
  openWorld: true,
};

/** Tools remembered, the longest unheard of forgotten beyond it. */
const TOOLS_MAX = 50_000;

export class ToolBook {
  readonly #facts = new Map<string, ToolFacts>();

  /** @param owner - whose list it is: what one tenant's server says counts for no other. */
  learn(owner: string, name: string, tool: Readonly<Record<string, unknown>>): ToolFacts {
    const facts = factsOf(recordOf(tool['annotations']));
    const key = keyOf(owner, name);
    this.#facts.delete(key);
    this.#facts.set(key, facts);
    const [oldest] = this.#facts.keys();
    if (this.#facts.size > TOOLS_MAX && oldest !== undefined) this.#facts.delete(oldest);
    return facts;
  }

  /** @param others - whose list counts where the owner's is not known. */
  find(owner: string, name: string, others: string): ToolFacts {
    const known = this.#facts.get(keyOf(owner, name)) ?? this.#facts.get(keyOf(others, name));
    return known ?? UNKNOWN_TOOL;
  }
}

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
