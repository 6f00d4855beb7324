/**
 * What simulated clients of every era share: requests over the lossy network, an account of calls,
 * and bad habits.
 */
import type { Application } from '../core/ports.ts';
import { CallBook, type SimCall } from './call-book.ts';
import type { Ledger } from './ledger.ts';
import type { MemoryNetwork } from './memory-network.ts';
import type { SeededRandom } from './seeded-random.ts';
import { SimReply, type SimReplyEvents } from './sim-reply.ts';
import {
  formatScript,
  randomScript,
  type EndingWeights,
  type StepWeights,
  type ToolScript,
} from './tool-script.ts';
import type { VirtualClock } from './virtual-clock.ts';

/** A session that exists, for others to try. */
export interface KnownSession {
  readonly principal: string;
  readonly era: '2024' | '2025';
  readonly id: string;
  readonly lastEventId: () => string;
}

export interface SimWorld {
  readonly clock: VirtualClock;
  readonly network: MemoryNetwork;
  readonly application: Pick<Application, 'handle'>;
  readonly ledger: Ledger;
  readonly sessions: KnownSession[];
  readonly steps: StepWeights;
  readonly endings: EndingWeights;
  /**
   * Whether a session may be gone without its client having ended it: bounds are tight, or time is
   * long.
   */
  readonly maySessionsEnd: boolean;
  /**
   * Whether a change may be told twice: a listen that replaces another is open before that is
   * closed, so that none is missed.
   */
  readonly mayChangesRepeat?: boolean;
}

export interface SimIdentity {
  /** Whose canaries it may see. */
  readonly name: string;
  /** The credential, sent as a bearer token. */
  readonly token: string;
}

const IDS = ['1', '2', '3', '"1"', '"2"', '"\\u00e9"', '9007199254740993', '0', '-7'];

export abstract class SimClient {
  readonly name: string;
  readonly token: string;
  readonly calls: CallBook;
  protected readonly world: SimWorld;
  protected readonly random: SeededRandom;
  /** No more new things: only what was begun is brought to its end. */
  protected isSettling = false;
  /**
   * Whether ids are reused while their requests are in flight, which only a careless client does.
   */
  protected readonly hasEqualIds: boolean;
  #nextId = 0;

  constructor(world: SimWorld, identity: SimIdentity, random: SeededRandom) {
    this.world = world;
    this.name = identity.name;
    this.token = identity.token;
    this.random = random;
    this.calls = new CallBook(identity.name, world.ledger);
    this.hasEqualIds = random.chance(0.3);
  }

  abstract start(): void;

  /** Does one thing a client may do now. */
  abstract act(): void;

  /** Begins nothing new; fetches what is outstanding. */
  settle(): void {
    this.isSettling = true;
  }

  /** Goes away for good, as a process that ends. */
  abstract stop(): void;

  protected request(
    method: string,
    path: string,
    headers: readonly string[],
    body: string | undefined,
    events: SimReplyEvents,
    lastEventId?: string,
    query?: string,
  ): SimReply {
    const reply = new SimReply(this.name, this.world.ledger, events, lastEventId);
    const all = ['Authorization', `Bearer ${this.token}`, 'Host', '127.0.0.1:8808', ...headers];
    if (body !== undefined) all.push('Content-Type', 'application/json');
    if (lastEventId !== undefined) all.push('Last-Event-ID', lastEventId);
    const request = {
      method,
      path,
      query: query ?? '',
      headers: all,
      ...(body !== undefined && { body }),
    };
    reply.exchange = this.world.network.send(this.world.application, request, reply);
    return reply;
  }

  /** A call of the scripted tool. */
  protected newCall(): { readonly call: SimCall; readonly params: object } {
    const script = this.newScript();
    const secret = this.calls.secret();
    const call = this.calls.open(this.nextId(), formatScript(script), secret);
    this.note(`call ${call.number} id ${call.id}: ${call.what}`);
    const meta = this.random.chance(0.8) ? { _meta: { progressToken: call.number } } : {};
    const given = { secret, script: call.what };
    return { call, params: { name: 'script', arguments: given, ...meta } };
  }

  protected newScript(): ToolScript {
    return randomScript(this.random, this.world.steps, this.world.endings, 5);
  }

  /** An id that no other call of this client has: for requests whose answers carry no secret. */
  protected uniqueId(): string {
    this.#nextId += 1;
    return `"u${this.#nextId}"`;
  }

  /**
   * An id's JSON token: often the same as another client's, and of a careless client as its own.
   */
  protected nextId(): string {
    if (this.hasEqualIds) return this.random.pick(IDS);
    this.#nextId += 1;
    return this.random.chance(0.8) ? String(this.#nextId) : `"${this.#nextId}"`;
  }

  protected later(fromMs: number, toMs: number, task: () => void): void {
    this.world.clock.after(this.random.int(fromMs, toMs), task);
  }

  protected note(what: string): void {
    this.world.ledger.note(this.name, what);
  }

  protected violate(what: string): void {
    this.world.ledger.violate(this.name, what);
  }

  protected count(what: string): void {
    this.world.ledger.count(what);
  }

  /** A refusal must be a JSON-RPC error, whatever its status. */
  protected checkRefusal(reply: SimReply, body: string): void {
    const type = reply.headers?.get('content-type') ?? '';
    const isError = /^\{"jsonrpc":"2\.0","id":.*,"error":\{"code":-?\d+,"message":".*\}\}$/s.test(
      body,
    );
    if (!type.startsWith('application/json') || !isError) {
      this.violate(
        `status ${reply.status} without a JSON-RPC error: ${type} ${body.slice(0, 120)}`,
      );
    }
  }

  /** A server that knows nothing of its upstream says no more than that. */
  protected mayBeAway({ status }: SimReply): boolean {
    return status === 502 && this.world.maySessionsEnd;
  }

  /**
   * Tries a session of another principal: it must look exactly like one that never was, which is
   * 404 for a session and 400 for an event id, unless the request was refused before either was
   * looked at.
   */
  protected trespass(): void {
    const others = this.world.sessions.filter((each) => each.principal !== this.token);
    if (others.length === 0) return;
    const target = this.random.pick(others);
    this.note(`tries session ${target.id}`);
    this.count('trespass');
    const isFresh = target.era === '2024' && target.lastEventId() === '';
    const isByEventId = target.era === '2024' && this.random.chance(0.5);
    const expected = [isByEventId ? 400 : 404, 429, 502, 503];
    const events: SimReplyEvents = {
      onBody: (reply) => {
        const isRight = expected.includes(reply.status);
        if (!isRight) this.violate(`a foreign session answered ${reply.status}`);
      },
      // A server that drains answers everyone with a stream of nothing.
      onEvent: (reply, event) => {
        if (!isFresh && event.data !== '') this.violate('a foreign session gave an event');
        reply.exchange?.leave();
      },
    };
    if (target.era === '2024') {
      const body = `{"jsonrpc":"2.0","id":1,"method":"ping"}`;
      if (!isByEventId) {
        this.request('POST', '/messages', [], body, events, undefined, `sessionId=${target.id}`);
      } else {
        const headers = ['Accept', 'text/event-stream'];
        this.request('GET', '/sse', headers, undefined, events, target.lastEventId());
      }
      return;
    }
    const headers = ['Mcp-Session-Id', target.id, 'Accept', 'application/json, text/event-stream'];
    const method = this.random.pick(['POST', 'GET', 'DELETE']);
    const body = method === 'POST' ? '{"jsonrpc":"2.0","id":1,"method":"tools/list"}' : undefined;
    const lastEventId = method === 'GET' ? target.lastEventId() : undefined;
    this.request(method, '/mcp', headers, body, events, lastEventId);
  }
}
