/**
 * The headers that repeat what the body says, so that what routes on headers and what acts on the
 * body cannot be made to see two different requests.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#server-validation
 */
import type { Refusal } from '../errors.ts';
import type { RequestHead } from '../ports.ts';
import { decodeHeaderValue, encodeHeaderValue, trimOuter } from './header-value.ts';
import type { Message } from './message.ts';

/** What the header checks read of a request. */
export type HeaderSource = Pick<RequestHead, 'header' | 'headerCount' | 'headerNames'>;

/** Which member of `params` the `Mcp-Name` header repeats. */
const NAME_SOURCES: Readonly<Record<string, string>> = {
  'tools/call': 'name',
  'prompts/get': 'name',
  'resources/read': 'uri',
  'tasks/get': 'taskId',
  'tasks/update': 'taskId',
  'tasks/cancel': 'taskId',
};
const NAME_SOURCE_OF: ReadonlyMap<string, string> = new Map(Object.entries(NAME_SOURCES));

/** What a header holds as it is: visible ASCII. */
const VISIBLE = /^[\x21-\x7e]+$/;

/**
 * The headers a request is sent with, flat; undefined when its method cannot stand in a header,
 * which has no encoding there.
 * @param protocolVersion - what the body's `_meta` says.
 */
export function standardHeadersOf(
  message: Message,
  protocolVersion: string,
): readonly string[] | undefined {
  const method = message.method ?? '';
  if (!VISIBLE.test(method) || !VISIBLE.test(protocolVersion)) return undefined;
  const headers = ['MCP-Protocol-Version', protocolVersion, 'Mcp-Method', method];
  const source = NAME_SOURCE_OF.get(method);
  const name = source === undefined ? undefined : memberOf(message.value, source);
  return typeof name === 'string' ? [...headers, 'Mcp-Name', encodeHeaderValue(name)] : headers;
}

/**
 * Checks `MCP-Protocol-Version`, `Mcp-Method` and `Mcp-Name`. A notification needs none of them,
 * but those it has must be true.
 * @param protocolVersion - what the body's `_meta` says.
 */
export function checkStandardHeaders(
  message: Message,
  protocolVersion: string,
  head: HeaderSource,
): Refusal | undefined {
  const isRequired = message.kind === 'request';
  const problem =
    plainProblem(
      head,
      'mcp-protocol-version',
      'MCP-Protocol-Version',
      protocolVersion,
      isRequired,
    ) ??
    plainProblem(head, 'mcp-method', 'Mcp-Method', message.method ?? '', isRequired) ??
    nameProblem(message, head, isRequired);
  if (problem === undefined) return undefined;
  return { error: 'HEADER_MISMATCH', id: message.id, detail: problem };
}

/** A header that is never encoded. */
function plainProblem(
  head: HeaderSource,
  name: string,
  label: string,
  expected: string,
  isRequired: boolean,
): string | undefined {
  const count = head.headerCount(name);
  if (count === 0) return isRequired ? `The ${label} header is missing.` : undefined;
  if (count > 1) return `The ${label} header occurs more than once.`;
  const value = head.header(name) ?? '';
  if (value === expected || trimOuter(value) === expected) return undefined;
  return `The ${label} header differs from the body.`;
}

function nameProblem(
  message: Message,
  head: HeaderSource,
  isRequired: boolean,
): string | undefined {
  const source = NAME_SOURCE_OF.get(message.method ?? '');
  if (source === undefined) return undefined;
  const count = head.headerCount('mcp-name');
  if (count > 1) return 'The Mcp-Name header occurs more than once.';
  const expected = memberOf(message.value, source);
  if (typeof expected !== 'string') {
    return count === 0 ? undefined : `The body has no params.${source} for the Mcp-Name header.`;
  }
  if (count === 0) return isRequired ? 'The Mcp-Name header is missing.' : undefined;
  const value = decodeHeaderValue(head.header('mcp-name') ?? '');
  if (value === undefined) return 'The Mcp-Name header is not validly encoded.';
  return value === expected ? undefined : `The Mcp-Name header differs from params.${source}.`;
}

function memberOf(value: unknown, name: string): unknown {
  if (typeof value !== 'object' || value === null || !Object.hasOwn(value, name)) return undefined;
  return (value as Readonly<Record<string, unknown>>)[name];
}
