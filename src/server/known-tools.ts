/**
 * What verdicts know of a server's tools, read in the very conversation that calls are made in,
 * since another process of the server may have others: ahead of the first call after it began, or
 * after what is known became old, and when the server says that they changed.
 */
import type { Access, ToolsThere } from '../core/access.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Instance } from './instance.ts';
import { readToolPagesLater } from './tool-pages.ts';

/** How long calls wait for the list, or what was known before may count while it is read. */
const READ_MS_MAX = 3000;

/** Calls after so long ask again for a list that could not be read. */
const AGAIN_MS = 5000;

/** Further calls do not wait: of their tools nothing is known. */
const WAITING_MAX = 1000;

const NONE: ToolsThere = new Map();

interface Known {
  /** The conversation: another has tools of its own. */
  readonly start: number;
  /** Until when this counts. */
  until: number;
  /** Until when what was read last counts while it cannot be read again. */
  staleAt: number;
  /** None where it could not be read; undefined where nobody asks for it. */
  tools: ToolsThere | undefined;
  reading: Reading | undefined;
}

interface Reading {
  /** Whether the server said that they changed, so that what was known counts no more. */
  isChange: boolean;
  /** They changed once more meanwhile. */
  isStale: boolean;
  readonly waiting: (() => void)[];
}

export class KnownTools {
  readonly #access: Access;
  readonly #server: string;
  readonly #known = new WeakMap<Instance, Known>();

  /** @param server - what it is called in policies. */
  constructor(access: Access, server: string) {
    this.#access = access;
    this.#server = server;
  }

  /**
   * What the tools say as they are there, `due` where it is to be read first. Undefined where it is
   * down, and refuses its calls anyway.
   */
  of(instance: Instance): ToolsThere | 'due' | undefined {
    if (instance.state !== 'ready' && instance.state !== 'starting') return undefined;
    const { until, tools } = this.#of(instance);
    return instance.ports.clock.now() < until ? tools : 'due';
  }

  /** Runs `then` once they were read there, or could not be in time. @returns whether it will. */
  read(instance: Instance, then: () => void): boolean {
    const known = this.#of(instance);
    if ((known.reading?.waiting.length ?? 0) >= WAITING_MAX) return false;
    const reading = known.reading ?? { isChange: false, isStale: false, waiting: [] };
    reading.waiting.push(then);
    if (known.reading === undefined) this.#read(instance, known, reading);
    return true;
  }

  listChanged(instance: Instance, { method }: Message): void {
    if (method !== 'notifications/tools/list_changed') return;
    const known = this.#of(instance);
    if (this.#access.learn === undefined) {
      known.until = -Infinity;
      known.staleAt = -Infinity;
      this.#access.forget?.(this.#server, instance.ports.tenant);
    } else if (known.reading === undefined) {
      this.#read(instance, known, { isChange: true, isStale: false, waiting: [] });
    } else {
      known.reading.isChange = true;
      known.reading.isStale = true;
    }
  }

  #of(instance: Instance): Known {
    const start = instance.starts;
    const before = this.#known.get(instance);
    if (before?.start === start) return before;
    const known: Known = {
      start,
      until: -Infinity,
      staleAt: -Infinity,
      tools: NONE,
      reading: undefined,
    };
    this.#known.set(instance, known);
    return known;
  }

  #read(instance: Instance, known: Known, reading: Reading): void {
    known.reading = reading;
    const { clock, limits, tenant } = instance.ports;
    const ended = (tools: readonly unknown[] | undefined): void => {
      disarm();
      known.reading = undefined;
      const now = clock.now();
      // Whatever the bound, it counts for the calls that waited for it.
      const keptMs = Math.max(1, limits.toolFactsMsMax);
      if (tools !== undefined) known.staleAt = now + 2 * keptMs;
      else if (reading.isChange) known.staleAt = -Infinity;
      if (tools !== undefined) known.tools = this.#access.factsOf?.(this.#server, tools);
      else if (now >= known.staleAt) known.tools = NONE;
      known.until = now + (tools === undefined ? AGAIN_MS : keptMs);
      const isTold = tools !== undefined || reading.isChange;
      if (isTold) this.#access.relearn?.(this.#server, tenant, tools ?? []);
      if (reading.isStale) {
        this.#read(instance, known, { isChange: true, isStale: false, waiting: [] });
      }
      for (const then of reading.waiting) then();
    };
    let giveUp = (): void => {};
    let disarm = (): void => {};
    const wait = (isStarting: boolean): void => {
      disarm = clock.after(READ_MS_MAX, () => {
        // Nothing was asked yet, and a start has a bound of its own.
        if (isStarting) {
          wait(instance.state === 'starting');
          return;
        }
        giveUp();
        ended(undefined);
      });
    };
    wait(instance.state === 'starting');
    const found: unknown[] = [];
    giveUp = readToolPagesLater(instance, {
      read: (tools) => {
        for (const tool of tools) found.push(tool);
      },
      ended: (isWhole) => ended(isWhole ? found : undefined),
    });
  }
}
