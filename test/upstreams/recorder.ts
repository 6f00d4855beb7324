import type {
  LogFields,
  Telemetry,
  UpstreamClosedCause,
  UpstreamEvents,
} from '../../src/core/ports.ts';
import type { Message } from '../../src/core/protocol/message.ts';

type Recorded =
  | { readonly kind: 'message'; readonly message: Message }
  | { readonly kind: 'oversized'; readonly id: string | undefined }
  | { readonly kind: 'closed'; readonly cause: UpstreamClosedCause; readonly detail: string };

/** Keeps what an upstream says, and lets a test wait for it. */
export class Recorder implements UpstreamEvents {
  readonly seen: Recorded[] = [];
  #wake: () => void = () => {};

  onMessage(message: Message): void {
    this.#add({ kind: 'message', message });
  }

  onOversized(id: string | undefined): void {
    this.#add({ kind: 'oversized', id });
  }

  onCloseStream(): void {
    throw new Error('stdio cannot ask for that');
  }

  onClosed(cause: UpstreamClosedCause, detail: string): void {
    this.#add({ kind: 'closed', cause, detail });
  }

  messages(): Message[] {
    return this.seen.flatMap((event) => (event.kind === 'message' ? [event.message] : []));
  }

  closes(): { readonly cause: UpstreamClosedCause; readonly detail: string }[] {
    return this.seen.flatMap((event) => (event.kind === 'closed' ? [event] : []));
  }

  /** Resolves when `holds` does; fails after a bounded wait. */
  async until(
    holds: (recorder: Recorder) => boolean,
    what: string,
    patienceMs = 20_000,
  ): Promise<void> {
    const end = performance.now() + patienceMs;
    while (!holds(this)) {
      if (performance.now() > end) throw new Error(`never came: ${what}`);
      await new Promise<void>((resolve) => {
        // Not every condition is about an event of ours, so look now and then too.
        const look = setTimeout(resolve, 50);
        this.#wake = () => {
          clearTimeout(look);
          resolve();
        };
      });
    }
  }

  async closed(): Promise<{ readonly cause: UpstreamClosedCause; readonly detail: string }> {
    await this.until((recorder) => recorder.closes().length > 0, 'the end');
    return this.closes()[0] as { cause: UpstreamClosedCause; detail: string };
  }

  /** The processes a fixture said it consists of. */
  async pids(): Promise<number[]> {
    const said = (): Message[] => this.messages().filter(({ method }) => method === 'pids');
    await this.until(() => said().length > 0, 'the pids');
    const [{ pids }] = said().map(({ value }) => value) as [{ pids: number[] }];
    return pids;
  }

  #add(event: Recorded): void {
    this.seen.push(event);
    this.#wake();
  }
}

/** Keeps logs and counts. */
export class Sight implements Telemetry {
  readonly logs: { readonly level: string; readonly event: string; readonly fields: LogFields }[] =
    [];
  readonly counts: Map<string, number> = new Map();

  log(level: string, event: string, fields: LogFields): void {
    this.logs.push({ level, event, fields });
  }

  count(name: string, labels: LogFields, by = 1): void {
    const key = labels['reason'] === undefined ? name : `${name} ${labels['reason']}`;
    this.counts.set(key, (this.counts.get(key) ?? 0) + by);
  }

  request(): void {}
  streamClosed(): void {}
}
