/**
 * From one POSTed body to its era. The body decides: a request with a `_meta` claim is of the
 * stateless revision, whatever session header it carries; all else belongs to the handshake eras.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/versioning#backward-compatibility-with-initialization-based-versions
 */
import type { Refusal } from '../errors.ts';
import type { RequestHead } from '../ports.ts';
import {
  checkEnvelope,
  claimedVersion,
  unsupportedVersion,
  type Envelope,
} from './eras/stateless-2026.ts';
import type { Message } from './message.ts';
import { checkNotification } from './notification.ts';
import type { ReadMessage } from './read-message.ts';
import { isModernVersion } from './versions.ts';

/** What the upstream speaks, and so what this endpoint serves. */
export interface ServedEras {
  readonly legacy: boolean;
  readonly modern: boolean;
  /** Every version of this endpoint, newest first. */
  readonly supported: readonly string[];
}

export type Classified =
  | { readonly kind: 'modern-request'; readonly message: Message; readonly envelope: Envelope }
  | { readonly kind: 'modern-notification'; readonly message: Message }
  | {
      readonly kind: 'legacy';
      readonly entries: readonly (Message | Refusal)[];
      readonly isBatch: boolean;
    }
  | { readonly kind: 'refused'; readonly refusal: Refusal };

export function classify(read: ReadMessage, head: RequestHead, served: ServedEras): Classified {
  const version = head.header('mcp-protocol-version')?.trim();
  const isModernHeader = version !== undefined && isModernVersion(version);
  if (read.kind === 'refused') return read;
  if (read.kind === 'batch') return classifyBatch(read.entries, isModernHeader, served);
  const { message } = read;
  const claim = claimedVersion(message);
  if (claim === undefined && !isModernHeader && served.legacy) return legacy(message);
  if (!served.modern) return refuse({ error: 'LEGACY_ONLY', id: message.id });
  if (message.kind === 'response') {
    return refuse({
      error: 'INVALID_REQUEST',
      id: message.id,
      detail: 'Responses are not sent in this revision.',
    });
  }
  if (message.kind === 'notification') {
    const fault = checkNotification(message);
    return fault === undefined ? { kind: 'modern-notification', message } : refuse(fault);
  }
  if (claim === undefined && !isModernHeader) return refuseHandshake(message, served);
  const envelope = checkEnvelope(message, head, served.supported);
  if ('error' in envelope) return refuse(envelope);
  return { kind: 'modern-request', message, envelope };
}

function legacy(message: Message): Classified {
  return { kind: 'legacy', entries: [message], isBatch: false };
}

/** A request of the handshake eras where they are not served: it is told what is. */
function refuseHandshake(message: Message, { supported }: ServedEras): Classified {
  const requested = (message.value as { protocolVersion?: unknown } | undefined)?.protocolVersion;
  return refuse(unsupportedVersion(message.id, requested ?? null, supported));
}

function classifyBatch(
  entries: readonly (Message | Refusal)[],
  isModernHeader: boolean,
  served: ServedEras,
): Classified {
  const isModern = entries.some((entry) => 'kind' in entry && claimedVersion(entry) !== undefined);
  if (isModern || isModernHeader || !served.legacy) return refuse({ error: 'BATCH_NOT_ALLOWED' });
  return { kind: 'legacy', entries, isBatch: true };
}

function refuse(refusal: Refusal): Classified {
  return { kind: 'refused', refusal };
}
