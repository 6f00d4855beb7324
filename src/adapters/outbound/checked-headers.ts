/** Headers an operator or an application gives for requests of ours. */
import { byName, checkOption, text } from '../../core/option-kinds.ts';
import { validateHeaderName, validateHeaderValue } from 'node:http';

/** What a connection or the protocol itself sets. */
const OURS: ReadonlySet<string> = new Set([
  'accept',
  'accept-encoding',
  'connection',
  'content-length',
  'content-type',
  'expect',
  'host',
  'keep-alive',
  'last-event-id',
  'mcp-method',
  'mcp-name',
  'mcp-protocol-version',
  'mcp-session-id',
  'transfer-encoding',
  'upgrade',
]);

/**
 * The headers as a flat list: name, value, name, value.
 * @throws TypeError when a name or a value is not one, or the name is not free to be chosen. The
 * value, which may be a secret, is not in the message.
 */
export function checkedHeaders(headers: Readonly<Record<string, string>>): readonly string[] {
  // What a `Headers` or a `Map` holds are no members of it, and would be left out in silence.
  checkOption('headers', headers, byName(text));
  return Object.entries(headers).flatMap(([name, value]) => {
    const fault = headerFault(name, value);
    if (fault !== undefined) throw new TypeError(fault);
    return [name, value];
  });
}

/** What is wrong with a header: one sentence without its value, or undefined. */
export function headerFault(name: string, value: string): string | undefined {
  try {
    validateHeaderName(name);
  } catch {
    return 'A header name holds characters that no header name may hold.';
  }
  if (OURS.has(name.toLowerCase())) return `The header ${name} is set by the protocol.`;
  try {
    validateHeaderValue(name, value);
  } catch {
    return `The value of the header ${name} holds characters that no header may hold.`;
  }
  return undefined;
}
