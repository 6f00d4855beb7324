/**
 * Lists the tools anew when a call was refused for its headers, so that it can be sent with the
 * right ones.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#client-behavior
 */
import { META } from '../core/protocol/eras/stateless-2026.ts';
import { Message } from '../core/protocol/message.ts';
import { toolPageOf } from '../core/protocol/tool-page.ts';
import type { ClientContext } from './client-context.ts';
import { ModernCall } from './modern-call.ts';
import type { ToolHeaders } from './tool-headers.ts';

export class ToolReader {
  readonly #context: ClientContext;
  readonly #tools: ToolHeaders;
  readonly #open = new Set<ModernCall>();
  #number = 0;

  constructor(context: ClientContext, tools: ToolHeaders) {
    this.#context = context;
    this.#tools = tools;
  }

  /**
   * @param call - whose envelope is used: tools may be listed by who asks.
   * @param done - called once, whether they could be listed or not; not after `stop`.
   */
  read(call: Message, done: () => void): void {
    const meta = (call.value as { _meta?: Record<string, unknown> } | undefined)?._meta ?? {};
    const envelope: Record<string, unknown> = {};
    for (const name of [META.protocolVersion, META.clientInfo, META.clientCapabilities]) {
      if (meta[name] !== undefined) envelope[name] = meta[name];
    }
    this.#readPage(envelope, undefined, 1, done);
  }

  stop(): void {
    for (const call of this.#open) call.abort();
    this.#open.clear();
  }

  #readPage(
    envelope: Readonly<Record<string, unknown>>,
    cursor: string | undefined,
    page: number,
    done: () => void,
  ): void {
    const params = JSON.stringify({ _meta: envelope, cursor });
    this.#number += 1;
    const request = Message.request(`"tidegate-${this.#number}"`, 'tools/list', params);
    const end = (): void => {
      this.#open.delete(call);
      done();
    };
    const call = new ModernCall(this.#context, this.#tools, request, {
      answered: (_, answer) => {
        this.#tools.learn(answer);
        const { nextCursor } = toolPageOf(answer.value, page);
        if (nextCursor === undefined) {
          end();
          return;
        }
        this.#open.delete(call);
        this.#readPage(envelope, nextCursor, page + 1, done);
      },
      unreachable: end,
      mismatched: end,
      oversized: end,
      notified: () => {},
      stray: () => {},
      reached: () => {},
    });
    this.#open.add(call);
    call.start();
  }
}
