/** HTTP requests of ours, and what is told of their replies. A port. */
import type { Refusal } from './errors.ts';
import type { Origin } from './grant.ts';

export interface OutboundRequest {
  readonly method: 'GET' | 'POST' | 'DELETE';
  /** An absolute URL. */
  readonly url: string;
  /** Flat: name, value, name, value. A list that is frozen may be kept, for the next request. */
  readonly headers: readonly string[];
  readonly body?: string | undefined;
  /**
   * Whether it may be sent a second time when a connection that was kept turns out to be dead: true
   * only where a repeat does no harm.
   */
  readonly isRepeatable: boolean;
  /** Towards a server in this process: whose request it is. */
  readonly origin?: Origin | undefined;
}

export interface OutboundHead {
  readonly status: number;
  /** The value of a header (name in lower case); of several lines, joined with a comma. */
  header(name: string): string | undefined;
  /** What a server in this process refuses with: its very words, not read from the reply. */
  readonly refusal?: Refusal | undefined;
  /** Whether the server is in this process: what it refuses, it refuses to whoever asks of us. */
  readonly isLocal?: boolean | undefined;
}

export type OutboundEnd =
  /** The whole reply was received. */
  | { readonly kind: 'complete' }
  /**
   * Nothing of the request reached a server: no address, no connection, or one not allowed. Of a
   * credential that could not be had, `hint` is what its caller may be told.
   */
  | { readonly kind: 'unsent'; readonly detail: string; readonly hint?: string | undefined }
  /** The connection broke; how much the server did is unknown. */
  | { readonly kind: 'cut'; readonly detail: string };

export interface OutboundEvents {
  /** The whole request was taken by the kernel. At most once. */
  onSent(): void;
  /** At most once, before any byte. Redirects arrive as what they are: none is followed. */
  onHead(head: OutboundHead): void;
  onBytes(chunk: Uint8Array): void;
  /** The last event, exactly once, unless the request was aborted. */
  onEnd(end: OutboundEnd): void;
}

/** HTTP requests of ours. No content coding is undone, no address goes unchecked. */
export interface Outbound {
  /**
   * Never throws, and reports nothing before it returned.
   * @returns what aborts the request: nothing is reported after it. Idempotent.
   */
  send(request: OutboundRequest, events: OutboundEvents): () => void;
  /** Aborts all; resolves when no socket is left. */
  close(): Promise<void>;
}
