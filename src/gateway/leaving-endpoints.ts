/** Endpoints that no longer serve their name and end in their own time. */
import type { HttpExchange } from '../core/ports.ts';
import type { Endpoint } from '../server/endpoint.ts';
import { sessionHint } from './session-hint.ts';

export interface LeavingEndpoint {
  /** Under which it served. */
  readonly name: string;
  readonly endpoint: Endpoint;
}

interface Leaving extends LeavingEndpoint {
  /** Ends its processes at once. */
  readonly abandon: () => Promise<void>;
  readonly gone: Promise<void>;
}

export class LeavingEndpoints {
  readonly #leaving = new Set<Leaving>();

  get size(): number {
    return this.#leaving.size;
  }

  all(): readonly LeavingEndpoint[] {
    return [...this.#leaving];
  }

  /** Resolves when those of this moment are gone. */
  get gone(): Promise<unknown> {
    return Promise.all(Array.from(this.#leaving, ({ gone }) => gone));
  }

  /**
   * @param abandon - ends the processes of the endpoint at once.
   * @param windowMs - milliseconds in which its calls may end.
   */
  add(name: string, endpoint: Endpoint, abandon: () => Promise<void>, windowMs: number): void {
    const leaving: Leaving = {
      name,
      endpoint,
      abandon,
      gone: endpoint.drain(windowMs).finally(() => this.#leaving.delete(leaving)),
    };
    this.#leaving.add(leaving);
  }

  /** A session stays where it was opened until it ends: its calls in flight may need answers. */
  of(name: string, { head }: HttpExchange): Endpoint | undefined {
    if (this.#leaving.size === 0) return undefined;
    const session = sessionHint(head);
    if (session === undefined) return undefined;
    for (const each of this.#leaving) {
      if (each.name === name && each.endpoint.hasSession(session)) return each.endpoint;
    }
    return undefined;
  }

  async abandon(): Promise<void> {
    await Promise.all(Array.from(this.#leaving, ({ abandon }) => abandon()));
  }
}
