/**
 * Writes `params`, `result` or `error` as JSON text once, and notes where the members lie that an
 * engine may rewrite. The text equals what `JSON.stringify` gives.
 */
import type { MessageKind, PayloadSpans, Span } from '../../../core/protocol/message.ts';

export interface Payload {
  readonly text: string;
  readonly spans: PayloadSpans;
}

const SUBSCRIPTION_ID_KEY = 'io.modelcontextprotocol/subscriptionId';
const NO_SPANS: PayloadSpans = {};

/**
 * @returns undefined when the value has no JSON form (`undefined`, a function).
 * @throws what `JSON.stringify` throws: BigInt, cycles, nesting beyond the stack, a bad `toJSON`.
 */
export function writePayload(kind: MessageKind, value: unknown): Payload | undefined {
  if (!isPlainObject(value) || (kind === 'response' && value['_meta'] === undefined)) {
    const text = JSON.stringify(value) as string | undefined;
    return text === undefined ? undefined : { text, spans: NO_SPANS };
  }
  const { text, members } = writeObject(value);
  const meta = members.get('_meta');
  const inMeta = isPlainObject(value['_meta']) ? writeObject(value['_meta']).members : undefined;
  const fromMeta = (key: string): Span | undefined => shifted(inMeta?.get(key), meta?.start ?? 0);
  const own = (key: string): Span | undefined =>
    kind === 'notification' ? members.get(key) : undefined;
  return {
    text,
    spans: {
      meta: inMeta === undefined ? undefined : meta,
      progressToken: kind === 'request' ? fromMeta('progressToken') : own('progressToken'),
      requestId: own('requestId'),
      subscriptionId: fromMeta(SUBSCRIPTION_ID_KEY),
    },
  };
}

/** An object whose own members are all that `JSON.stringify` looks at. */
function isPlainObject(value: unknown): value is Record<string, unknown> {
  return (
    typeof value === 'object' && value !== null && !Array.isArray(value) && !('toJSON' in value)
  );
}

function writeObject(value: Record<string, unknown>): {
  readonly text: string;
  readonly members: Map<string, Span>;
} {
  const members = new Map<string, Span>();
  let text = '{';
  for (const key of Object.keys(value)) {
    // Wrapped, so that a member's `toJSON` is called with its own key as JSON.stringify does.
    const member = JSON.stringify({ [key]: value[key] });
    if (member === '{}') {
      continue;
    }
    const name = `${text === '{' ? '' : ','}${JSON.stringify(key)}:`;
    const start = text.length + name.length;
    text += (text === '{' ? '' : ',') + member.slice(1, -1);
    members.set(key, { start, end: text.length });
  }
  return { text: `${text}}`, members };
}

function shifted(span: Span | undefined, by: number): Span | undefined {
  return span === undefined ? undefined : { start: span.start + by, end: span.end + by };
}
