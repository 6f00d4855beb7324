/** HTTP requests of ours over the network, with connections that are kept. */
import { Bag } from '../../core/bag.ts';
import type { Outbound, OutboundEvents, OutboundRequest } from '../../core/outbound.ts';
import { Attempt } from './attempt.ts';
import { Connections, type ConnectionOptions, type Route } from './connections.ts';
import type { SsrfGuard } from './ssrf-guard.ts';

export class HttpOutbound implements Outbound {
  readonly #guard: SsrfGuard;
  readonly #connections: Connections;
  readonly #open = new Bag<Attempt>();
  readonly #onGone = (ended: Attempt): void => void this.#open.delete(ended);
  /** The last target: one server has one or two URLs. */
  #target: Target | undefined;

  /** @throws TypeError when a proxy's URL is malformed. */
  constructor(guard: SsrfGuard, options: ConnectionOptions = {}) {
    this.#guard = guard;
    this.#connections = new Connections(guard.lookup, options);
  }

  send(asked: OutboundRequest, events: OutboundEvents): () => void {
    const attempt = new Attempt(asked, events, this.#onGone);
    this.#open.add(attempt);
    const { route, fault } = this.#targetOf(asked.url);
    if (route === undefined) attempt.failLater(fault);
    else attempt.start(route);
    return () => attempt.abort();
  }

  async close(): Promise<void> {
    for (const attempt of this.#open.all()) attempt.abort();
    await this.#connections.close();
  }

  #targetOf(text: string): Target {
    if (this.#target?.text !== text) this.#target = this.#checked(text);
    return this.#target;
  }

  #checked(text: string): Target {
    if (!URL.canParse(text)) return { text, route: undefined, fault: 'The URL is malformed.' };
    const url = new URL(text);
    const fault = this.#guard.faultOf(url);
    if (fault !== undefined) return { text, route: undefined, fault };
    return { text, route: this.#connections.route(url), fault };
  }
}

/** A URL as it was asked for, whether it may be called and how: that depends on nothing else. */
type Target = { readonly text: string } & (
  | { readonly route: Route; readonly fault: undefined }
  | { readonly route: undefined; readonly fault: string }
);
