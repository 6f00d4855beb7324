/**
 * The merged server as its own endpoint speaks to it, with a clock in the test's hand, over
 * endpoints whose servers are, too.
 */
import { onTestFinished } from 'vitest';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { Principal, Upstream, UpstreamConnection } from '../../src/core/ports.ts';
import { principalOf } from '../../src/core/principal.ts';
import type { Message } from '../../src/core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from '../../src/core/protocol/read-message.ts';
import type { MergedMember } from '../../src/gateway/merge/merge-parts.ts';
import { mergedUpstream, type MergedUpstream } from '../../src/gateway/merge/merged-upstream.ts';
import { VirtualClock } from '../../src/testing/virtual-clock.ts';
import { Sight } from '../upstreams/recorder.ts';
import { metaOf } from '../wire/client-2026.ts';
import { eventually, Signal } from '../wire/signal.ts';
import type { Json } from '../wire/wire-reply.ts';
import { member } from './merged-gate.ts';

export const ALICE: Principal = principalOf({
  tenant: 't',
  issuer: 'i',
  subject: 'alice',
  clientId: 'c',
});
export const BOB: Principal = principalOf({
  tenant: 't',
  issuer: 'i',
  subject: 'bob',
  clientId: 'c',
});

/** As long as a merged list waits for one of its servers. */
export const WAIT_MS: number = DEFAULT_LIMITS.mergedWaitMsMax;

const STEP_MS = 100;

export class Merged {
  readonly clock: VirtualClock = new VirtualClock();
  readonly sight: Sight = new Sight();
  readonly upstream: MergedUpstream;
  readonly members: readonly MergedMember[];

  constructor(servers: Readonly<Record<string, Upstream>>) {
    this.members = Object.entries(servers).map(([name, upstream]) => member(name, upstream));
    this.upstream = mergedUpstream(this.members, {
      serverInfo: { name: 'merged', version: '1.0.0' },
      clock: this.clock,
      random: systemRandom,
      telemetry: this.sight,
      limits: DEFAULT_LIMITS,
    });
    onTestFinished(() => this.upstream.close());
  }

  conversation(caller: Principal = ALICE): Conversation {
    return new Conversation(this.upstream, caller);
  }

  /** Whether a server was heard this often, by whomever. */
  isHeard(server: string, times = 1): boolean {
    return this.#hasLogged('merged_server_present', server, times);
  }

  /** Whether a server was found to be down this often, by whomever. */
  isMissed(server: string, times = 1): boolean {
    return this.#hasLogged('merged_server_absent', server, times);
  }

  async heard(server: string): Promise<void> {
    await eventually(() => this.isHeard(server), `${server} to be heard`);
  }

  /** Lets time pass, as much of it as is needed. */
  async passUntil(condition: () => boolean, what: string): Promise<void> {
    await eventually(() => {
      if (!condition()) this.clock.advance(STEP_MS);
      return condition();
    }, what);
  }

  #hasLogged(event: string, server: string, times: number): boolean {
    const { logs } = this.sight;
    return (
      logs.filter((log) => log.event === event && log.fields['server'] === server).length >= times
    );
  }
}

export class Conversation {
  /** Everything that was said to it, in order. */
  readonly said: Message[] = [];
  readonly #signal = new Signal();
  readonly #connection: UpstreamConnection;
  #number = 0;

  constructor(upstream: Upstream, caller: Principal) {
    this.#connection = upstream.connect(
      'modern',
      {
        onMessage: (message) => {
          this.said.push(message);
          this.#signal.fire();
        },
        onOversized: () => {},
        onCloseStream: () => {},
        onClosed: () => {},
      },
      caller,
    );
  }

  /** @returns its id. */
  send(method: string, params: Json = {}): number {
    this.#number += 1;
    const id = this.#number;
    const meta = { ...metaOf(), progressToken: id };
    this.#raw({ jsonrpc: '2.0', id, method, params: { ...params, _meta: meta } });
    return id;
  }

  cancel(requestId: number): void {
    this.#raw({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId } });
  }

  /** The answer to the request of this id, once it is there. */
  async answer(id: number): Promise<Json> {
    await this.until(() => this.#answer(id) !== undefined, `the answer to ${id}`);
    const { isError, value } = this.#answer(id) as Message;
    return isError ? { error: value } : (value as Json);
  }

  async ask(method: string, params: Json = {}): Promise<Json> {
    return this.answer(this.send(method, params));
  }

  isAnswered(id: number): boolean {
    return this.#answer(id) !== undefined;
  }

  /** Notifications of one kind, or of all. */
  notices(method?: string): readonly Message[] {
    return this.said.filter(
      (message) =>
        message.kind === 'notification' && (method === undefined || message.method === method),
    );
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    const state = (): string => this.said.map((message) => message.toText()).join('\n');
    await this.#signal.until(condition, what, state);
  }

  close(): void {
    this.#connection.close();
  }

  #answer(id: number): Message | undefined {
    return this.said.find(({ kind, id: token }) => kind === 'response' && token === String(id));
  }

  #raw(message: Json): void {
    const read = readMessage(JSON.stringify(message), UPSTREAM_BOUNDS);
    if (read.kind !== 'message') throw new Error('Not a message.');
    this.#connection.send(read.message);
  }
}

/** Names, or URIs, of what was listed. */
export function listed(result: Json, member: string, key: string): readonly unknown[] {
  const list = result[member] as readonly Json[];
  return list.map((entry) => entry[key]);
}
