/**
 * Clients that go on calling while something else goes wrong, and that must notice nothing of it.
 */
import { setTimeout as delay } from 'node:timers/promises';
import { expect, onTestFinished } from 'vitest';
import { type Client, Client2024, Client2025, Client2026 } from './clients.ts';
import type { FaultHost, Footing } from './fault-host.ts';

const PAUSE_MS = 3;

/** What they present as `Bearer user-<this>`: long enough to be the one token of a host. */
export const BYSTANDER = 'bystander_of_all';

class Bystander {
  calls = 0;
  slowestMs = 0;
  readonly faults: string[] = [];
  readonly client: Client;
  readonly #name: string;
  #isOn = false;
  #loop: Promise<void> = Promise.resolve();

  constructor(client: Client, name: string) {
    this.client = client;
    this.#name = name;
  }

  start(): void {
    this.#isOn = true;
    this.#loop = this.#run();
  }

  /** Resolves when the call in flight is answered. */
  async pause(): Promise<void> {
    this.#isOn = false;
    await this.#loop;
  }

  async #run(): Promise<void> {
    while (this.#isOn && this.faults.length === 0) {
      try {
        await this.#call();
      } catch (error) {
        this.faults.push(String(error));
      }
      await delay(PAUSE_MS);
    }
  }

  async #call(): Promise<void> {
    this.calls += 1;
    const id = this.calls;
    const text = `${this.#name} ${id} ${'é'.repeat(id % 97)}`;
    const startedAt = performance.now();
    const answer = await this.client.request(id, 'tools/call', {
      name: 'echo',
      arguments: { text },
    });
    this.slowestMs = Math.max(this.slowestMs, performance.now() - startedAt);
    const result = { content: [{ type: 'text', text }] };
    const ending = this.client.era === '2026' ? { resultType: 'complete' } : {};
    const wanted = JSON.stringify({ jsonrpc: '2.0', id, result: { ...result, ...ending } });
    if (answer !== wanted) this.faults.push(`got ${answer} for ${wanted}`);
  }
}

export class Bystanders {
  readonly #all: readonly Bystander[];
  readonly #host: FaultHost;
  #before: Footing | undefined;

  private constructor(host: FaultHost, all: readonly Bystander[]) {
    this.#host = host;
    this.#all = all;
  }

  /** One of each era, calling. */
  static async begin(host: FaultHost): Promise<Bystanders> {
    const { port } = host;
    const clients = [
      await Client2024.open(port, BYSTANDER),
      await Client2025.open(port, BYSTANDER),
      new Client2026(port, BYSTANDER),
    ];
    const all = clients.map((client) => new Bystander(client, `bystander of ${client.era}`));
    const bystanders = new Bystanders(host, all);
    onTestFinished(async () => {
      await Promise.all(all.map((each) => each.pause()));
      for (const { client } of all) client.close();
    });
    for (const each of all) each.start();
    await bystanders.callsMore(50);
    return bystanders;
  }

  get calls(): number {
    return this.#all.reduce((sum, { calls }) => sum + calls, 0);
  }

  get slowestMs(): number {
    return Math.max(...this.#all.map(({ slowestMs }) => slowestMs));
  }

  /** Resolves when each has made that many more calls. */
  async callsMore(count: number): Promise<void> {
    const goals = this.#all.map(({ calls }) => calls + count);
    while (this.#all.some(({ calls, faults }, at) => calls < goals[at]! && faults.length === 0)) {
      await delay(PAUSE_MS);
    }
    this.check();
  }

  /** What the process holds while they are silent: to this it must come back. */
  async note(): Promise<Footing> {
    this.#before = await this.#silently(() => this.#host.steadyFooting());
    return this.#before;
  }

  /** They saw nothing, they go on, and everything is back where it was when it was noted. */
  async sawNothing(): Promise<void> {
    await this.callsMore(10);
    const before = this.#before;
    if (before === undefined) throw new Error('Nothing was noted.');
    await this.#silently(() => this.#host.isBackAt(before));
    this.check();
    expect(this.#host.isAlive).toBe(true);
    expect((await this.#host.peek()).faults).toEqual([]);
    expect(this.#host.stderr).toBe('');
  }

  check(): void {
    const seen = this.#all.map(({ client, faults }) => [...faults, ...client.foreign]);
    expect(seen).toEqual(this.#all.map(() => []));
  }

  async #silently<T>(task: () => Promise<T>): Promise<T> {
    await Promise.all(this.#all.map((each) => each.pause()));
    try {
      return await task();
    } finally {
      for (const each of this.#all) each.start();
    }
  }
}
