/**
 * What verdicts know of a server's tools, read in the very conversation that calls are made in,
 * since another process of the server may have others: ahead of the first call after it began, or
 * after what is known became old, and when the server says that they changed.
 */
import type { Access, ToolsThere } from '../core/access.ts';
import type { Message } from '../core/protocol/message.ts';
import type { Instance } from './instance.ts';
import { isUp, readToolPagesLater, REREAD_MS } from './tool-pages.ts';

/** How long calls wait for the list once it is asked for. */
const READ_MS_MAX = 3000;

/** A list that could not be read is asked for again after so long. */
const AGAIN_MS = 5000;

/** Further calls do not wait: of their tools nothing is known. */
const WAITING_MAX = 1000;

/** Tools may change while they are read: then once more, so that no call waits for ever. */
export const READINGS_MAX = 2;

/** Nothing is known of any. */
export const NO_TOOLS: ToolsThere = new Map();

interface Known {
  /** The conversation: another has tools of its own. */
  readonly start: number;
  /** Until when this counts. */
  until: number;
  /** Until when what was read last counts while it cannot be read again. */
  staleAt: number;
  /** None where it could not be read; undefined where nobody asks for it. */
  tools: ToolsThere | undefined;
  /** They changed since they were asked for: what is known of them counts no more. */
  isOld: boolean;
  /** They changed, and could not be read since. */
  isUnread: boolean;
  /** When they were asked for last because they had changed. */
  rereadAt: number;
  /** That goes on, or begins after a pause. */
  reading: Reading | undefined;
  /** Gives up the next one where nobody waits. */
  disarm: () => void;
}

interface Reading {
  /** Whether the server said that they changed, so that what was known counts no more. */
  readonly isChange: boolean;
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
    if (!isUp(instance)) return undefined;
    const { until, tools, isOld, reading } = this.#of(instance);
    const isDue = isOld || reading?.isChange === true || instance.ports.clock.now() >= until;
    return isDue ? 'due' : tools;
  }

  /** Runs `then` once they were read there, or could not be in time. @returns whether it will. */
  read(instance: Instance, then: () => void): boolean {
    const known = this.#of(instance);
    if ((known.reading?.waiting.length ?? 0) >= WAITING_MAX) return false;
    if (known.reading !== undefined) known.reading.waiting.push(then);
    else this.#read(instance, known, { isChange: known.isOld, waiting: [then] });
    return true;
  }

  listChanged(instance: Instance, { method }: Message): void {
    if (method !== 'notifications/tools/list_changed') return;
    const known = this.#of(instance);
    known.isOld = true;
    if (!this.#isWanted) this.#access.forget?.(this.#server, instance.ports.tenant);
    else if (known.reading === undefined) this.#reread(instance, known);
  }

  /** Whether verdicts look at what tools say, now. */
  get #isWanted(): boolean {
    return this.#access.learn !== undefined;
  }

  #of(instance: Instance): Known {
    const start = instance.starts;
    const before = this.#known.get(instance);
    if (before?.start === start) return before;
    const known: Known = {
      start,
      until: -Infinity,
      staleAt: -Infinity,
      tools: NO_TOOLS,
      isOld: false,
      isUnread: false,
      rereadAt: -Infinity,
      reading: undefined,
      disarm: () => {},
    };
    this.#known.set(instance, known);
    return known;
  }

  /** Of tools that changed: at once, or a pause after the last time. */
  #reread(instance: Instance, known: Known): void {
    const { clock } = instance.ports;
    const reading: Reading = { isChange: true, waiting: [] };
    const begin = (): void => {
      known.rereadAt = clock.now();
      this.#read(instance, known, reading);
    };
    const pauseMs = known.rereadAt + REREAD_MS - clock.now();
    if (pauseMs <= 0) {
      begin();
      return;
    }
    known.reading = reading;
    clock.after(pauseMs, () => {
      if (this.#isWanted && isIn(instance, known)) begin();
      else over(known, reading);
    });
  }

  #read(instance: Instance, known: Known, reading: Reading): void {
    known.disarm();
    known.reading = reading;
    known.isOld = false;
    const { clock } = instance.ports;
    const found: unknown[] = [];
    let giveUp = (): void => {};
    let disarm = (): void => {};
    const ended = (isWhole: boolean): void => {
      disarm();
      this.#learned(instance, known, reading, isWhole ? found : undefined);
      over(known, reading, () => this.#goOn(instance, known));
    };
    const wait = (isStarting: boolean): void => {
      disarm = clock.after(READ_MS_MAX, () => {
        // Nothing was asked yet, and a start has a bound of its own.
        if (isStarting) {
          wait(instance.state === 'starting');
          return;
        }
        giveUp();
        ended(false);
      });
    };
    wait(instance.state === 'starting');
    giveUp = readToolPagesLater(instance, {
      read: (tools) => {
        for (const tool of tools) found.push(tool);
      },
      ended,
    });
  }

  /** @param tools - undefined where they could not be read. */
  #learned(
    instance: Instance,
    known: Known,
    { isChange }: Reading,
    tools: readonly unknown[] | undefined,
  ): void {
    const { clock, limits, tenant } = instance.ports;
    const now = clock.now();
    // Whatever the bound, it counts for the calls that waited for it.
    const keptMs = Math.max(1, limits.toolFactsMsMax);
    known.until = now + (tools === undefined ? AGAIN_MS : keptMs);
    if (tools !== undefined) {
      known.staleAt = now + 2 * keptMs;
      known.tools = this.#access.factsOf?.(this.#server, tools);
      known.isUnread = false;
    } else {
      if (isChange) known.staleAt = -Infinity;
      if (now >= known.staleAt) known.tools = NO_TOOLS;
      known.isUnread ||= isChange;
    }
    // What a conversation did not say before it was over is nothing to others.
    const isTold = tools !== undefined || (isChange && isIn(instance, known));
    if (isTold) this.#access.relearn?.(this.#server, tenant, tools ?? []);
  }

  /** They changed meanwhile, or what changed could not be read: others suffer from that as well. */
  #goOn(instance: Instance, known: Known): void {
    if (!isIn(instance, known)) return;
    if (known.isOld && this.#isWanted) this.#reread(instance, known);
    else if (known.isUnread) {
      known.disarm = instance.ports.clock.after(AGAIN_MS, () => {
        const isWanted = this.#isWanted && isIn(instance, known);
        if (isWanted) this.#read(instance, known, { isChange: false, waiting: [] });
      });
    }
  }
}

/** Whether it is still in the conversation that this is known of. */
function isIn(instance: Instance, { start }: Known): boolean {
  return isUp(instance) && instance.starts === start;
}

/** @param next - what is done before those that waited go on: they may wait for it. */
function over(known: Known, { waiting }: Reading, next: () => void = () => {}): void {
  known.reading = undefined;
  next();
  for (const then of waiting) then();
}
