/**
 * What one session of the handshake eras wants to hear of, over listens of the stateless revision.
 *
 * Rules: a subscription is answered when a listen that covers it was acknowledged. The wider listen
 * is acknowledged before the narrower one is given up, so no change falls between the two and none
 * is told twice. A listen that was lost is opened again, and the client told to look again.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/subscriptions
 */
import { coversUri, isEmptyFilter, type Filter } from '../../sessions/subscription.ts';

export type WatchOutcome =
  | 'honoured'
  /** The server does not tell of this resource. */
  | 'not-honoured'
  /** The listen ended instead. */
  | 'failed';

export type WatchDecision<Waiter> =
  | { readonly do: 'open'; readonly number: number; readonly filter: Filter }
  | { readonly do: 'close'; readonly number: number }
  | { readonly do: 'answer'; readonly waiter: Waiter; readonly outcome: WatchOutcome }
  /** Call `again` a little later. */
  | { readonly do: 'reopen-later' }
  /** Changes may have been missed: all of these. */
  | { readonly do: 'look-again'; readonly filter: Filter };

export type WatchOutbox<Waiter> = WatchDecision<Waiter>[];

interface Waiting<Waiter> {
  readonly uri: string;
  readonly waiter: Waiter;
}

interface Opening<Waiter> {
  readonly number: number;
  waiting: readonly Waiting<Waiter>[];
}

const NOTHING: Filter = {
  toolsListChanged: false,
  promptsListChanged: false,
  resourcesListChanged: false,
  uris: new Set(),
};

export class ChangeWatch<Waiter> {
  #lists: Filter = NOTHING;
  readonly #uris = new Set<string>();
  /** The listen whose changes are told. */
  #current: number | undefined;
  /** The one that is not acknowledged yet. */
  #next: Opening<Waiter> | undefined;
  /** Subscriptions for the listen after that. */
  #waiting: Waiting<Waiter>[] = [];
  #wasLost = false;
  #lastNumber = 0;

  /** What is told now, or would be. */
  get filter(): Filter {
    return { ...this.#lists, uris: this.#uris };
  }

  /** URIs that are subscribed, those that wait included. */
  get wanted(): readonly string[] {
    const waiting = [...(this.#next?.waiting ?? []), ...this.#waiting];
    return [...this.#uris, ...waiting.map(({ uri }) => uri)];
  }

  /** @param lists - the lists whose changes are told from now on. */
  begin(lists: Filter, outbox: WatchOutbox<Waiter>): void {
    this.#lists = { ...lists, uris: NOTHING.uris };
    if (!isEmptyFilter(lists)) this.#open(outbox);
  }

  subscribe(uri: string, waiter: Waiter, outbox: WatchOutbox<Waiter>): void {
    if (this.#current !== undefined && this.#uris.has(uri)) {
      outbox.push({ do: 'answer', waiter, outcome: 'honoured' });
      return;
    }
    this.#waiting.push({ uri, waiter });
    this.#open(outbox);
  }

  /** Whoever waits for it is answered at once: by its client it was given up already. */
  unsubscribe(uri: string, outbox: WatchOutbox<Waiter>): void {
    this.#uris.delete(uri);
    for (const waiter of this.#take((each) => each.uri === uri)) {
      outbox.push({ do: 'answer', waiter, outcome: 'honoured' });
    }
    if (this.#current === undefined || !isEmptyFilter(this.filter)) return;
    outbox.push({ do: 'close', number: this.#current });
    this.#current = undefined;
  }

  /** Nobody waits for this subscription any more: it is none. */
  withdraw(waiter: Waiter): void {
    this.#take((each) => each.waiter === waiter);
  }

  /** The server acknowledged the listen of this number, as far as it honours it. */
  acknowledged(number: number, honoured: Filter, outbox: WatchOutbox<Waiter>): void {
    const opened = this.#next;
    if (opened?.number !== number) return;
    if (this.#current !== undefined) outbox.push({ do: 'close', number: this.#current });
    this.#current = number;
    this.#next = undefined;
    for (const { uri, waiter } of opened.waiting) {
      const isHonoured = honoured.uris.has(uri);
      if (isHonoured) this.#uris.add(uri);
      const outcome = isHonoured ? 'honoured' : 'not-honoured';
      outbox.push({ do: 'answer', waiter, outcome });
    }
    if (this.#wasLost) outbox.push({ do: 'look-again', filter: this.filter });
    this.#wasLost = false;
    if (this.#waiting.length > 0) this.#open(outbox);
    else if (isEmptyFilter(this.filter)) {
      outbox.push({ do: 'close', number });
      this.#current = undefined;
    }
  }

  /**
   * The listen of this number ended from the server's side.
   * @param isFinal - whether another one would end alike.
   */
  ended(number: number, isFinal: boolean, outbox: WatchOutbox<Waiter>): void {
    if (this.#current === number) {
      this.#current = undefined;
      this.#wasLost = true;
    } else if (this.#next?.number === number) {
      const { waiting } = this.#next;
      this.#next = undefined;
      for (const { waiter } of waiting) outbox.push({ do: 'answer', waiter, outcome: 'failed' });
    } else return;
    if (this.#next !== undefined) return;
    if (this.#waiting.length > 0) this.#open(outbox);
    else if (this.#current === undefined && !isFinal && !isEmptyFilter(this.filter)) {
      outbox.push({ do: 'reopen-later' });
    }
  }

  /** The time after a lost listen is over. */
  again(outbox: WatchOutbox<Waiter>): void {
    if (this.#current === undefined && !isEmptyFilter(this.filter)) this.#open(outbox);
  }

  /** The session ended: nobody waits for an answer any more. */
  stop(outbox: WatchOutbox<Waiter>): void {
    if (this.#current !== undefined) outbox.push({ do: 'close', number: this.#current });
    if (this.#next !== undefined) outbox.push({ do: 'close', number: this.#next.number });
    this.#current = undefined;
    this.#next = undefined;
    this.#waiting = [];
    this.#uris.clear();
    this.#lists = NOTHING;
  }

  /** Whether a change that came on this listen is told. */
  tells(number: number, method: string, uri: string | undefined): boolean {
    if (this.#current !== number) return false;
    if (method !== 'notifications/resources/updated') return true;
    return uri !== undefined && coversUri(this.#uris, uri);
  }

  /** @returns those who waited for such a subscription; none waits any more. */
  #take(isMeant: (each: Waiting<Waiter>) => boolean): readonly Waiter[] {
    const all = [...(this.#next?.waiting ?? []), ...this.#waiting];
    const isLeft = (each: Waiting<Waiter>): boolean => !isMeant(each);
    if (this.#next !== undefined) this.#next.waiting = this.#next.waiting.filter(isLeft);
    this.#waiting = this.#waiting.filter(isLeft);
    return all.filter(isMeant).map(({ waiter }) => waiter);
  }

  #open(outbox: WatchOutbox<Waiter>): void {
    if (this.#next !== undefined) return;
    const waiting = this.#waiting;
    this.#waiting = [];
    this.#lastNumber += 1;
    this.#next = { number: this.#lastNumber, waiting };
    const uris = new Set([...this.#uris, ...waiting.map(({ uri }) => uri)]);
    outbox.push({ do: 'open', number: this.#lastNumber, filter: { ...this.#lists, uris } });
  }
}

/**
 * The lists a server says may change.
 * @param capabilities - of its DiscoverResult.
 */
export function changingLists(capabilities: Readonly<Record<string, unknown>>): Filter {
  const mayChange = (kind: string): boolean =>
    (capabilities[kind] as { listChanged?: unknown } | undefined)?.listChanged === true;
  return {
    toolsListChanged: mayChange('tools'),
    promptsListChanged: mayChange('prompts'),
    resourcesListChanged: mayChange('resources'),
    uris: NOTHING.uris,
  };
}
