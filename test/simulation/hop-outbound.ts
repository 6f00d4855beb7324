/** Requests of ours over the lossy network, to a server that may be replaced at any moment. */
import type { Application, HttpExchange } from '../../src/core/ports.ts';
import type { Outbound, OutboundEvents, OutboundRequest } from '../../src/core/outbound.ts';
import type { MemoryExchange, ReplyListener } from '../../src/testing/memory-exchange.ts';
import type { MemoryNetwork } from '../../src/testing/memory-network.ts';
import type { ReplyHeaders } from '../../src/testing/reply-headers.ts';
import type { VirtualClock } from '../../src/testing/virtual-clock.ts';

const ENCODER = new TextEncoder();

export class HopOutbound implements Outbound {
  readonly #clock: VirtualClock;
  readonly #network: MemoryNetwork;
  readonly #server: () => Pick<Application, 'handle'>;
  readonly #open = new Set<HopRequest>();
  /** Whether connections are refused: the server is away. */
  isDown = false;

  constructor(
    clock: VirtualClock,
    network: MemoryNetwork,
    server: () => Pick<Application, 'handle'>,
  ) {
    this.#clock = clock;
    this.#network = network;
    this.#server = server;
  }

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    const hop = new HopRequest(events, () => this.#open.delete(hop));
    this.#open.add(hop);
    this.#clock.after(0, () => {
      if (hop.isOver) return;
      if (this.isDown) {
        hop.end({ kind: 'unsent', detail: 'ECONNREFUSED' });
        return;
      }
      const { pathname, search, host } = new URL(request.url);
      const asked = {
        method: request.method,
        path: pathname,
        query: search.slice(1),
        headers: ['Host', host, ...request.headers],
        ...(request.body !== undefined && { body: request.body }),
      };
      // Whichever server is there when it arrives.
      const server = { handle: (exchange: HttpExchange): void => this.#server().handle(exchange) };
      hop.exchange = this.#network.send(server, asked, hop);
      events.onSent();
    });
    return () => hop.abort();
  }

  /** Every connection breaks. */
  cut(): void {
    for (const hop of this.#open) hop.exchange?.cut();
  }

  async close(): Promise<void> {
    for (const hop of this.#open) hop.abort();
  }
}

class HopRequest implements ReplyListener {
  exchange: MemoryExchange | undefined;
  isOver = false;
  readonly #events: OutboundEvents;
  readonly #done: () => void;

  constructor(events: OutboundEvents, done: () => void) {
    this.#events = events;
    this.#done = done;
  }

  onHead(status: number, headers: ReplyHeaders): void {
    if (!this.isOver) this.#events.onHead({ status, header: (name) => headers.get(name) });
  }

  onText(text: string): void {
    if (!this.isOver) this.#events.onBytes(ENCODER.encode(text));
  }

  onEnd(): void {
    this.end({ kind: 'complete' });
  }

  onLost(): void {
    this.end({ kind: 'cut', detail: 'ECONNRESET' });
  }

  end(end: Parameters<OutboundEvents['onEnd']>[0]): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#done();
    this.#events.onEnd(end);
  }

  abort(): void {
    if (this.isOver) return;
    this.isOver = true;
    this.#done();
    this.exchange?.leave();
  }
}
