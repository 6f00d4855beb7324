/**
 * What a legacy session hears of changes, through the listen hub of its principal's instance: one
 * listener at a time, replaced by a wider one when the session subscribes to more.
 */
import {
  ChangeWatch,
  changingLists,
  type WatchDecision,
  type WatchOutbox,
} from '../../core/bridge/legacy-client/change-watch.ts';
import { type Refusal } from '../../core/errors.ts';
import type { Origin } from '../../core/grant.ts';
import { Message } from '../../core/protocol/message.ts';
import type { Filter, Subscription } from '../../core/sessions/subscription.ts';
import { Backoff } from '../backoff.ts';
import type { InstancePorts } from '../instance.ts';
import { noticesOf } from '../listen-hub.ts';
import type { Listener } from '../listener.ts';
import type { ModernInstance } from '../modern-instance.ts';

/** Called once with why the subscription is refused, or undefined when it is in place. */
type Waiter = (refusal: Refusal | undefined) => void;

interface Opened {
  readonly upstream: ModernInstance;
  /** Undefined while it is being opened. */
  subscription: Subscription | undefined;
  disarm: () => void;
}

const METHOD_NOT_FOUND = -32601;

export class LegacyOverModernChanges {
  readonly #ports: InstancePorts;
  readonly #upstream: () => ModernInstance | Refusal;
  readonly #tell: (message: Message) => void;
  readonly #watch = new ChangeWatch<Waiter>();
  readonly #opened = new Map<number, Opened>();
  readonly #backoff: Backoff;
  #disarm: () => void = () => {};
  /** Of the newest request of the session: whose the listens are. */
  origin: Origin | undefined;

  /** @param tell - sends a notification that belongs to no call. */
  constructor(
    ports: InstancePorts,
    upstream: () => ModernInstance | Refusal,
    tell: (message: Message) => void,
  ) {
    this.#ports = ports;
    this.#upstream = upstream;
    this.#tell = tell;
    this.#backoff = new Backoff(ports.random);
  }

  /** URIs that are subscribed, those that wait included. */
  get uris(): readonly string[] {
    return this.#watch.wanted;
  }

  begin(capabilities: Readonly<Record<string, unknown>>): void {
    this.#decide((outbox) => this.#watch.begin(changingLists(capabilities), outbox));
  }

  subscribe(uri: string, done: Waiter): void {
    this.#decide((outbox) => this.#watch.subscribe(uri, done, outbox));
  }

  /** @param done - as it was given to `subscribe`: it is not told any more. */
  withdraw(done: Waiter): void {
    this.#watch.withdraw(done);
  }

  unsubscribe(uri: string): void {
    this.#decide((outbox) => this.#watch.unsubscribe(uri, outbox));
  }

  stop(): void {
    this.#disarm();
    this.#decide((outbox) => this.#watch.stop(outbox));
  }

  /** One notification for all that is told: look again, something may have been missed. */
  notices(filter: Filter = this.#watch.filter): readonly Message[] {
    return [...noticesOf(filter)].map(([method, params]) =>
      Message.notification(method, `{${params.slice(1)}}`),
    );
  }

  #decide(input: (outbox: WatchOutbox<Waiter>) => void): void {
    const outbox: WatchOutbox<Waiter> = [];
    input(outbox);
    for (const decision of outbox) this.#do(decision);
  }

  #do(decision: WatchDecision<Waiter>): void {
    switch (decision.do) {
      case 'open':
        this.#open(decision.number, decision.filter);
        return;
      case 'close':
        this.#close(decision.number);
        return;
      case 'answer':
        decision.waiter(refusalOf(decision.outcome));
        return;
      case 'look-again':
        for (const notice of this.notices(decision.filter)) this.#tell(notice);
        return;
      default: {
        const { clock } = this.#ports;
        this.#disarm();
        this.#disarm = clock.after(this.#backoff.failed(clock.now()), () =>
          this.#decide((outbox) => this.#watch.again(outbox)),
        );
      }
    }
  }

  #open(number: number, filter: Filter): void {
    const upstream = this.#upstream();
    if ('error' in upstream) {
      this.#decide((outbox) => this.#watch.ended(number, false, outbox));
      return;
    }
    const { clock, limits } = this.#ports;
    const disarm = clock.after(limits.upstreamStartMsMax, () => this.#ended(number, false));
    const opened: Opened = { upstream, subscription: undefined, disarm };
    this.#opened.set(number, opened);
    const subscription = upstream.listen(filter, this.#listener(number));
    opened.subscription = subscription;
    if (this.#opened.get(number) !== opened) upstream.unlisten(subscription);
  }

  #listener(number: number): Listener {
    const { origin } = this;
    return {
      id: String(number),
      // Whatever the newest request was: in its session's words this is a subscription.
      origin: origin === undefined ? undefined : { ...origin, method: 'resources/subscribe' },
      acknowledged: (honoured) => {
        this.#opened.get(number)?.disarm();
        this.#backoff.started(this.#ports.clock.now());
        this.#decide((outbox) => this.#watch.acknowledged(number, honoured, outbox));
      },
      changed: (message) => {
        const { uri } = (message.value ?? {}) as { readonly uri?: unknown };
        const named = typeof uri === 'string' ? uri : undefined;
        if (this.#watch.tells(number, message.method ?? '', named)) this.#tell(message);
      },
      deliver: () => {},
      ended: (failure) => this.#ended(number, isFinal(failure)),
    };
  }

  #ended(number: number, isOver: boolean): void {
    this.#close(number);
    this.#decide((outbox) => this.#watch.ended(number, isOver, outbox));
  }

  #close(number: number): void {
    const opened = this.#opened.get(number);
    if (opened === undefined) return;
    this.#opened.delete(number);
    opened.disarm();
    if (opened.subscription !== undefined) opened.upstream.unlisten(opened.subscription);
  }
}

/** A server that knows no listens will not learn them. */
function isFinal(failure: Message | Refusal | undefined): boolean {
  if (!(failure instanceof Message)) return false;
  return failure.isError && (failure.value as { code?: unknown }).code === METHOD_NOT_FOUND;
}

function refusalOf(outcome: 'honoured' | 'not-honoured' | 'failed'): Refusal | undefined {
  if (outcome === 'honoured') return undefined;
  if (outcome === 'failed') return { error: 'UPSTREAM_UNAVAILABLE' };
  return { error: 'INVALID_PARAMS', detail: 'The server does not tell of this resource.' };
}
