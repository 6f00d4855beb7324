/** Reads all tools of a server in a conversation that has only just begun. */
import type { UpstreamConnection, UpstreamEra } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';

export type LearnTools = (tools: readonly unknown[]) => void;

/** Pages that are read; a longer list is not read to its end. */
const PAGES_MAX = 100;

export class ToolsReader {
  readonly era: UpstreamEra;
  isReading = true;
  readonly #connection: UpstreamConnection;
  readonly #done: LearnTools;
  readonly #found: unknown[] = [];
  #page = 1;

  /** @param done - called once, with what was found, whatever became of the rest. */
  constructor(era: UpstreamEra, connection: UpstreamConnection, done: LearnTools) {
    this.era = era;
    this.#connection = connection;
    this.#done = done;
  }

  /** @param answer - of its handshake. */
  start(answer: Message): void {
    const { capabilities } = answer.value as { readonly capabilities?: { tools?: unknown } };
    if (capabilities?.tools === undefined) {
      this.end();
      return;
    }
    if (this.era === 'legacy') {
      this.#connection.send(Message.notification('notifications/initialized'));
    }
    this.#ask(undefined);
  }

  received(message: Message): void {
    if (!this.isReading || message.id !== String(this.#page)) return;
    const result = (message.isError ? {} : message.value) as {
      readonly tools?: unknown;
      readonly nextCursor?: unknown;
    };
    if (Array.isArray(result.tools)) this.#found.push(...(result.tools as unknown[]));
    if (typeof result.nextCursor === 'string' && this.#page < PAGES_MAX) {
      this.#ask(result.nextCursor);
    } else this.end();
  }

  end(): void {
    if (!this.isReading) return;
    this.isReading = false;
    this.#done(this.#found);
  }

  #ask(cursor: string | undefined): void {
    this.#page += 1;
    const meta = this.era === 'modern' ? OUR_ENVELOPE : undefined;
    const params = JSON.stringify({ _meta: meta, cursor });
    const outcome = this.#connection.send(
      Message.request(String(this.#page), 'tools/list', params),
    );
    if (outcome !== 'sent') this.end();
  }
}
