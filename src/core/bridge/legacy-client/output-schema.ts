/**
 * Output schemas for the handshake eras, which know objects alone: any other root is shown as the
 * one property `result` of an object.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/tools#output-schema
 */
type Schema = Readonly<Record<string, unknown>>;

/** Keywords whose value is data, not a schema. */
const OF_DATA: ReadonlySet<string> = new Set(['const', 'enum', 'default', 'examples']);

/** Keywords whose value maps names of the author's choice to schemas. */
const OF_NAMES: ReadonlySet<string> = new Set([
  'properties',
  'patternProperties',
  '$defs',
  'definitions',
  'dependentSchemas',
  'dependencies',
]);

const ROOT = '#/properties/result';

export function isObjectSchema(schema: Schema): boolean {
  return schema['type'] === 'object';
}

/** References into the same document are led to its new place; the dialect stays at the root. */
export function wrappedOutputSchema(schema: Schema): Schema {
  const dialect = schema['$schema'];
  return {
    ...(typeof dialect === 'string' ? { $schema: dialect } : {}),
    type: 'object',
    properties: { result: moved(schema) },
    required: ['result'],
  };
}

function moved(node: unknown): unknown {
  if (Array.isArray(node)) return node.map(moved);
  if (typeof node !== 'object' || node === null || hasOwnBase(node as Schema)) return node;
  const entries = Object.entries(node as Schema).map(([keyword, value]) => [
    keyword,
    movedValue(keyword, value),
  ]);
  return Object.fromEntries(entries) as Schema;
}

function movedValue(keyword: string, value: unknown): unknown {
  if (OF_DATA.has(keyword)) return value;
  if (OF_NAMES.has(keyword)) return movedEach(value);
  const isReference = keyword === '$ref' || keyword === '$dynamicRef';
  return isReference && typeof value === 'string' ? movedPointer(value) : moved(value);
}

function movedEach(names: unknown): unknown {
  if (typeof names !== 'object' || names === null || Array.isArray(names)) return names;
  return Object.fromEntries(Object.entries(names).map(([name, value]) => [name, moved(value)]));
}

function movedPointer(reference: string): string {
  if (reference === '#') return ROOT;
  return reference.startsWith('#/') ? `${ROOT}${reference.slice(1)}` : reference;
}

/** Pointers below an identifier of its own are relative to that, wherever the schema lies. */
function hasOwnBase(schema: Schema): boolean {
  const id = schema['$id'];
  return id !== undefined && !(typeof id === 'string' && id.startsWith('#'));
}
