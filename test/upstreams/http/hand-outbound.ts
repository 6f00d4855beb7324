/** A remote server without sockets, in the test's hand, and time that moves only when told to. */
import type { Outbound, OutboundEvents, OutboundRequest } from '../../../src/core/outbound.ts';
import { type ClientContext, SendMeter } from '../../../src/client/client-context.ts';
import { VirtualClock } from '../../../src/testing/virtual-clock.ts';
import { Sight } from '../recorder.ts';
import type { Said } from './hand-server.ts';

/** One request and the means to answer it. */
export class Sent {
  readonly request: OutboundRequest;
  readonly body: Said;
  isGone = false;
  readonly #events: OutboundEvents;

  constructor(request: OutboundRequest, events: OutboundEvents) {
    this.request = request;
    this.#events = events;
    this.body = request.body === undefined ? {} : (JSON.parse(request.body) as Said);
  }

  get method(): string {
    return this.body.method ?? this.request.method;
  }

  header(name: string): string | undefined {
    const at = this.request.headers.findIndex((each) => each.toLowerCase() === name);
    return at < 0 ? undefined : this.request.headers[at + 1];
  }

  /** The head of the reply, and nothing more of it. */
  head(status: number, headers: Readonly<Record<string, string>> = {}): this {
    if (!this.isGone) this.#events.onHead({ status, header: (name) => headers[name] });
    return this;
  }

  status(status: number): void {
    this.head(status).end();
  }

  result(result: unknown, headers: Readonly<Record<string, string>> = {}): void {
    this.head(200, { 'content-type': 'application/json', ...headers });
    this.text(JSON.stringify({ jsonrpc: '2.0', id: this.body.id, result }));
    this.end();
  }

  stream(text: string): this {
    return this.head(200, { 'content-type': 'text/event-stream' }).text(text);
  }

  text(text: string): this {
    if (!this.isGone) this.#events.onBytes(new TextEncoder().encode(text));
    return this;
  }

  end(): void {
    if (!this.isGone) this.#events.onEnd({ kind: 'complete' });
  }

  cut(): void {
    if (!this.isGone) this.#events.onEnd({ kind: 'cut', detail: 'cut by the test' });
  }
}

export class HandOutbound implements Outbound {
  readonly clock = new VirtualClock(1000);
  readonly sent: Sent[] = [];
  readonly #answer: (sent: Sent) => void;

  constructor(answer: (sent: Sent) => void) {
    this.#answer = answer;
  }

  get context(): ClientContext {
    return {
      name: 'hand',
      url: 'http://127.0.0.1/mcp',
      headers: [],
      http: this,
      clock: this.clock,
      random: { sessionId: () => 'nonce', fraction: () => 0.5 },
      telemetry: new Sight(),
      messageBytesMax: 100_000,
      meter: new SendMeter(100_000),
      origin: { handshake: undefined },
    };
  }

  send(request: OutboundRequest, events: OutboundEvents): () => void {
    const sent = new Sent(request, events);
    this.sent.push(sent);
    queueMicrotask(() => {
      if (!sent.isGone) this.#answer(sent);
    });
    return () => {
      sent.isGone = true;
    };
  }

  async close(): Promise<void> {}

  of(method: string): readonly Sent[] {
    return this.sent.filter((each) => each.method === method);
  }

  /** Lets time pass, and what follows from each moment happen in it. */
  async pass(ms: number): Promise<void> {
    const until = this.clock.now() + ms;
    await settled();
    for (;;) {
      const next = this.clock.nextDeadline();
      if (next === undefined || next > until) break;
      this.clock.advance(next - this.clock.now());
      await settled();
    }
    this.clock.advance(until - this.clock.now());
  }
}

/** What was begun goes on in microtasks alone. */
async function settled(): Promise<void> {
  await new Promise((resolve) => setImmediate(resolve));
}
