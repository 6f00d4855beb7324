/**
 * The standalone stream of a 2025 session, kept up as long as the session lives: resumed where it
 * broke, or told to look again where it cannot be.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server
 */
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { Reply, type ReplyEnd } from './reply.ts';
import { isPassing } from './reply-end.ts';
import type { SessionRequests } from './session-requests.ts';

export interface SessionStreamEvents {
  message(message: Message): void;
  /** The server has such a stream. */
  opened(): void;
  /** It goes on, but what was sent meanwhile is lost. */
  gap(): void;
  /** The server does not know the session any more. */
  sessionUnknown(): void;
  stray(kind: string): void;
}

export class SessionStream {
  readonly #context: ClientContext;
  readonly #requests: SessionRequests;
  readonly #events: SessionStreamEvents;
  readonly #delay: ReconnectDelay;
  #reply: Reply | undefined;
  #lastEventId = '';
  #retryMs: number | undefined;
  /** Whether it was open before, so that something may have been missed. */
  #wasOpen = false;
  #disarm: (() => void) | undefined;

  constructor(context: ClientContext, requests: SessionRequests, events: SessionStreamEvents) {
    this.#context = context;
    this.#requests = requests;
    this.#events = events;
    this.#delay = new ReconnectDelay(context.random);
  }

  open(): void {
    const isResumed = this.#lastEventId !== '';
    const reply = new Reply(
      this.#context,
      this.#requests.get(this.#lastEventId),
      {
        onHead: (head) => {
          if (!reply.isStream) return;
          this.#events.opened();
          const isExact = isResumed && head.header('tidegate-resume') !== 'gap';
          if (this.#wasOpen && !isExact) this.#events.gap();
          this.#wasOpen = true;
        },
        onMessage: (message) => {
          this.#delay.succeeded();
          if (message.kind === 'response') this.#events.stray('response');
          else this.#events.message(message);
        },
        onOversized: () => this.#events.stray('oversized'),
        onEnd: (end) => this.#ended(end),
      },
      this.#lastEventId,
    );
    this.#reply = reply;
  }

  close(): void {
    this.#disarm?.();
    this.#reply?.abort();
    this.#reply = undefined;
  }

  #ended(end: ReplyEnd): void {
    const reply = this.#reply;
    if (reply === undefined) return;
    if (end.kind === 'refused' && !this.#mayRecover(end.status)) return;
    // What is no stream now will be none later.
    if (end.kind === 'complete' && !reply.isStream) return;
    this.#lastEventId = reply.lastEventId;
    if (end.kind === 'refused' && end.status === 400) this.#lastEventId = '';
    this.#retryMs = reply.retryMs ?? this.#retryMs;
    const askedMs = end.kind === 'refused' ? end.retryAfterMs : this.#retryMs;
    const delayMs = this.#delay.next(askedMs);
    this.#context.telemetry.count('upstream_reconnects_total', { kind: 'standalone' });
    this.#disarm = this.#context.clock.after(delayMs, () => this.open());
  }

  /**
   * A server without such a stream says 405, or 404 where it has no such route; one that forgot the
   * session says 404.
   */
  #mayRecover(status: number): boolean {
    if (status === 404 && this.#requests.sessionId !== undefined) {
      this.#events.sessionUnknown();
      return false;
    }
    // An event id that is not known any more: the stream is opened anew, with a gap.
    if (status === 400) return this.#lastEventId !== '';
    return isPassing(status);
  }
}
