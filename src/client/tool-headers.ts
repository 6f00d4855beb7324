/**
 * Which arguments of which tool are repeated in headers, learnt from the `tools/list` answers that
 * pass by. A tool whose annotations break a rule is taken out of the answer.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#schema-extension
 */
import type { LogFields, Telemetry } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import {
  paramHeaderLines,
  paramHeadersOf,
  type ParamHeader,
} from '../core/protocol/param-headers.ts';

/** More tools than this are not remembered: their calls are sent without such headers. */
const TOOLS_MAX = 10_000;
/** Of the tools of one answer that are taken out, these are logged; the rest is counted. */
const LOGGED_MAX = 10;

interface Tool {
  readonly name?: unknown;
  readonly inputSchema?: unknown;
}

export class ToolHeaders {
  readonly #telemetry: Telemetry;
  readonly #server: string;
  readonly #known = new Map<string, readonly ParamHeader[]>();

  constructor(telemetry: Telemetry, server: string) {
    this.#telemetry = telemetry;
    this.#server = server;
  }

  /** The `Mcp-Param-*` headers of a `tools/call`, flat. */
  linesFor(call: Message): readonly string[] {
    if (this.#known.size === 0) return [];
    const params = call.value as { name?: unknown; arguments?: unknown } | undefined;
    const headers = this.#known.get(String(params?.name));
    return headers === undefined ? [] : paramHeaderLines(headers, params?.arguments);
  }

  /**
   * Learns from an answer to `tools/list`.
   * @returns the answer, without the tools that no client may use.
   */
  learn(answer: Message): Message {
    if (answer.isError) return answer;
    const result = answer.value as { tools?: unknown };
    if (!Array.isArray(result.tools)) return answer;
    const tools = result.tools as readonly (Tool | null)[];
    let refused = 0;
    const kept = tools.filter((tool) => {
      const reason = this.#faultOf(tool);
      if (reason === undefined) return true;
      refused += 1;
      if (refused <= LOGGED_MAX) this.#log({ tool: String(tool?.name), reason });
      return false;
    });
    if (refused === 0) return answer;
    if (refused > LOGGED_MAX) this.#log({ unlogged: refused - LOGGED_MAX });
    return Message.result(answer.id ?? 'null', JSON.stringify({ ...result, tools: kept }));
  }

  /** Why no client may use a tool; else its headers are learnt. */
  #faultOf(tool: Tool | null): string | undefined {
    const name = String(tool?.name);
    const outcome = paramHeadersOf(tool?.inputSchema);
    if (outcome.kind === 'invalid') return outcome.reason;
    if (outcome.headers.length === 0) this.#known.delete(name);
    else if (this.#known.size < TOOLS_MAX) this.#known.set(name, outcome.headers);
    return undefined;
  }

  #log(fields: LogFields): void {
    this.#telemetry.log('warn', 'upstream_tool_refused', { server: this.#server, ...fields });
  }
}
