/** From the nodes of a document to plain data, with every place noted on the way. */
import { isAlias, isMap, isScalar, isSeq, type Node, type Pair, type YAMLMap } from 'yaml';
import { NESTING_MAX } from './nesting.ts';
import type { Places } from './places.ts';
import type { ConfigPath } from './problem.ts';
import { type ProblemList, quoted } from './problem-list.ts';

/** Values of one file, each as often as aliases repeat it: they may multiply without bound. */
const VALUES_MAX = 50_000;

/** Strings, numbers, booleans, null, arrays and objects without a prototype's keys. */
export function plainValue(root: unknown, places: Places, problems: ProblemList): unknown {
  return new Walk(places, problems).value(root, []);
}

interface Entry {
  readonly value: unknown;
  readonly isMerged: boolean;
}

class Walk {
  readonly #places: Places;
  readonly #problems: ProblemList;
  /** The node that each name means where the walk is; and what each alias meant. */
  readonly #anchors = new Map<string, Node>();
  readonly #meant = new Map<Node, Node>();
  #left = VALUES_MAX;
  #aliasDepth = 0;

  constructor(places: Places, problems: ProblemList) {
    this.#places = places;
    this.#problems = problems;
  }

  value(node: unknown, path: ConfigPath, key?: number): unknown {
    const at = offsetOf(node) ?? key ?? 0;
    this.#places.set(path, { key: key ?? at, value: at });
    if (!this.#hasRoom(at, path)) return null;
    if (isAlias(node)) {
      return this.#follow(node, path, (target) => this.value(target, path, key ?? at)) ?? null;
    }
    this.#note(node);
    if (isMap(node)) return this.#map(node, path);
    if (isSeq(node)) {
      return node.items.map((item, index) => this.value(item, [...path, index]));
    }
    return isScalar(node) ? plainScalar(node.value) : null;
  }

  #map(node: YAMLMap, path: ConfigPath): Record<string, unknown> {
    const entries = new Map<string, Entry>();
    this.#pairs(node, path, entries, false);
    const result: Record<string, unknown> = {};
    for (const [key, { value }] of entries) result[key] = value;
    return result;
  }

  #pairs(node: YAMLMap, path: ConfigPath, entries: Map<string, Entry>, isMerged: boolean): void {
    for (const pair of node.items) this.#pair(pair, path, entries, isMerged);
  }

  #pair(pair: Pair, path: ConfigPath, entries: Map<string, Entry>, isMerged: boolean): void {
    const at = offsetOf(pair.key) ?? 0;
    const key = this.#keyText(pair.key, path, at);
    if (key === undefined) return;
    if (key === '<<') {
      this.#merge(pair.value, path, entries);
      return;
    }
    const known = entries.get(key);
    if (isMerged && known !== undefined) return;
    const here = [...path, key];
    if (known !== undefined && !known.isMerged) {
      this.#problems.at(at, here, `The key ${quoted(key)} stands here twice. Leave one out.`);
      return;
    }
    entries.set(key, { value: this.value(pair.value, here, at), isMerged });
  }

  /** @see https://yaml.org/type/merge.html */
  #merge(node: unknown, path: ConfigPath, entries: Map<string, Entry>): void {
    const at = offsetOf(node) ?? 0;
    if (!this.#hasRoom(at, path)) return;
    if (isAlias(node)) this.#follow(node, path, (target) => this.#merge(target, path, entries));
    else if (isMap(node)) {
      this.#note(node);
      this.#pairs(node, path, entries, true);
    } else if (isSeq(node)) {
      this.#note(node);
      for (const item of node.items) this.#merge(item, path, entries);
    } else this.#problems.at(at, [...path, '<<'], 'Merge keys with *name, or a list of those.');
  }

  #keyText(node: unknown, path: ConfigPath, at: number): string | undefined {
    if (!isScalar(node)) {
      this.#problems.at(at, path, 'A key must be text.');
      return undefined;
    }
    this.#note(node);
    // A number or a word such as true is the key that is written, not what it stands for.
    const key = typeof node.value === 'string' ? node.value : (node.source ?? '');
    if (key !== '__proto__') return key;
    this.#problems.at(at, path, 'The key __proto__ is not allowed.');
    return undefined;
  }

  #note(node: unknown): void {
    if (this.#aliasDepth > 0 || !(isMap(node) || isSeq(node) || isScalar(node))) return;
    if (node.anchor !== undefined) this.#anchors.set(node.anchor, node);
  }

  #follow<T>(alias: Node & { source: string }, path: ConfigPath, then: (to: Node) => T): T | null {
    const at = offsetOf(alias) ?? 0;
    if (this.#aliasDepth === 0) {
      const target = this.#anchors.get(alias.source);
      if (target !== undefined) this.#meant.set(alias, target);
    }
    const target = this.#meant.get(alias);
    if (target === undefined || this.#aliasDepth >= NESTING_MAX) {
      const reason = target === undefined ? 'is not defined before it' : 'contains itself';
      this.#problems.at(at, path, `What the alias ${quoted(alias.source)} names ${reason}.`);
      return null;
    }
    this.#aliasDepth += 1;
    try {
      return then(target);
    } finally {
      this.#aliasDepth -= 1;
    }
  }

  #hasRoom(at: number, path: ConfigPath): boolean {
    this.#left -= 1;
    if (this.#left === -1) {
      this.#problems.at(at, path, `The file holds more than ${VALUES_MAX} values.`);
    }
    return this.#left >= 0;
  }
}

function plainScalar(value: unknown): unknown {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean'
    ? value
    : null;
}

function offsetOf(node: unknown): number | undefined {
  if (!(isAlias(node) || isMap(node) || isSeq(node) || isScalar(node))) return undefined;
  return node.range?.[0];
}
