/** Requests with headers that an application is asked for each time, such as a token of its own. */
import type { Outbound, OutboundEvents, OutboundRequest } from '../../core/outbound.ts';
import type { Clock } from '../../core/ports.ts';
import { checkedHeaders } from './checked-headers.ts';

type Headers = Readonly<Record<string, string>>;
type Ask = () => Headers | Promise<Headers>;

/** Headers of an application: the same for every request, or asked for before each. */
export type HeadersOption = Headers | Ask;

/** How long a request waits for its headers. */
const ASK_MS_MAX = 10_000;

export class AskedHeaders implements Outbound {
  readonly #inner: Outbound;
  readonly #ask: Ask;
  readonly #clock: Clock;
  /** What gives up a request that waits. */
  readonly #waiting = new Set<() => void>();

  constructor(inner: Outbound, ask: Ask, clock: Clock) {
    this.#inner = inner;
    this.#ask = ask;
    this.#clock = clock;
  }

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    let abort: (() => void) | undefined;
    const giveUp = (): void => {
      disarm();
      this.#waiting.delete(giveUp);
    };
    const fail = (why: string): void => {
      giveUp();
      const detail = `the headers of the application are not known: ${why}`;
      events.onEnd({ kind: 'unsent', detail, hint: detail });
    };
    const disarm = this.#clock.after(ASK_MS_MAX, () => fail('they did not come in time'));
    this.#waiting.add(giveUp);
    void this.#flat().then((headers) => {
      if (!this.#waiting.has(giveUp)) return;
      if (typeof headers === 'string') {
        fail(headers);
        return;
      }
      giveUp();
      const all = { ...request, headers: [...headers, ...request.headers] };
      abort = this.#inner.send(all, events);
    });
    return () => {
      giveUp();
      abort?.();
    };
  }

  async close(): Promise<void> {
    for (const giveUp of this.#waiting) giveUp();
    await this.#inner.close();
  }

  /** What the application says of its failure may hold a secret, and is not repeated. */
  async #flat(): Promise<readonly string[] | string> {
    let headers: unknown;
    try {
      headers = await this.#ask();
    } catch {
      return 'its function failed';
    }
    if (typeof headers !== 'object' || headers === null) return 'its function gave none';
    try {
      return checkedHeaders(headers as Headers);
    } catch (error) {
      return (error as Error).message;
    }
  }
}

/** How requests go out with such headers, and which of them are the same for all. */
export function outboundWith(
  headers: HeadersOption | undefined,
  http: Outbound,
  clock: Clock,
): { readonly http: Outbound; readonly headers: readonly string[] } {
  return typeof headers === 'function'
    ? { http: new AskedHeaders(http, headers, clock), headers: [] }
    : { http, headers: checkedHeaders(headers ?? {}) };
}
