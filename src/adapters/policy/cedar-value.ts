/**
 * Values from outside as values of Cedar. What Cedar cannot hold is no value at all, so that
 * whoever asks may refuse it; and nobody's object becomes an entity or a function by how its keys
 * are named.
 * @see https://docs.cedarpolicy.com/auth/entities-syntax.html#json-escapes
 */
import type { CedarValueJson } from '@cedar-policy/cedar-wasm/nodejs';

/** Values lie in each other no deeper; policies that look further are no policies. */
const DEPTH_MAX = 8;
const ITEMS_MAX = 256;
/** In all: lists of lists within the bounds above kept the engine busy for half a minute. */
const VALUES_MAX = 4096;

/**
 * Null is left out, as if its key were absent or its list had one item less. A number with a
 * fraction is its JSON text, since Cedar counts in whole numbers.
 * @returns undefined for what cannot be said.
 */
export function cedarValue(value: unknown): CedarValueJson | undefined {
  return valueIn(value, 0, { left: VALUES_MAX });
}

/** Values that may still be said of the one that they lie in. */
interface Room {
  left: number;
}

function valueIn(value: unknown, depth: number, room: Room): CedarValueJson | undefined {
  room.left -= 1;
  if (room.left < 0) return undefined;
  switch (typeof value) {
    case 'string':
      return isText(value) ? value : undefined;
    case 'boolean':
      return value;
    case 'number':
      return Number.isSafeInteger(value) ? value : JSON.stringify(value);
    case 'object':
      break;
    default:
      return undefined;
  }
  if (value === null || depth >= DEPTH_MAX) return undefined;
  return Array.isArray(value) ? cedarSet(value, depth, room) : cedarRecord(value, depth, room);
}

function cedarSet(
  values: readonly unknown[],
  depth: number,
  room: Room,
): CedarValueJson | undefined {
  if (values.length > ITEMS_MAX) return undefined;
  const items: CedarValueJson[] = [];
  for (const each of values) {
    if (each === null) continue;
    const item = valueIn(each, depth + 1, room);
    if (item === undefined) return undefined;
    items.push(item);
  }
  return items;
}

function cedarRecord(value: object, depth: number, room: Room): CedarValueJson | undefined {
  const entries = Object.entries(value as Readonly<Record<string, unknown>>);
  if (entries.length > ITEMS_MAX) return undefined;
  const record: [string, CedarValueJson][] = [];
  for (const [key, each] of entries) {
    if (key.startsWith('__') || !isText(key)) return undefined;
    if (each === null) continue;
    const inner = valueIn(each, depth + 1, room);
    if (inner === undefined) return undefined;
    record.push([key, inner]);
  }
  return Object.fromEntries(record);
}

/** Half a surrogate pair would reach the engine as another character than it is sent on as. */
export function isText(text: string): boolean {
  return !/\p{Cs}/u.test(text);
}
