/**
 * `Mcp-Param-*` headers: arguments of a tool that its schema asks to see repeated in headers.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#custom-headers-from-tool-parameters
 */
import type { Refusal } from '../errors.ts';
import type { RequestHead } from '../ports.ts';
import { decodeHeaderValue, encodeHeaderValue } from './header-value.ts';
import type { HeaderSource } from './standard-headers.ts';

export interface ParamHeader {
  /** The header's whole name, in lower case. */
  readonly name: string;
  /** The header's whole name as the schema spells it, for messages. */
  readonly label: string;
  /** Names of the properties from the arguments' root to the value. */
  readonly path: readonly string[];
  readonly type: 'string' | 'integer' | 'boolean';
}

export type ParamHeaders =
  | { readonly kind: 'headers'; readonly headers: readonly ParamHeader[] }
  /** The tool's definition breaks a rule; clients leave such a tool out. */
  | { readonly kind: 'invalid'; readonly reason: string };

type Schema = Readonly<Record<string, unknown>>;

const ANNOTATION = 'x-mcp-header';
const TOKEN = /^[!#$%&'*+.^_`|~0-9A-Za-z-]+$/;
/** An integer as a decimal; a fraction of zeros is tolerated, for `42.0` equals `42`. */
const INTEGER = /^-?(?:0|[1-9][0-9]*)(?:\.0+)?$/;
/** Schemas nested deeper are not looked at: no tool has them, and a walk must end. */
const SCHEMA_DEPTH_MAX = 512;

/** Keywords that hold one schema or a list of them, through which no annotation may be reached. */
const SCHEMA_KEYWORDS: readonly string[] = [
  'items',
  'prefixItems',
  'additionalItems',
  'contains',
  'additionalProperties',
  'unevaluatedProperties',
  'unevaluatedItems',
  'propertyNames',
  'contentSchema',
  'oneOf',
  'anyOf',
  'allOf',
  'not',
  'if',
  'then',
  'else',
];
/** Keywords that hold schemas by name, likewise. */
const SCHEMA_MAP_KEYWORDS: readonly string[] = [
  'patternProperties',
  'dependentSchemas',
  'dependencies',
  '$defs',
  'definitions',
];

/** Which headers a tool's input schema asks for. */
export function paramHeadersOf(inputSchema: unknown): ParamHeaders {
  const headers: ParamHeader[] = [];
  const reason = walk(inputSchema, [], true, 0, headers);
  return reason === undefined ? { kind: 'headers', headers } : { kind: 'invalid', reason };
}

/** Collects annotations; returns the first broken rule. */
function walk(
  node: unknown,
  path: readonly string[],
  isReachable: boolean,
  depth: number,
  headers: ParamHeader[],
): string | undefined {
  if (!isSchema(node)) return undefined;
  if (depth > SCHEMA_DEPTH_MAX) return 'The input schema is nested too deeply.';
  if (Object.hasOwn(node, ANNOTATION)) {
    const isProperty = isReachable && path.length > 0;
    if (!isProperty) return `${ANNOTATION} may only be set on a property reached by properties.`;
    const header = headerOf(node, path, headers);
    if (typeof header === 'string') return header;
    headers.push(header);
  }
  for (const [name, child] of namedSchemas(node, 'properties')) {
    const reason = walk(child, [...path, name], isReachable, depth + 1, headers);
    if (reason !== undefined) return reason;
  }
  for (const child of unreachableSchemas(node)) {
    const reason = walk(child, path, false, depth + 1, headers);
    if (reason !== undefined) return reason;
  }
  return undefined;
}

function headerOf(
  node: Schema,
  path: readonly string[],
  headers: readonly ParamHeader[],
): ParamHeader | string {
  const suffix = node[ANNOTATION];
  if (typeof suffix !== 'string' || !TOKEN.test(suffix)) {
    return `${ANNOTATION} must be a header name: letters, digits and !#$%&'*+.^_\`|~-.`;
  }
  const type = node['type'];
  if (type !== 'string' && type !== 'integer' && type !== 'boolean') {
    return `${ANNOTATION} needs a property of type string, integer or boolean.`;
  }
  const name = `mcp-param-${suffix.toLowerCase()}`;
  if (headers.some((other) => other.name === name)) {
    return `${ANNOTATION} names must differ in more than the case of their letters.`;
  }
  return { name, label: `Mcp-Param-${suffix}`, path, type };
}

function unreachableSchemas(node: Schema): unknown[] {
  const found: unknown[] = [];
  for (const keyword of SCHEMA_KEYWORDS) {
    if (!Object.hasOwn(node, keyword)) continue;
    const value = node[keyword];
    for (const each of Array.isArray(value) ? (value as unknown[]) : [value]) found.push(each);
  }
  for (const keyword of SCHEMA_MAP_KEYWORDS) {
    for (const [, child] of namedSchemas(node, keyword)) found.push(child);
  }
  return found;
}

function namedSchemas(node: Schema, keyword: string): [string, unknown][] {
  const schemas = Object.hasOwn(node, keyword) ? node[keyword] : undefined;
  return isSchema(schemas) ? Object.entries(schemas) : [];
}

function isSchema(node: unknown): node is Schema {
  return typeof node === 'object' && node !== null && !Array.isArray(node);
}

/** The headers a call is sent with, flat: one for each annotated argument that has a value. */
export function paramHeaderLines(headers: readonly ParamHeader[], args: unknown): string[] {
  return headers.flatMap((header) => {
    const value = valueAt(args, header.path);
    return isPrimitive(value) ? [header.label, encodeHeaderValue(String(value))] : [];
  });
}

/**
 * Compares each header a tool asks for with the argument it repeats. The refusal has no id: the
 * caller knows the request.
 */
export function checkParamHeaders(
  headers: readonly ParamHeader[],
  args: unknown,
  head: HeaderSource,
): Refusal | undefined {
  for (const header of headers) {
    const problem = problemOf(header, valueAt(args, header.path), head);
    if (problem !== undefined) {
      return { error: 'HEADER_MISMATCH', detail: `The ${header.label} header ${problem}` };
    }
  }
  return undefined;
}

/** The `Mcp-Param-*` headers a request came with, flat; one that is repeated stays so. */
export function paramLinesOf(head: Pick<RequestHead, 'header' | 'headerNames'>): string[] {
  const names = head.headerNames().filter((name) => name.startsWith('mcp-param-'));
  return names.flatMap((name) => [name, head.header(name) ?? '']);
}

function problemOf(header: ParamHeader, value: unknown, head: HeaderSource): string | undefined {
  const count = head.headerCount(header.name);
  if (count > 1) return 'occurs more than once.';
  if (!isPrimitive(value)) return count === 0 ? undefined : 'repeats no argument; leave it out.';
  if (count === 0) return 'is missing.';
  const decoded = decodeHeaderValue(head.header(header.name) ?? '');
  if (decoded === undefined) return 'is not validly encoded.';
  return isSame(header, decoded, value) ? undefined : 'differs from the argument in the body.';
}

/** Integers beyond 2^53 are refused: what was compared would not be what was sent. */
function isSame(header: ParamHeader, decoded: string, value: string | number | boolean): boolean {
  if (typeof value !== 'number') return decoded === String(value);
  if (header.type !== 'integer' || !Number.isInteger(value)) return decoded === String(value);
  return Number.isSafeInteger(value) && INTEGER.test(decoded) && Number(decoded) === value;
}

function isPrimitive(value: unknown): value is string | number | boolean {
  return typeof value === 'string' || typeof value === 'number' || typeof value === 'boolean';
}

function valueAt(root: unknown, path: readonly string[]): unknown {
  let node = root;
  for (const name of path) {
    if (!isSchema(node) || !Object.hasOwn(node, name)) return undefined;
    node = node[name];
  }
  return node;
}
