/**
 * A server spoken to over Streamable HTTP of 2025. A session that the server forgot is opened anew,
 * once for each time, and whoever uses it is told no more than to look again.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
import type {
  SendOutcome,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEvents,
} from '../core/ports.ts';
import { Bag } from '../core/bag.ts';
import { Message } from '../core/protocol/message.ts';
import type { ClientContext } from './client-context.ts';
import { failedCall, FORGETFUL, refusedAnswer, SESSION_LOST } from './failed-call.ts';
import { HandshakeMemory } from './handshake-memory.ts';
import { HeldMessages } from './held-messages.ts';
import { requestIdOf } from './modern-conversation.ts';
import { OpenQuestions } from './open-questions.ts';
import { Posts } from './posts.ts';
import { Renewals } from './renewals.ts';
import { Reply, type ReplyEnd } from './reply.ts';
import { describeEnd, hasReason, isModernRefusal, isUnsupported } from './reply-end.ts';
import { SessionCall, type SessionCallEvents } from './session-call.ts';
import { SessionRequests } from './session-requests.ts';
import { SessionStream, type SessionStreamEvents } from './session-stream.ts';

const INITIALIZED = 'notifications/initialized';
const CANCELLED = 'notifications/cancelled';
/** Milliseconds the server may take to note that a session is over. */
const GOODBYE_MS_MAX = 2000;
/** Calls in a row that did not reach the server, after which it counts as gone. */
const UNSENT_MAX = 3;

export const SESSION_TRANSITIONS = {
  /** Nothing was said. */
  fresh: { initialize: 'opening', close: 'closed' },
  /** The handshake is under way; everything else waits. */
  opening: { agree: 'open', fail: 'fresh', close: 'closed' },
  open: { confirm: 'confirming', forget: 'reopening', close: 'closed' },
  /** `notifications/initialized` is under way; everything else waits. */
  confirming: { confirmed: 'open', forget: 'reopening', close: 'closed' },
  /** The server forgot the session; our own handshake is under way. */
  reopening: { confirmed: 'open', close: 'closed' },
  closed: {},
} as const;

export type SessionState = keyof typeof SESSION_TRANSITIONS;

export class SessionConversation implements UpstreamConnection {
  readonly #context: ClientContext;
  readonly #events: UpstreamEvents;
  readonly #onUnsupported: ((initialize: Message, answer: Message) => void) | undefined;
  readonly #requests: SessionRequests;
  readonly #memory: HandshakeMemory;
  readonly #held: HeldMessages;
  readonly #questions = new OpenQuestions();
  readonly #calls = new Bag<SessionCall>();
  /** Calls that wait for the session to be opened anew. */
  #homeless: SessionCall[] = [];
  /** Calls that were sent again: a second time would be without end. */
  readonly #rehomed = new WeakSet<SessionCall>();
  readonly #posts: Posts;
  readonly #renewals: Renewals;
  #disarmRenewal: (() => void) | undefined;
  #stream: SessionStream | undefined;
  /** Whether the server ever had a stream of its own. */
  #hasStream = false;
  #state: SessionState = 'fresh';
  #unsent = 0;

  /**
   * @param onUnsupported - called instead of everything else when the server turns out not to speak
   * this transport, with `initialize` and what it would be answered.
   */
  constructor(
    context: ClientContext,
    events: UpstreamEvents,
    onUnsupported?: (initialize: Message, answer: Message) => void,
  ) {
    this.#context = context;
    this.#events = events;
    this.#onUnsupported = onUnsupported;
    this.#requests = new SessionRequests(context);
    this.#memory = new HandshakeMemory(context.random.sessionId());
    this.#held = new HeldMessages(context.meter);
    this.#posts = new Posts(context);
    this.#renewals = new Renewals(context.random);
  }

  get sessionId(): string | undefined {
    return this.#requests.sessionId;
  }

  send(message: Message): SendOutcome {
    if (this.#isClosed) return 'closed';
    if (this.#context.meter.isFull) return 'full';
    this.#memory.sent(message);
    this.#admit(message);
    return 'sent';
  }

  /** What was said while the handshake was under way, for a conversation that takes over. */
  takeHeld(): readonly Message[] {
    return this.#held.takeAll();
  }

  close(): void {
    this.#close('closed', 'closed by us');
  }

  get #isClosed(): boolean {
    return this.#state === 'closed';
  }

  #admit(message: Message): void {
    if (this.#state === 'fresh' && message.method === 'initialize') {
      this.#state = SESSION_TRANSITIONS.fresh.initialize;
      this.#call(message);
    } else if (this.#state === 'fresh' || this.#state === 'open') {
      this.#dispatch(message);
    } else if (message.method !== CANCELLED || !this.#giveUpHomeless(message)) {
      this.#held.push(message);
    }
  }

  /** @returns whether it cancels a call that no session has: nobody need be told. */
  #giveUpHomeless(message: Message): boolean {
    const id = message.token(message.spans.requestId) ?? requestIdOf(message);
    const isHomeless = this.#homeless.some((call) => call.id === id);
    if (isHomeless) this.#forget(id);
    return isHomeless;
  }

  #dispatch(message: Message): void {
    if (message.kind === 'request') {
      this.#call(message);
    } else if (message.method === INITIALIZED) {
      this.#state = SESSION_TRANSITIONS.open.confirm;
      this.#post(message, () => this.#confirmed());
    } else if (message.method === CANCELLED) {
      const id = message.token(message.spans.requestId) ?? requestIdOf(message);
      // Some servers keep the stream of a cancelled call open for ever.
      if (!this.#post(message, () => this.#forget(id))) this.#forget(id);
    } else if (message.kind === 'response') {
      this.#answer(message);
    } else {
      this.#post(message);
    }
  }

  /** An answer to a question of the server: only one that was asked on this very session. */
  #answer(message: Message): void {
    const answer = this.#questions.answer(message);
    if (answer !== undefined) this.#post(answer);
  }

  #call(request: Message): void {
    const call = new SessionCall(this.#context, this.#requests, request, this.#callEvents);
    this.#calls.add(call);
    call.start();
  }

  readonly #callEvents: SessionCallEvents = {
    accepted: (call, head) => {
      this.#unsent = 0;
      this.#stream?.wake();
      if (call.request.method === 'initialize') this.#requests.opened(head);
      else if (!this.#memory.isOwn(call.id)) this.#renewals.succeeded();
    },
    related: (call, message) => this.#related(call, message),
    answered: (call, message) => this.#answered(call, message),
    sessionUnknown: (call) => this.#sessionUnknown(call),
    refused: (call, end) => this.#refused(call, end),
    oversized: (call) => {
      this.#calls.delete(call);
      this.#events.onOversized(call.id);
    },
    stray: (kind) => this.#stray(kind),
  };

  #related(call: SessionCall, message: Message): void {
    const isOfQuestion = message.kind === 'request' || message.method === CANCELLED;
    // The session it asks on is over: no answer would reach it.
    if (isOfQuestion && call.session !== this.#requests.session) this.#stray(message.kind);
    else this.#heard(message, call.id);
  }

  #heard(message: Message, relatedTo?: string): void {
    const known = this.#questions.received(message);
    if (known !== undefined) this.#events.onMessage(known, relatedTo);
    else if (message.kind !== 'request') this.#stray(message.kind);
    else this.#post(failedCall(message.id ?? 'null', { error: 'TOO_MANY_REQUESTS' }));
  }

  #answered(call: SessionCall, answer: Message): void {
    this.#calls.delete(call);
    const isHandshake = call.request.method === 'initialize';
    this.#memory.answered(answer);
    if (isHandshake && !answer.isError) this.#requests.agreed(this.#memory.version);
    if (this.#memory.isOwn(call.id)) {
      if (isHandshake) this.#reopened(!answer.isError);
      return;
    }
    if (isHandshake && this.#state === 'opening') {
      this.#state = answer.isError
        ? SESSION_TRANSITIONS.opening.fail
        : SESSION_TRANSITIONS.opening.agree;
      if (!answer.isError) this.#context.origin.handshake = '2025';
    }
    this.#events.onMessage(answer, call.id);
    // Whoever did not wait for the answer has confirmed it already.
    if (isHandshake) this.#flush();
  }

  #refused(call: SessionCall, end: ReplyEnd): void {
    this.#calls.delete(call);
    const detail = describeEnd(end);
    const { name, telemetry } = this.#context;
    const isProbe = call.request.method === 'initialize' && isUnsupported(end);
    const level = isProbe || isModernRefusal(end) ? 'debug' : 'warn';
    telemetry.log(level, 'upstream_call_failed', { upstream: name, era: '2025', detail });
    if (end.kind === 'unsent' && end.hint === undefined) this.#unsent += 1;
    const answer = refusedAnswer(call.id, end);
    this.#memory.answered(answer);
    if (call.request.method === 'initialize') {
      this.#handshakeRefused(call, end, answer);
    } else if (this.#unsent >= UNSENT_MAX) {
      this.#close('exited', detail);
    } else if (!this.#memory.isOwn(call.id)) {
      this.#events.onMessage(answer, call.id);
    }
  }

  #handshakeRefused(call: SessionCall, end: ReplyEnd, answer: Message): void {
    if (this.#memory.isOwn(call.id)) {
      this.#reopened(false);
    } else if (this.#onUnsupported !== undefined && isUnsupported(end)) {
      this.#state = 'closed';
      this.#onUnsupported(call.request, answer);
    } else if (hasReason(end)) {
      this.#state = SESSION_TRANSITIONS.opening.fail;
      this.#events.onMessage(answer, call.id);
      this.#flush();
    } else {
      this.#close('start-failed', describeEnd(end));
    }
  }

  /** The server has the whole handshake: calls may flow, and it may speak by itself. */
  #confirmed(): void {
    if (this.#state !== 'confirming') return;
    this.#state = SESSION_TRANSITIONS.confirming.confirmed;
    this.#listen();
    this.#flush();
  }

  #flush(): void {
    for (const message of this.#held.takeAll()) {
      // A handshake that failed has nothing to confirm; the server says what it makes of the rest.
      if (this.#state !== 'fresh' || message.method !== INITIALIZED) this.#admit(message);
    }
  }

  #listen(): void {
    this.#stream?.close();
    const events: SessionStreamEvents = {
      message: (message) => this.#heard(message),
      opened: () => {
        this.#hasStream = true;
      },
      gap: () => this.#lookAgain(),
      sessionUnknown: () => this.#reopen(),
      stray: (kind) => this.#stray(kind),
    };
    const isKnown = this.#hasStream;
    this.#stream = new SessionStream(this.#context, this.#requests, events, isKnown);
    this.#stream.open();
  }

  #sessionUnknown(call: SessionCall): void {
    if (this.#rehomed.has(call) || this.#memory.isOwn(call.id)) {
      this.#calls.delete(call);
      if (this.#memory.isOwn(call.id)) return;
      const fields = { upstream: this.#context.name, era: '2025', detail: FORGETFUL };
      this.#context.telemetry.log('warn', 'upstream_call_failed', fields);
      this.#events.onMessage(failedCall(call.id, SESSION_LOST), call.id);
      return;
    }
    this.#rehomed.add(call);
    if (this.#state === 'open' && this.#requests.session !== call.session) {
      // Others found out before, and there is a new session by now.
      call.start();
      return;
    }
    this.#homeless.push(call);
    this.#reopen();
  }

  /** Opens a new session with the handshake of the old one. */
  #reopen(): void {
    if (this.#isClosed || this.#state === 'reopening') return;
    const initialize = this.#memory.initializeAgain();
    if (initialize === undefined) return;
    this.#requests.forget();
    const delayMs = this.#renewals.next(this.#context.clock.now());
    if (delayMs === undefined) {
      this.#close('exited', 'the server forgets its sessions');
      return;
    }
    this.#context.telemetry.count('upstream_sessions_reopened_total', {
      upstream: this.#context.name,
    });
    this.#state = SESSION_TRANSITIONS.open.forget;
    this.#stream?.close();
    for (const notice of this.#questions.withdrawAll()) this.#events.onMessage(notice);
    if (delayMs === 0) this.#call(initialize);
    else this.#disarmRenewal = this.#context.clock.after(delayMs, () => this.#call(initialize));
  }

  #reopened(isAgreed: boolean): void {
    if (this.#state !== 'reopening') return;
    if (!isAgreed) {
      this.#close('exited', 'the session was lost and could not be opened again');
      return;
    }
    this.#post(Message.notification(INITIALIZED), () => {
      if (this.#state !== 'reopening') return;
      this.#state = SESSION_TRANSITIONS.reopening.confirmed;
      for (const message of this.#memory.restoring()) this.#call(message);
      const homeless = this.#homeless;
      this.#homeless = [];
      for (const call of homeless) if (this.#calls.has(call)) call.start();
      this.#listen();
      this.#flush();
      this.#lookAgain();
    });
  }

  #lookAgain(): void {
    for (const notice of this.#memory.changeNotices()) this.#events.onMessage(notice);
  }

  #forget(id: string): void {
    const call = this.#calls.find((each) => each.id === id);
    if (call === undefined) return;
    this.#calls.delete(call);
    call.abort();
  }

  /**
   * @param done - called once the server took it, or will not.
   * @returns whether it is on its way.
   */
  #post(message: Message, done?: () => void): boolean {
    const { session, sessionId } = this.#requests;
    return this.#posts.send(this.#requests.post(message), (end) => {
      done?.();
      const isUnknown = end?.kind === 'refused' && end.status === 404;
      if (!isUnknown || sessionId === undefined) return;
      if (session === this.#requests.session) this.#reopen();
    });
  }

  #stray(kind: string): void {
    this.#context.telemetry.count('upstream_stray_total', { kind });
  }

  #close(cause: UpstreamClosedCause, detail: string): void {
    if (this.#isClosed) return;
    this.#state = 'closed';
    this.#disarmRenewal?.();
    for (const call of this.#calls.all()) call.abort();
    this.#calls.clear();
    this.#posts.clear();
    this.#held.takeAll();
    this.#stream?.close();
    const finish = (): void => this.#events.onClosed(cause, detail);
    if (this.#requests.sessionId === undefined || cause === 'start-failed') queueMicrotask(finish);
    else this.#sayGoodbye(finish);
  }

  #sayGoodbye(done: () => void): void {
    const finish = (): void => {
      disarm();
      done();
    };
    const reply = new Reply(this.#context, this.#requests.delete(), {
      onMessage: () => {},
      onOversized: () => {},
      onEnd: finish,
    });
    const disarm = this.#context.clock.after(GOODBYE_MS_MAX, () => {
      reply.abort();
      finish();
    });
  }
}
