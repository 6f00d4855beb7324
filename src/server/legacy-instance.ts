/**
 * An upstream that was opened with the `initialize` handshake, and the sessions it serves: one of
 * its own (isolation `session`), where the client's handshake passes through, or many (`principal`,
 * `tenant`, `shared`), where the handshake is ours and each client is answered from it.
 */
import type { Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import { LATEST_LEGACY_VERSION, isLegacyVersion } from '../core/protocol/versions.ts';
import { Instance, type InstancePorts } from './instance.ts';
import type { InstanceRole } from './instance-role.ts';
import type { UpstreamCall } from './upstream-call.ts';
import { OUR_IDENTITY } from './our-identity.ts';
import type {
  LegacyCallOwner,
  LegacyMember,
  LegacyOutcome,
  LegacyUpstream,
} from './legacy-upstream.ts';
import { LogLevels } from './log-levels.ts';
import { bondOf } from './question-bond.ts';
import { Questions, type Question } from './questions.ts';
import { refuseQuestion } from './refuse-question.ts';
import { ResourceSubscriptions } from './resource-subscriptions.ts';

/**
 * What we declare when the handshake is ours: every question can be relayed to whoever caused it.
 */
const OUR_INITIALIZE = JSON.stringify({
  protocolVersion: LATEST_LEGACY_VERSION,
  capabilities: { roots: {}, sampling: {}, elicitation: { form: {}, url: {} } },
  clientInfo: OUR_IDENTITY,
});

const INITIALIZED = Message.notification('notifications/initialized');

export class LegacyInstance implements InstanceRole, LegacyUpstream {
  readonly instance: Instance;
  readonly isExclusive: boolean;
  readonly #members = new Set<LegacyMember>();
  readonly #questions: Questions<LegacyMember, UpstreamCall>;
  readonly #subscriptions: ResourceSubscriptions;
  readonly #logLevels: LogLevels;
  /** The upstream's InitializeResult. */
  #initializeResult: Record<string, unknown> | undefined;
  /** The members that had calls on this connection, as far as one can be told from several. */
  #caller: LegacyMember | 'several' | undefined;
  #awaiting: ((failure: Refusal | undefined) => void)[] = [];
  readonly #onEmpty: () => void;

  constructor(ports: InstancePorts, isExclusive: boolean, onEmpty: () => void) {
    this.isExclusive = isExclusive;
    this.#onEmpty = onEmpty;
    const { pendingPerUpstreamMax, pendingPerOwnerMax } = ports.limits;
    this.#questions = new Questions(pendingPerUpstreamMax, pendingPerOwnerMax);
    this.instance = new Instance('legacy', ports, this);
    this.#subscriptions = new ResourceSubscriptions(this.instance, this.#members, ports.limits);
    this.#logLevels = new LogLevels(this.instance, this.#members, isExclusive);
    this.instance.start();
  }

  /** Undefined before the client's own handshake is over. */
  get conversation(): Instance | undefined {
    return this.isExclusive && this.#initializeResult === undefined ? undefined : this.instance;
  }

  get members(): number {
    return this.#members.size;
  }

  join(member: LegacyMember): void {
    this.#members.add(member);
  }

  leave(member: LegacyMember): void {
    if (!this.#members.delete(member)) return;
    this.#giveUp(this.#questions.abandon(member), 'The client is gone.');
    if (this.isExclusive) this.instance.close();
    else this.#takeBack(member);
    if (this.#members.size === 0) this.#onEmpty();
  }

  request(owner: LegacyCallOwner, message: Message): LegacyOutcome {
    const { member } = owner;
    this.#caller = this.#caller === undefined || this.#caller === member ? member : 'several';
    switch (message.method) {
      case 'resources/subscribe':
        return this.#subscriptions.subscribe(owner, message);
      case 'resources/unsubscribe':
        return this.#subscriptions.unsubscribe(owner, message);
      case 'logging/setLevel':
        return this.#logLevels.set(owner, message);
      case 'ping':
        return this.isExclusive ? this.instance.request(owner, message) : { answer: '{}' };
      default:
        return this.instance.request(owner, message);
    }
  }

  /**
   * On a common upstream: the client's `initialize` answered from ours, with the version it asked
   * for.
   * @param done - with the InitializeResult as JSON, or why there is none.
   */
  initialize(requested: unknown, done: (answer: string | Refusal) => void): void {
    const finish = (failure: Refusal | undefined): void => {
      const result = this.#initializeResult;
      if (failure !== undefined || result === undefined) {
        done(failure ?? { error: 'UPSTREAM_UNAVAILABLE' });
        return;
      }
      const isKnown = typeof requested === 'string' && isLegacyVersion(requested);
      const version = isKnown ? requested : result['protocolVersion'];
      done(JSON.stringify({ ...result, protocolVersion: version }));
    };
    if (this.instance.state === 'starting') this.#awaiting.push(finish);
    else finish(this.instance.state === 'ready' ? undefined : { error: 'UPSTREAM_UNAVAILABLE' });
  }

  /**
   * A notification of a client that is not a cancellation. On a common upstream it would speak for
   * all.
   */
  notify(message: Message): void {
    if (this.isExclusive) this.instance.tell(message);
  }

  cancel(call: UpstreamCall, reason: string): void {
    this.instance.cancel(call, reason);
  }

  /** A client's answer to a question. */
  answer(member: LegacyMember, message: Message): void {
    const upstreamId = this.#questions.answer(message.id, member);
    if (upstreamId !== undefined) this.instance.tell(message.withId(upstreamId));
  }

  /** The result of the exclusive client's own `initialize`. */
  initialized(result: unknown): void {
    this.#initializeResult = result as Record<string, unknown>;
  }

  /**
   * One notification for each list the server declares may change: look again, something may have
   * been missed.
   */
  changeNotices(): readonly Message[] {
    const capabilities = (this.#initializeResult?.['capabilities'] ?? {}) as Record<
      string,
      unknown
    >;
    return ['tools', 'prompts', 'resources']
      .filter((kind) => (capabilities[kind] as { listChanged?: unknown } | undefined)?.listChanged)
      .map((kind) => Message.notification(`notifications/${kind}/list_changed`));
  }

  handshake(isRestart: boolean, done: (failure: string | undefined) => void): void {
    if (this.isExclusive && !isRestart) {
      done(undefined);
      return;
    }
    const [member] = this.#members;
    const params = this.isExclusive ? member?.initializeParams : OUR_INITIALIZE;
    if (params === undefined) {
      done(undefined);
      return;
    }
    this.instance.ask('initialize', params, (answer) => {
      const isAnswered = !('error' in answer) && !answer.isError;
      if (isAnswered) {
        this.#initializeResult = answer.value as Record<string, unknown>;
        this.instance.tellNow(INITIALIZED);
        if (isRestart) this.#restore();
      }
      done(isAnswered ? undefined : 'initialize was refused');
      const waiting = this.#awaiting;
      this.#awaiting = [];
      for (const each of waiting) each(isAnswered ? undefined : { error: 'UPSTREAM_UNAVAILABLE' });
    });
  }

  /** What was asked for a call that is over is shown to nobody any longer. */
  ended(call: UpstreamCall, answer?: Message): void {
    if (call.method === 'resources/subscribe') this.#subscriptions.ended(call, answer);
    const { member } = call.owner as Partial<LegacyCallOwner>;
    if (member === undefined) return;
    this.#giveUp(this.#questions.endWith(call, member), 'Its call is over.');
  }

  down(): boolean {
    for (const each of this.#questions.clear()) takeBack(each, 'The server is gone.');
    this.#caller = undefined;
    const waiting = this.#awaiting;
    this.#awaiting = [];
    for (const each of waiting) each({ error: 'UPSTREAM_UNAVAILABLE' });
    return true;
  }

  received(message: Message, related: UpstreamCall | undefined, isMarked: boolean): void {
    const call = related ?? (isMarked ? undefined : this.#callMeant());
    const owner = call?.owner as Partial<LegacyCallOwner> | undefined;
    const member = this.isExclusive ? first(this.#members) : owner?.member;
    if (message.kind === 'request') {
      const asking = owner?.member === undefined ? undefined : call;
      this.#asked(message, member, asking, related !== undefined);
      return;
    }
    switch (message.method) {
      case 'notifications/tools/list_changed':
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
        this.instance.ports.listChanged?.(this.instance, message);
        for (const each of this.#members) each.unrelated(message);
        return;
      case 'notifications/resources/updated':
        this.#updated(message);
        return;
      case 'notifications/cancelled':
        this.#withdrawn(message);
        return;
      case 'notifications/message':
        if (!this.#logLevels.isLoud(message, member)) return;
        break;
      default:
    }
    if (call !== undefined && owner?.member !== undefined) call.owner.related(call, message);
    else if (this.isExclusive && member !== undefined) member.unrelated(message);
    else this.instance.ports.telemetry.count('upstream_stray_total', { kind: 'notification' });
  }

  /**
   * The call that a message without a mark is taken to be of. While one that was given up may still
   * speak, nobody can say; who reads the session's own stream is told there, because a client that
   * goes on from here would believe that the call was named.
   */
  #callMeant(): UpstreamCall | undefined {
    if (!this.#isOfOne) return undefined;
    const [member] = this.#members;
    const isElsewhere = this.isExclusive && member?.isListening === true;
    return isElsewhere ? this.instance.sole : this.instance.pending.sole;
  }

  /**
   * Whether every call this connection ever had was one session's. Only then may a message without
   * a mark be taken for the call in flight: a server goes on talking about calls that were
   * cancelled or answered, and what it says of one client's must not be shown to another.
   */
  get #isOfOne(): boolean {
    return this.isExclusive || this.#caller !== 'several';
  }

  /**
   * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/ping for the one
   * we answer.
   */
  #asked(
    message: Message,
    member: LegacyMember | undefined,
    call: UpstreamCall | undefined,
    isNamed: boolean,
  ): void {
    const upstreamId = message.id ?? 'null';
    if (message.method === 'ping') {
      this.instance.tellNow(Message.result(upstreamId, '{}'));
      return;
    }
    if (member === undefined) {
      this.instance.tellNow(refuseQuestion(upstreamId, { error: 'NO_ORIGINATING_REQUEST' }));
      return;
    }
    if (!this.isExclusive && !member.canAnswer(message.method ?? '')) {
      this.instance.tellNow(refuseQuestion(upstreamId, { error: 'METHOD_NOT_FOUND' }));
      return;
    }
    // One client that answers nothing takes no room from the others.
    this.#giveUp(this.#questions.abandonOver(member), 'Its call is over.');
    const id = this.#questions.ask(upstreamId, member, call, bondOf(message, isNamed));
    if (id === undefined) {
      this.instance.tellNow(refuseQuestion(upstreamId, { error: 'TOO_MANY_REQUESTS' }));
      return;
    }
    member.question(message.withId(id), call);
  }

  /** Both sides are told: the client may still be showing it to a person. */
  #giveUp(questions: readonly Question<LegacyMember, UpstreamCall>[], detail: string): void {
    for (const each of questions) {
      this.instance.tell(refuseQuestion(each.upstreamId, { error: 'INTERNAL', detail }));
      if (this.#members.has(each.member)) takeBack(each, detail);
    }
  }

  #updated(message: Message): void {
    if (this.isExclusive) {
      first(this.#members)?.unrelated(message);
      return;
    }
    this.#subscriptions.updated(message);
  }

  #withdrawn(message: Message): void {
    const { requestId } = message.spans;
    const token = message.token(requestId);
    const question = token === undefined ? undefined : this.#questions.withdraw(token);
    if (question === undefined || requestId === undefined) return;
    const { member, call, id } = question;
    member.question(message.withReplaced(requestId, id), call);
  }

  /** What only this member had set up is given up: the server would keep it while it lives. */
  #takeBack(member: LegacyMember): void {
    if (this.instance.state !== 'ready') return;
    this.#subscriptions.takeBack(member);
    if (member.logLevel !== undefined) this.#logLevels.restore();
  }

  /**
   * After a restart: what the clients had set up is set up again, and they are told to look again.
   */
  #restore(): void {
    this.#subscriptions.restore();
    this.#logLevels.restore();
    for (const notice of this.changeNotices()) {
      for (const each of this.#members) each.unrelated(notice);
    }
  }
}

/** @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/cancellation */
function takeBack(question: Question<LegacyMember, UpstreamCall>, reason: string): void {
  const { id, member, call } = question;
  const params = `{"requestId":${id},"reason":${JSON.stringify(reason)}}`;
  member.question(Message.notification('notifications/cancelled', params), call);
}

function first<Item>(items: Iterable<Item>): Item | undefined {
  for (const item of items) return item;
  return undefined;
}
