/**
 * An application whose whole behaviour is one function, and what its clients' leaving looked like.
 */
import type { CloseReason } from '../../src/core/close-reasons.ts';
import type { Application, BodyOutcome, HttpExchange, StreamSink } from '../../src/core/ports.ts';

const WAIT_MS = 10_000;

export const JSON_HEADERS: readonly string[] = ['Content-Type', 'application/json'];
export const SSE_HEADERS: readonly string[] = ['Content-Type', 'text/event-stream'];

export class ScriptedApp implements Application {
  readonly exchanges: HttpExchange[] = [];
  readonly sinks: StreamSink[] = [];
  readonly outcomes: BodyOutcome[] = [];
  goneCount = 0;
  /** Why they were said to be gone, where it was not they that left. */
  readonly goneWhy: (CloseReason | undefined)[] = [];
  drainedMs: number | undefined;
  script: (exchange: HttpExchange, app: ScriptedApp) => void = respondOk;
  onDrain: () => Promise<void> = async () => {};
  #checks = new Set<() => void>();

  handle(exchange: HttpExchange): void {
    this.exchanges.push(exchange);
    this.script(exchange, this);
    this.check();
  }

  async drain(windowMs: number): Promise<void> {
    this.drainedMs = windowMs;
    await this.onDrain();
  }

  /** Counts how often this exchange's client is said to be gone. */
  watch(exchange: HttpExchange): void {
    exchange.onClientGone((why) => {
      this.goneCount += 1;
      this.goneWhy.push(why);
      this.check();
    });
  }

  open(exchange: HttpExchange, first: string, isLong: boolean): StreamSink {
    const sink = exchange.openStream(200, SSE_HEADERS, first, isLong);
    this.sinks.push(sink);
    return sink;
  }

  read(exchange: HttpExchange, bytesMax: number, then?: (outcome: BodyOutcome) => void): void {
    exchange.readBody(bytesMax, (outcome) => {
      this.outcomes.push(outcome);
      then?.(outcome);
      this.check();
    });
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    if (condition()) return;
    await new Promise<void>((resolve, reject) => {
      const timer = setTimeout(() => reject(new Error(`Waited in vain for ${what}.`)), WAIT_MS);
      const check = (): void => {
        if (!condition()) return;
        clearTimeout(timer);
        this.#checks.delete(check);
        resolve();
      };
      this.#checks.add(check);
    });
  }

  check(): void {
    for (const check of this.#checks) check();
  }
}

export function respondOk(exchange: HttpExchange): void {
  exchange.respond(200, JSON_HEADERS, '{"ok":true}');
}

/** Reads the body and answers with what came of it. */
export function echo(bytesMax: number): (exchange: HttpExchange, app: ScriptedApp) => void {
  return (exchange, app) => {
    app.read(exchange, bytesMax, (outcome) => {
      if (outcome.kind === 'body') exchange.respond(200, JSON_HEADERS, outcome.text);
      if (outcome.kind === 'refused') {
        const status = outcome.refusal.error === 'BODY_TOO_LARGE' ? 413 : 400;
        exchange.respond(status, JSON_HEADERS, `{"refused":"${outcome.refusal.error}"}`);
      }
    });
  };
}
