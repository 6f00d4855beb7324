/** The arguments of a call that policies may look at, by their paths; they see no others. */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';
import { folded } from '../../core/protocol/param-names.ts';
import { cedarValue } from './cedar-value.ts';
import type { ChosenArguments } from './policy-rules.ts';
import { recordOf } from './question.ts';

/** Paths of one tool; empty where nothing was chosen. */
export function pathsOf(chosen: ChosenArguments, server: string, tool: string): readonly string[] {
  const tools = Object.hasOwn(chosen, server) ? (chosen[server] ?? {}) : {};
  return Object.hasOwn(tools, tool) ? (tools[tool] ?? []) : [];
}

/**
 * An argument that is absent or null is left out.
 * @returns undefined when one holds what policies cannot be shown, or could be another one to the
 * server: then nobody may decide.
 */
export function chosenArguments(
  paths: readonly string[],
  given: unknown,
): Readonly<Record<string, CedarValueJson>> | undefined {
  const found: [string, CedarValueJson][] = [];
  for (const path of paths) {
    const at = valueOf(given, path);
    if (at === undefined) return undefined;
    const { value } = at;
    if (value === undefined || value === null) continue;
    const held = cedarValue(value);
    if (held === undefined) return undefined;
    found.push([path, held]);
  }
  return Object.fromEntries(found);
}

/**
 * A name that holds a dot is that argument; where the path begins there, too, nobody knows which
 * of them the tool reads.
 */
function valueOf(given: unknown, path: string): { readonly value: unknown } | undefined {
  const keys = path.split('.');
  const [beginning = ''] = keys;
  if (keys.length === 1 || !Object.hasOwn(recordOf(given), path)) return valueAt(given, keys);
  return Object.hasOwn(recordOf(given), beginning) ? undefined : valueAt(given, [path]);
}

/**
 * Undefined when a name beside the path differs from the path's only in case (V42), or when the
 * path goes on inside of a text that is JSON.
 */
function valueAt(value: unknown, keys: readonly string[]): { readonly value: unknown } | undefined {
  let found = value;
  for (const key of keys) {
    if (typeof found === 'string' && JSON_INSIDE.test(found)) return undefined;
    const record = recordOf(found);
    if (hasVariant(record, key)) return undefined;
    found = Object.hasOwn(record, key) ? record[key] : undefined;
  }
  return { value: found };
}

/** Servers of the Python SDK read such a text as the object or the list that it spells. */
const JSON_INSIDE = /^\s*[{[]/;

function hasVariant(record: Readonly<Record<string, unknown>>, key: string): boolean {
  const text = folded(key);
  return Object.keys(record).some((each) => each !== key && folded(each) === text);
}
