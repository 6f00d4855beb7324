/**
 * What must be known of an upstream's tools before they are called, read from its `tools/list`:
 * which arguments are mirrored into `Mcp-Param-*` headers, and whose output is no object.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#custom-headers-from-tool-parameters
 */
import { isObjectSchema } from '../core/bridge/legacy-client/output-schema.ts';
import type { Refusal } from '../core/errors.ts';
import type { RequestHead } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import {
  checkParamHeaders,
  paramHeadersOf,
  type ParamHeader,
} from '../core/protocol/param-headers.ts';
import type { Instance } from './instance.ts';

/** Pages of `tools/list` that are read; a longer list is not read to its end. */
const TOOL_PAGES_MAX = 100;

export class ToolHeaders {
  #headers = new Map<string, readonly ParamHeader[]>();
  #otherOutputs: ReadonlySet<string> = new Set();
  #taskSupport: ReadonlyMap<string, 'optional' | 'required'> = new Map();
  /** Undefined before they were read. */
  #readAt: number | undefined;

  /** Has them read again beside a call when they are old; that one is taken as they are known. */
  refresh(instance: Instance, meta: object | undefined): void {
    const { clock, limits } = instance.ports;
    if (this.#readAt === undefined) return;
    if (clock.now() - this.#readAt >= limits.toolFactsMsMax) this.read(instance, meta, () => {});
  }

  /**
   * Reads all pages; a first read that fails leaves what was found until then, a further one what
   * was known.
   * @param meta - the `_meta` of our requests, where the revision wants one.
   */
  read(instance: Instance, meta: object | undefined, done: () => void): void {
    const isFirst = this.#readAt === undefined;
    this.#readAt = instance.ports.clock.now();
    const found = new Map<string, readonly ParamHeader[]>();
    const others = new Set<string>();
    const tasks = new Map<string, 'optional' | 'required'>();
    const readPage = (cursor: string | undefined, page: number): void => {
      const params = JSON.stringify({ _meta: meta, cursor });
      const call = instance.ask('tools/list', params, (answer) => {
        const isAnswered = !('error' in answer) && !answer.isError;
        if (!isAnswered && !isFirst) {
          done();
          return;
        }
        const result = (isAnswered ? answer.value : {}) as {
          tools?: unknown;
          nextCursor?: unknown;
        };
        collect(result.tools, found, others);
        collectTaskSupport(result.tools, tasks);
        if (typeof result.nextCursor === 'string' && page < TOOL_PAGES_MAX) {
          readPage(result.nextCursor, page + 1);
          return;
        }
        this.#headers = found;
        this.#otherOutputs = others;
        this.#taskSupport = tasks;
        done();
      });
      // What the server says meanwhile is still of the one call beside it.
      if (call !== undefined) instance.pending.setAside(call);
    };
    readPage(undefined, 1);
  }

  /** Whether this tool's output schema is no object, so that older clients see it inside one. */
  wrapsOutput(tool: string): boolean {
    return this.#otherOutputs.has(tool);
  }

  /**
   * Whether a server of 2025-11-25 may, or must, be called so that this tool becomes a task.
   * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks#tool-level-negotiation
   */
  taskSupportOf(tool: string): 'optional' | 'required' | undefined {
    return this.#taskSupport.get(tool);
  }

  /** A `tools/call` against what its tool declares. */
  check(message: Message, head: RequestHead): Refusal | undefined {
    if (this.#headers.size === 0) return undefined;
    const params = message.value as { name?: unknown; arguments?: unknown };
    const headers = this.#headers.get(String(params.name));
    if (headers === undefined) return undefined;
    const refusal = checkParamHeaders(headers, params.arguments, head);
    return refusal === undefined ? undefined : { ...refusal, id: message.id };
  }
}

function collect(
  tools: unknown,
  found: Map<string, readonly ParamHeader[]>,
  others: Set<string>,
): void {
  if (!Array.isArray(tools)) return;
  for (const tool of tools as (Readonly<Record<string, unknown>> | null)[]) {
    const name = String(tool?.['name']);
    const schema = tool?.['outputSchema'];
    const hasSchema = typeof schema === 'object' && schema !== null;
    if (hasSchema && !isObjectSchema(schema as Record<string, unknown>)) others.add(name);
    const outcome = paramHeadersOf(tool?.['inputSchema']);
    if (outcome.kind === 'headers' && outcome.headers.length > 0) {
      found.set(name, outcome.headers);
    }
  }
}

function collectTaskSupport(tools: unknown, found: Map<string, 'optional' | 'required'>): void {
  if (!Array.isArray(tools)) return;
  for (const tool of tools as ({
    readonly name?: unknown;
    readonly execution?: unknown;
  } | null)[]) {
    const { taskSupport } = (tool?.execution ?? {}) as { readonly taskSupport?: unknown };
    if (taskSupport !== 'optional' && taskSupport !== 'required') continue;
    found.set(String(tool?.name), taskSupport);
  }
}
