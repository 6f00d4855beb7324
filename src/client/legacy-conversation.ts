/**
 * A server of the handshake eras, over whichever transport it turns out to have: `initialize` is
 * POSTed, and only a server that does not know that is asked for a stream of 2024.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#http-sse-transport-2024-11-05
 */
import type { SendOutcome, UpstreamConnection, UpstreamEvents } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { refusedAnswer } from './failed-call.ts';
import { isUnsupported } from './reply-end.ts';
import { SessionConversation } from './session-conversation.ts';
import { SseConversation } from './sse-conversation.ts';

export class LegacyConversation implements UpstreamConnection {
  readonly #context: ClientContext;
  readonly #events: UpstreamEvents;
  #inner: SessionConversation | SseConversation;

  constructor(context: ClientContext, events: UpstreamEvents) {
    this.#context = context;
    this.#events = events;
    this.#inner = context.origin.handshake === '2024' ? this.#openStream() : this.#openSession();
  }

  /** The id of the session, where the server gave one in a header. */
  get sessionId(): string | undefined {
    return this.#inner instanceof SessionConversation ? this.#inner.sessionId : undefined;
  }

  /** One stream of 2024 carries everything, without a word of what belongs together. */
  get canTell(): boolean {
    return this.#inner instanceof SessionConversation;
  }

  send(message: Message): SendOutcome {
    return this.#inner.send(message);
  }

  close(): void {
    this.#inner.close();
  }

  #openSession(): SessionConversation {
    const session = new SessionConversation(this.#context, this.#events, (initialize, answer) => {
      this.#fallBack(initialize, answer, session.takeHeld());
    });
    return session;
  }

  /** Remembered as 2024; a server that changed since is met by the restart. */
  #openStream(): SseConversation {
    const { origin } = this.#context;
    return new SseConversation(this.#context, this.#events, () => {
      origin.handshake = undefined;
      this.#events.onClosed('start-failed', 'the event stream is gone');
    });
  }

  #fallBack(initialize: Message, answer: Message, held: readonly Message[]): void {
    const stream = new SseConversation(this.#context, this.#events, (end) => {
      stream.takeHeld();
      const { name, telemetry } = this.#context;
      const detail = 'the URL speaks no known transport';
      telemetry.log('warn', 'upstream_call_failed', { upstream: name, era: '2024', detail });
      // Neither transport: what the POST said is the better answer, unless the stream is locked.
      const isLocked = end.kind === 'refused' && !isUnsupported(end);
      const id = initialize.id ?? 'null';
      this.#events.onMessage(isLocked ? refusedAnswer(id, end) : answer, answer.id);
      this.#events.onClosed('start-failed', detail);
    });
    this.#inner = stream;
    stream.send(initialize);
    for (const message of held) stream.send(message);
  }
}
