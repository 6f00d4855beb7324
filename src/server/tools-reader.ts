/** Reads all tools of a server in a conversation that has only just begun. */
import type { UpstreamConnection, UpstreamEra } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { toolPageOf } from '../core/protocol/tool-page.ts';
import { toolListParams } from './tool-pages.ts';

export type LearnTools = (tools: readonly unknown[]) => void;

export class ToolsReader {
  readonly era: UpstreamEra;
  isReading = true;
  readonly #connection: UpstreamConnection;
  readonly #done: LearnTools;
  readonly #found: unknown[] = [];
  #page = 0;

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
    if (!this.isReading || message.id !== this.#id) return;
    const page = toolPageOf(message.isError ? undefined : message.value, this.#page);
    for (const tool of page.tools) this.#found.push(tool);
    if (page.nextCursor === undefined) this.end();
    else this.#ask(page.nextCursor);
  }

  end(): void {
    if (!this.isReading) return;
    this.isReading = false;
    this.#done(this.#found);
  }

  /** The handshake was 1. */
  get #id(): string {
    return String(this.#page + 1);
  }

  #ask(cursor: string | undefined): void {
    this.#page += 1;
    const request = Message.request(this.#id, 'tools/list', toolListParams(this.era, cursor));
    const outcome = this.#connection.send(request);
    if (outcome !== 'sent') this.end();
  }
}
