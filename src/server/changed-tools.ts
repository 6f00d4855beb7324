/**
 * What verdicts know of a server's tools, read again when the server says that they changed: in the
 * very conversation that said so, since another process of it may have others.
 */
import type { Access } from '../core/access.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Instance } from './instance.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';

/** Pages that are read; a longer list is not read to its end. */
const PAGES_MAX = 100;

/** How long what was known before may count while the list is read. */
const READ_MS_MAX = 3000;

export class ChangedTools {
  readonly #access: Access;
  readonly #server: string;
  /** Those that are being read; true where they changed once more meanwhile. */
  readonly #reading = new WeakMap<Instance, boolean>();

  /** @param server - what it is called in policies. */
  constructor(access: Access, server: string) {
    this.#access = access;
    this.#server = server;
  }

  listChanged(instance: Instance, { method }: Message): void {
    if (method !== 'notifications/tools/list_changed') return;
    if (this.#access.learn === undefined) {
      this.#access.forget?.(this.#server, instance.ports.tenant);
    } else if (this.#reading.has(instance)) {
      this.#reading.set(instance, true);
    } else this.#read(instance);
  }

  #read(instance: Instance): void {
    this.#reading.set(instance, false);
    const { clock, tenant } = instance.ports;
    const disarm = clock.after(READ_MS_MAX, () => this.#access.relearn?.(this.#server, tenant, []));
    readAll(instance, (tools) => {
      disarm();
      const isStale = this.#reading.get(instance) === true;
      this.#reading.delete(instance);
      this.#access.relearn?.(this.#server, tenant, tools);
      if (isStale) this.#read(instance);
    });
  }
}

/** @param done - with what was found; with nothing if a page was refused: nobody knows the rest. */
function readAll(instance: Instance, done: (tools: readonly unknown[]) => void): void {
  const found: unknown[] = [];
  const ask = (cursor: string | undefined, page: number): void => {
    const meta = instance.era === 'modern' ? OUR_ENVELOPE : undefined;
    const params = JSON.stringify({ _meta: meta, cursor });
    const call = instance.ask('tools/list', params, (answer) => {
      if ('error' in answer || answer.isError) {
        done([]);
        return;
      }
      const { tools, nextCursor } = answer.value as {
        readonly tools?: unknown;
        readonly nextCursor?: unknown;
      };
      if (Array.isArray(tools)) found.push(...(tools as unknown[]));
      if (typeof nextCursor === 'string' && page < PAGES_MAX) ask(nextCursor, page + 1);
      else done(found);
    });
    // What the server says meanwhile is still of the one call beside it.
    if (call !== undefined) instance.pending.setAside(call);
  };
  ask(undefined, 1);
}
