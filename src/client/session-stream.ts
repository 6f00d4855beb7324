/**
 * The standalone stream of a 2025 session, kept up as long as the session lives: resumed where it
 * broke, or told to look again where it cannot be. A server that had one and refuses it now may
 * want another credential, or be starting: it is asked again a few times, then with its calls.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#listening-for-messages-from-the-server
 */
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { ReconnectDelay } from './reconnect-delay.ts';
import { Reply, type ReplyEnd } from './reply.ts';
import { describeEnd, isPassing } from './reply-end.ts';
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

/** Refusals in a row, after which the stream is asked for when the server took a call. */
const REFUSALS_MAX = 5;

export class SessionStream {
  readonly #context: ClientContext;
  readonly #requests: SessionRequests;
  readonly #events: SessionStreamEvents;
  readonly #delay: ReconnectDelay;
  #reply: Reply | undefined;
  #lastEventId = '';
  #retryMs: number | undefined;
  /** Whether it was open before, or refused, so that something may have been missed. */
  #mayHaveMissed = false;
  #isKnown: boolean;
  #refusals = 0;
  /** Whether it waits for a call that the server takes. */
  #isResting = false;
  #disarm: (() => void) | undefined;

  /** @param isKnown - whether the server had such a stream. */
  constructor(
    context: ClientContext,
    requests: SessionRequests,
    events: SessionStreamEvents,
    isKnown: boolean,
  ) {
    this.#context = context;
    this.#requests = requests;
    this.#events = events;
    this.#isKnown = isKnown;
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
          if (this.#mayHaveMissed && !isExact) this.#events.gap();
          this.#mayHaveMissed = true;
          this.#isKnown = true;
          this.#refusals = 0;
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

  /** The server took a call: it may have the stream, too. */
  wake(): void {
    if (!this.#isResting) return;
    this.#isResting = false;
    this.#openLater(undefined);
  }

  close(): void {
    this.#isResting = false;
    this.#disarm?.();
    this.#reply?.abort();
    this.#reply = undefined;
  }

  #ended(end: ReplyEnd): void {
    const reply = this.#reply;
    if (reply === undefined) return;
    const isRefused = end.kind === 'refused' || (end.kind === 'complete' && !reply.isStream);
    const status = end.kind === 'refused' ? end.status : undefined;
    if (isRefused && !this.#mayRecover(status)) return;
    this.#lastEventId = reply.lastEventId;
    if (status === 400) this.#lastEventId = '';
    this.#retryMs = reply.retryMs ?? this.#retryMs;
    if (isRefused) this.#mayHaveMissed = true;
    if (this.#refusals > REFUSALS_MAX) this.#rest(end);
    else this.#openLater(end.kind === 'refused' ? end.retryAfterMs : this.#retryMs);
  }

  #openLater(askedMs: number | undefined): void {
    const delayMs = this.#delay.next(askedMs);
    this.#context.telemetry.count('upstream_reconnects_total', { kind: 'standalone' });
    this.#disarm = this.#context.clock.after(delayMs, () => this.open());
  }

  #rest(end: ReplyEnd): void {
    this.#isResting = true;
    const { name, telemetry } = this.#context;
    const detail = `its stream is not to be had: ${describeEnd(end)}`;
    telemetry.log('warn', 'upstream_call_failed', { upstream: name, era: '2025', detail });
  }

  /**
   * A server without such a stream says 405, or 404 where it has no such route; one that forgot the
   * session says 404.
   * @param status - undefined: it answered with something that is no stream.
   */
  #mayRecover(status: number | undefined): boolean {
    if (status === 404 && this.#requests.sessionId !== undefined) {
      // Of a server that never had such a stream, it says no more than a 405.
      if (this.#isKnown) this.#events.sessionUnknown();
      return false;
    }
    // An event id that is not known any more: the stream is opened anew, with a gap.
    if (status === 400 && this.#lastEventId !== '') return true;
    if (status !== undefined && isPassing(status)) return true;
    if (!this.#isKnown || status === 405) return false;
    this.#refusals += 1;
    return true;
  }
}
