/** Whoever sits at a client: what they were told and asked, and how they answer. */
import { Signal } from '../wire/signal.ts';

export interface CallOptions {
  readonly onProgress?: (progress: number) => void;
  readonly signal?: AbortSignal;
  /** For clients that ask for logs with each request. */
  readonly logLevel?: string;
}

/** One client of somebody else's making, as the tests use it. */
export interface Person {
  readonly told: Told;
  readonly serverName: string | undefined;
  readonly version: string | undefined;
  /** Where it posts to over SSE. */
  readonly endpoint: string | undefined;
  tools(): Promise<readonly string[]>;
  /** The first text of the tool's answer. */
  call(name: string, args?: Record<string, unknown>, options?: CallOptions): Promise<string>;
  read(uri: string): Promise<string>;
  prompt(name: string): Promise<string>;
  /** Asks for every log, where that is said once and not with each request. */
  hearLogs(): Promise<void>;
  /** Hears of changes of one resource and of the lists. */
  watch(uri: string): Promise<void>;
  close(): Promise<void>;
}

/** What a client was told besides answers. */
export class Told {
  readonly logs: unknown[] = [];
  /** Methods of notifications of changes, with the resource if there is one. */
  readonly changes: string[] = [];
  readonly errors: Error[] = [];
  readonly #signal = new Signal();

  log(data: unknown): void {
    this.logs.push(data);
    this.#signal.fire();
  }

  change(method: string, uri?: string): void {
    this.changes.push(uri === undefined ? method : `${method} ${uri}`);
    this.#signal.fire();
  }

  error(error: Error): void {
    this.errors.push(error);
    this.#signal.fire();
  }

  async until(condition: (told: this) => boolean, what: string): Promise<void> {
    const state = (): string => JSON.stringify([this.logs, this.changes, this.errors.map(String)]);
    await this.#signal.until(() => condition(this), what, state);
  }
}

/** How everybody answers a question of the server. */
export const ELICITED = { action: 'accept' as const, content: { response: 'yes', name: 'Ann' } };

export const SAMPLED = {
  role: 'assistant' as const,
  model: 'parrot',
  content: { type: 'text' as const, text: 'Polly' },
};
