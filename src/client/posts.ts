/**
 * POSTs of what is no call: notifications and answers, of which a server says no more than that it
 * has them. One that does not even say that would cost a connection for each, without end, and it
 * can ask us to answer as often as it likes.
 */
import { Bag, type Bagged } from '../core/bag.ts';
import type { OutboundRequest } from '../core/outbound.ts';
import type { ClientContext } from './client-context.ts';
import { Reply, type ReplyEnd } from './reply.ts';

/** At once; as many as a session may have calls. */
const OPEN_MAX = 256;
/** Of further ones. */
const WAITING_MAX = 10_000;
/** Milliseconds a server may take to say that it has one. */
const TAKE_MS_MAX = 30_000;

/** Called once. @param end - undefined once the server has it, and where it did not say so. */
type Done = (end: ReplyEnd | undefined) => void;

interface Waiting {
  readonly request: OutboundRequest;
  readonly done: Done;
}

interface Open extends Bagged {
  readonly reply: Reply;
  readonly disarm: () => void;
}

export class Posts {
  readonly #context: ClientContext;
  readonly #open = new Bag<Open>();
  #waiting: Waiting[] = [];

  constructor(context: ClientContext) {
    this.#context = context;
  }

  /** @returns whether it is on its way; else it waits for others, or is lost. */
  send(request: OutboundRequest, done: Done): boolean {
    if (this.#open.size < OPEN_MAX) {
      this.#start(request, done);
      return true;
    }
    if (this.#waiting.length >= WAITING_MAX) {
      const { name, telemetry } = this.#context;
      telemetry.count('upstream_posts_lost_total', { upstream: name });
      done(undefined);
      return false;
    }
    this.#context.meter.add(charsOf(request));
    this.#waiting.push({ request, done });
    return false;
  }

  /** Gives them all up, without a word. */
  clear(): void {
    for (const { request } of this.#waiting) this.#context.meter.remove(charsOf(request));
    this.#waiting = [];
    for (const { reply, disarm } of this.#open.all()) {
      disarm();
      reply.abort();
    }
    this.#open.clear();
  }

  #start(request: OutboundRequest, done: Done): void {
    const reply = new Reply(this.#context, request, {
      onHead: ({ status }) => {
        if (status > 299) return;
        // Some servers never end the reply.
        reply.release();
        over(undefined);
      },
      onMessage: () => {},
      onOversized: () => {},
      onEnd: (end) => over(end),
    });
    const disarm = this.#context.clock.after(TAKE_MS_MAX, () => {
      reply.abort();
      over(undefined);
    });
    const open: Open = { place: -1, reply, disarm };
    const over = (end: ReplyEnd | undefined): void => {
      disarm();
      if (!this.#open.delete(open)) return;
      done(end);
      this.#next();
    };
    this.#open.add(open);
  }

  #next(): void {
    const next = this.#open.size < OPEN_MAX ? this.#waiting.shift() : undefined;
    if (next === undefined) return;
    this.#context.meter.remove(charsOf(next.request));
    this.#start(next.request, next.done);
  }
}

function charsOf({ body }: OutboundRequest): number {
  return body?.length ?? 0;
}
