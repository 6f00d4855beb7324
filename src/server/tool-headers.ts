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
import { isUp, readToolPages, REREAD_MS } from './tool-pages.ts';

export class ToolHeaders {
  #headers = new Map<string, readonly ParamHeader[]>();
  #otherOutputs: ReadonlySet<string> = new Set();
  #taskSupport: ReadonlyMap<string, 'optional' | 'required'> = new Map();
  /** Undefined before they were read. */
  #readAt: number | undefined;
  /** Whether they are read because they changed, or were a moment ago. */
  #isResting = false;
  /** They changed meanwhile. */
  #hasChanged = false;

  /** Has them read again beside a call when they are old; that one is taken as they are known. */
  refresh(instance: Instance): void {
    const { clock, limits } = instance.ports;
    if (this.#readAt === undefined) return;
    if (clock.now() - this.#readAt >= limits.toolFactsMsMax) this.read(instance, () => {});
  }

  /** Has them read again because they changed: at once, or a pause after the last time. */
  changed(instance: Instance): void {
    this.#hasChanged = true;
    if (this.#isResting) return;
    this.#hasChanged = false;
    this.#isResting = true;
    this.read(instance, () => {
      instance.ports.clock.after(REREAD_MS, () => {
        this.#isResting = false;
        if (this.#hasChanged && isUp(instance)) this.changed(instance);
      });
    });
  }

  /**
   * Reads all pages; a first read that fails leaves what was found until then, a further one what
   * was known.
   */
  read(instance: Instance, done: () => void): void {
    const isFirst = this.#readAt === undefined;
    this.#readAt = instance.ports.clock.now();
    const found = new Map<string, readonly ParamHeader[]>();
    const others = new Set<string>();
    const tasks = new Map<string, 'optional' | 'required'>();
    readToolPages(instance, {
      read: (tools) => {
        collect(tools, found, others);
        collectTaskSupport(tools, tasks);
      },
      ended: (isWhole) => {
        if (isWhole || isFirst) {
          this.#headers = found;
          this.#otherOutputs = others;
          this.#taskSupport = tasks;
        }
        done();
      },
    });
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
  tools: readonly unknown[],
  found: Map<string, readonly ParamHeader[]>,
  others: Set<string>,
): void {
  for (const tool of tools as readonly (Readonly<Record<string, unknown>> | null)[]) {
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

function collectTaskSupport(
  tools: readonly unknown[],
  found: Map<string, 'optional' | 'required'>,
): void {
  for (const tool of tools as readonly ({
    readonly name?: unknown;
    readonly execution?: unknown;
  } | null)[]) {
    const { taskSupport } = (tool?.execution ?? {}) as { readonly taskSupport?: unknown };
    if (taskSupport !== 'optional' && taskSupport !== 'required') continue;
    found.set(String(tool?.name), taskSupport);
  }
}
