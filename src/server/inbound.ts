/** One request on its way through admission: what is known of it so far, and how it is refused. */
import type { AccessRequest, ToolsThere } from '../core/access.ts';
import type { Visitor } from '../core/gate.ts';
import { BARE_GRANT, type Grant } from '../core/grant.ts';
import { ERRORS, errorResponse, type Refusal } from '../core/errors.ts';
import type { HttpExchange, Principal } from '../core/ports.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import type { Message } from '../core/protocol/message.ts';
import { paramLinesOf } from '../core/protocol/param-headers.ts';
import { scopesToAskFor } from '../core/security/scope-step-up.ts';
import { comeBack, waitMsOf } from './come-back.ts';
import {
  Connection,
  JSON_HEADERS,
  type ConnectionKind,
  type ConnectionOwner,
} from './connection.ts';
import type { EndpointContext } from './context.ts';
import { NO_TOOLS, READINGS_MAX } from './known-tools.ts';
import type { CalledUpstream } from './modern-upstream.ts';
import {
  type ChallengeSource,
  doorChallenges,
  hasChallenge,
  stepUpChallenges,
} from './door-challenges.ts';
import { recordRefusal } from './record-refusal.ts';
import type { SessionHandle } from './session-handle.ts';
import { WaitingReply } from './waiting-reply.ts';
import { isGuarded, Warrant } from './warrant.ts';

/** Seconds a refused client is asked to wait, the middle of a jitter of 50 %. */
const RETRY_AFTER_SECONDS = 2;

export class Inbound {
  readonly context: EndpointContext;
  readonly exchange: HttpExchange;
  /** Headers every reply to it carries: CORS, for an origin that is listed. */
  readonly headers: readonly string[];
  readonly principal: Principal;
  readonly grant: Grant;
  readonly #revocationsBefore: number;
  /** Of the conversation that a call among its messages is for. */
  #tools: ToolsThere | undefined;
  /** Of those tools, that were waited for. */
  #readings = 0;
  /** Whether that call is judged once it is known where it is made. */
  #isJudgedLater = false;
  /** Whether its reply is a stream already. */
  isBegun = false;

  /** @param revocationsBefore - how many there were before its credential was verified. */
  constructor(
    context: EndpointContext,
    exchange: HttpExchange,
    headers: readonly string[],
    principal: Principal,
    grant: Grant = BARE_GRANT,
    revocationsBefore: number = context.revocations.count,
  ) {
    this.context = context;
    this.exchange = exchange;
    this.headers = headers;
    this.principal = principal;
    this.grant = grant;
    this.#revocationsBefore = revocationsBefore;
  }

  /**
   * Why its credential counts no more, to be asked after every wait: nothing is begun for it then.
   * One that ended gives it the while that a call in flight has.
   */
  get trustFault(): Refusal | undefined {
    const { context, principal, grant } = this;
    const { expiresAt } = grant;
    if (context.revocations.hit(this.#revocationsBefore, principal, grant)) {
      return { error: 'UNAUTHORIZED' };
    }
    const isOver =
      expiresAt !== Infinity && context.clock.now() >= expiresAt + context.limits.expiredCallMsMax;
    return isOver ? { error: 'CREDENTIAL_EXPIRED' } : undefined;
  }

  refuse(refusal: Refusal): void {
    const { context, exchange, headers, grant } = this;
    const { scopes } = refusal;
    if (scopes === undefined) {
      refuseExchange(context, exchange, headers, refusal);
      return;
    }
    const needed = [...(context.authorization()?.scopes ?? []), ...scopes];
    const told = { ...refusal, scopes: scopesToAskFor(needed, grant.scopes) };
    refuseExchange(context, exchange, headers, told);
  }

  /** Refuses what was not looked at: it has no other line on the record. */
  turnAway(refusal: Refusal): void {
    recordRefusal(this.context, this.exchange, refusal, this);
    this.refuse(refusal);
  }

  /**
   * Why no stream may be begun now: it has to be on the record, and cannot. What began in this
   * process is recorded where it came in.
   */
  get recordFault(): Refusal | undefined {
    const { audit, connections } = this.context;
    const fault = this.exchange.caller === undefined ? audit?.fault() : undefined;
    if (fault === undefined) return undefined;
    const seconds = Math.ceil(connections.retryMs() / 1000);
    return { ...fault, headers: ['Retry-After', String(seconds)] };
  }

  /** Of a stream that may be had later: not an error, which some clients take for final. */
  refuseStream(refusal: Refusal): void {
    const isLater = refusal.headers?.includes('Retry-After') === true;
    recordRefusal(this.context, this.exchange, refusal, this);
    if (isLater) comeBack(this.exchange, this.headers, waitMsOf(refusal));
    else this.refuse(refusal);
  }

  /** 202 and nothing else. */
  accept(): void {
    this.exchange.respond(202, this.headers, '');
  }

  connection(
    owner: ConnectionOwner,
    kind: ConnectionKind,
    era: string,
    headers: readonly string[] = this.headers,
  ): Connection {
    const { context, principal, grant } = this;
    return new Connection(context.connections, owner, this.exchange, {
      kind,
      era,
      principal,
      grant,
      headers,
      refuse: context.passesOrigin ? (refusal) => this.refuse(refusal) : undefined,
    });
  }

  /**
   * What lets these requests of one POST go on, or the refusal of all; undefined when nobody
   * decides or records.
   */
  warrants(
    era: AccessRequest['era'],
    messages: readonly Message[],
  ): readonly Warrant[] | Refusal | undefined {
    const { context } = this;
    // What began in this process is counted and recorded where it came in, save for what is denied.
    const { access, audit: denials } = context;
    const ports = this.exchange.caller === undefined ? context : { access, denials };
    if (context.passesOrigin) this.#passOrigin(era, messages);
    if (!isGuarded(ports)) return undefined;
    const warrants: Warrant[] = [];
    for (const message of messages) {
      if (message.kind !== 'request') continue;
      const request = this.#accessRequest(era, message);
      const warrant = Warrant.issue(ports, request, this.#isJudgedLater);
      if (warrant instanceof Warrant) warrants.push(warrant);
      else if (warrant !== undefined) {
        // All of a batch is refused for one of it: what was let on before that goes nowhere.
        for (const each of warrants) each.denied(warrant);
        return warrant;
      }
    }
    return warrants;
  }

  /** Whether policies allow this request. Nothing is recorded. */
  allows(era: AccessRequest['era'], message: Message): boolean {
    const { access } = this.context;
    return access?.decide(this.#accessRequest(era, message)).refusal === undefined;
  }

  /** By the words of the client, also of one that asked elsewhere in this process. */
  #accessRequest(spoken: AccessRequest['era'], message: Message): AccessRequest {
    const { principal, grant } = this;
    const { head, asked } = this.exchange;
    const { era = spoken } = asked ?? {};
    const method = asked?.method === message.method ? undefined : asked?.method;
    const { name: server } = this.context;
    const address = head.remoteAddress;
    return { principal, grant, server, era, method, address, message, tools: this.#tools };
  }

  /** Streams here end with the credential; those behind them need no end of their own. */
  #passOrigin(era: AccessRequest['era'], messages: readonly Message[]): void {
    const { head } = this.exchange;
    const address = head.remoteAddress;
    const grant = endless(this.grant);
    for (const message of messages) {
      const { method = '' } = message;
      const hasParams = era === '2026' && method === 'tools/call';
      const paramLines = hasParams ? paramLinesOf(head) : undefined;
      message.sentFor({ grant, address, era, method, paramLines });
    }
  }

  /** On whose account it is counted. */
  get visitor(): Visitor {
    const { context, principal, exchange } = this;
    return { address: exchange.head.remoteAddress, principal, server: context.name };
  }

  /** Runs `then` once it is counted that a session or a listen is opened, or refuses. */
  opening(id: string | undefined, then: () => void): void {
    const { gate } = this.context;
    if (gate === undefined || this.exchange.caller !== undefined) then();
    else {
      gate.open(this.visitor, (full) => {
        const refusal = full ?? this.trustFault;
        if (refusal === undefined) then();
        else this.turnAway({ ...refusal, id });
      });
    }
  }

  /**
   * Runs `then` with what the server speaks once that is known, or with why it may not be told.
   * Nothing is begun for a client that left meanwhile.
   * @param asStream - of a request whose reply may be a stream meanwhile: what it is answered by.
   */
  whenKnown(
    then: (served: ServedEras | Refusal, inbound: Inbound) => void,
    asStream?: string,
  ): void {
    const known = this.context.served();
    if (known !== undefined) {
      then(known, this);
      return;
    }
    const over = this.wait(asStream);
    this.context.whenKnown((served) => {
      const inbound = over();
      if (inbound !== undefined) then(inbound.trustFault ?? served, inbound);
    });
  }

  /**
   * Whether a call among these waits for its server's tools to be read, since verdicts look at what
   * they say; `again` is run then, with those that were not cancelled meanwhile. Tools are read in
   * the conversation they are called in, which begins with a handshake.
   * @param upstream - who would be called.
   * @param session - where a client may cancel them.
   * @param asStream - of a request whose reply may be a stream meanwhile: what it is answered by.
   */
  waitsForTools(
    messages: readonly Message[],
    upstream: () => CalledUpstream | Refusal,
    again: (messages: readonly Message[], inbound: Inbound) => void,
    session?: Pick<SessionHandle, 'held' | 'whenOpen'>,
    asStream?: string,
  ): boolean {
    const { knownTools, access } = this.context;
    if (knownTools === undefined || access?.learn === undefined) return false;
    if (!messages.some(({ method }) => method === 'tools/call')) return false;
    const called = upstream();
    if ('error' in called) return false;
    const { conversation } = called;
    const known = conversation === undefined ? 'due' : knownTools.of(conversation);
    this.#tools = known === 'due' ? NO_TOOLS : known;
    this.#isJudgedLater = known === 'due' && called.isChosenLater === true;
    if (this.#isJudgedLater) return false;
    if (known !== 'due' || this.#readings >= READINGS_MAX) return false;
    if (conversation !== undefined) this.#readings += 1;
    const over = this.wait(asStream);
    const giveBack = session?.held.hold(messages) ?? ((): readonly Message[] => messages);
    const wait = (then: () => void): boolean =>
      conversation === undefined
        ? session?.whenOpen(then) === true
        : knownTools.read(conversation, then);
    const isWaiting = wait(() => {
      const left = giveBack();
      const inbound = over();
      if (inbound !== undefined) inbound.#believed(() => again(left, inbound));
    });
    if (isWaiting) return true;
    giveBack();
    over();
    return false;
  }

  /**
   * Nothing is begun for a client that left while it waited.
   * @param asStream - of a request whose reply may be a stream meanwhile: what it is answered by.
   * @returns what ends the wait, and returns who goes on: undefined where nobody is there.
   */
  wait(asStream: string | undefined): () => Inbound | undefined {
    if (asStream !== undefined) return this.#waitAsStream(asStream);
    let isGone = false;
    this.exchange.onClientGone(() => {
      isGone = true;
    });
    return () => (isGone ? undefined : this);
  }

  /** The body as text, or the refusal is sent. */
  readBody(then: (text: string) => void): void {
    const { gate, limits } = this.context;
    this.exchange.readBody(limits.bodyBytesMax, (outcome) => {
      if (outcome.kind === 'body') {
        gate?.spend(this.visitor, outcome.text.length);
        this.#believed(() => then(outcome.text));
      } else if (outcome.kind === 'refused') this.refuse(outcome.refusal);
    });
  }

  #believed(then: () => void): void {
    const fault = this.trustFault;
    if (fault === undefined) then();
    else this.turnAway(fault);
  }

  #waitAsStream(id: string): () => Inbound | undefined {
    const reply = new WaitingReply(this.exchange, id);
    const rest = this.#over(reply.exchange);
    const connection = rest.connection(reply, 'reply', '2026');
    this.context.decideLast(reply.begin(connection));
    if (this.isBegun) reply.decide();
    return () => {
      rest.isBegun ||= connection.isOpen;
      return reply.over() ? rest : undefined;
    };
  }

  /** The same request, answered elsewhere. */
  #over(exchange: HttpExchange): Inbound {
    const { context, headers, principal, grant } = this;
    const rest = new Inbound(context, exchange, headers, principal, grant, this.#revocationsBefore);
    rest.#readings = this.#readings;
    rest.isBegun = this.isBegun;
    return rest;
  }
}

const endlessGrants = new WeakMap<Grant, Grant>();

/** The same object for the same grant: what is remembered of one is remembered of the other. */
function endless(grant: Grant): Grant {
  const known = endlessGrants.get(grant) ?? { ...grant, expiresAt: Infinity };
  endlessGrants.set(grant, known);
  return known;
}

export interface RefusalContext
  extends Pick<EndpointContext, 'telemetry' | 'random'>, ChallengeSource {}

/** The one place where a refusal becomes a reply. */
export function refuseExchange(
  context: RefusalContext,
  exchange: HttpExchange,
  headers: readonly string[],
  refusal: Refusal,
): void {
  const { httpStatus, retryable } = ERRORS[refusal.error];
  context.telemetry.count('refused_total', { reason: refusal.error });
  // A stranger may be refused as often as he likes: told only to whoever looks for it.
  context.telemetry.log('debug', 'request_refused', {
    reason: refusal.error,
    status: httpStatus,
    verb: exchange.head.method,
    address: exchange.head.remoteAddress,
  });
  const isTimed = refusal.headers?.includes('Retry-After') === true;
  const isWorthWaiting = retryable && !isTimed && (httpStatus === 429 || httpStatus === 503);
  const seconds = Math.ceil(RETRY_AFTER_SECONDS * (0.5 + context.random.fraction()));
  const all = JSON_HEADERS.concat(
    headers,
    refusal.headers ?? [],
    httpStatus === 401 && !hasChallenge(refusal.headers)
      ? doorChallenges(context, exchange.head)
      : [],
    refusal.scopes === undefined ? [] : stepUpChallenges(context, exchange.head, refusal.scopes),
    isWorthWaiting ? ['Retry-After', String(seconds)] : [],
  );
  exchange.respond(httpStatus, all, errorResponse(refusal), refusal);
}
