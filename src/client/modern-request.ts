/** One message of the stateless revision as an HTTP request. */
import type { OutboundRequest } from '../core/outbound.ts';
import { claimedVersion } from '../core/protocol/eras/stateless-2026.ts';
import type { Message } from '../core/protocol/message.ts';
import { standardHeadersOf } from '../core/protocol/standard-headers.ts';
import { MODERN_VERSIONS } from '../core/protocol/versions.ts';
import type { ClientContext } from './client-context.ts';
import { isRepeatable } from './failed-call.ts';

/** What every POST of ours says it takes and brings. */
export const POST_HEADERS: readonly string[] = [
  'Content-Type',
  'application/json',
  'Accept',
  'application/json, text/event-stream',
  'Accept-Encoding',
  'identity',
];

/**
 * The POST of a message; undefined when its method cannot be said in a header.
 * @param paramLines - its `Mcp-Param-*` headers, flat.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#request-metadata
 */
export function modernRequest(
  context: ClientContext,
  message: Message,
  paramLines: readonly string[],
): OutboundRequest | undefined {
  const claimed = claimedVersion(message);
  const version = typeof claimed === 'string' ? claimed : (MODERN_VERSIONS[0] ?? '');
  const standard = standardHeadersOf(message, version);
  if (standard === undefined) return undefined;
  return {
    method: 'POST',
    url: context.url,
    headers: [...context.headers, ...POST_HEADERS, ...standard, ...paramLines],
    body: message.toText(),
    isRepeatable: isRepeatable(message.method),
    origin: message.origin,
  };
}
