/**
 * A client of the stateless revision: every request stands alone, closing the reply cancels,
 * changes come on listen streams, and questions come as `input_required` results that are answered
 * by asking again.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http
 */
import type { SseEvent } from '../core/protocol/sse-parser.ts';
import type { JsonRpcResponse, SimCall } from './call-book.ts';
import { markersIn } from './canary.ts';
import { SimClient } from './sim-client.ts';
import type { SimReply } from './sim-reply.ts';

const VERSION = '2026-07-28';
const PREFIX = 'io.modelcontextprotocol/';
const SUBSCRIPTION_ID = `${PREFIX}subscriptionId`;

type JsonObject = { readonly [key: string]: unknown };

interface Notification {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: JsonObject;
}

interface Listen {
  readonly id: string;
  readonly filter: JsonObject;
  reply: SimReply | undefined;
  isAcknowledged: boolean;
  isOver: boolean;
  readonly markers: Set<number>;
}

/** A request that is under way, with what it takes to ask again. */
interface Asked {
  readonly call: SimCall;
  readonly method: string;
  readonly params: JsonObject;
  reply: SimReply | undefined;
  progress: number;
}

export class SimClient2026 extends SimClient {
  readonly #asked = new Set<Asked>();
  readonly #listens = new Set<Listen>();
  #isStopped = false;

  start(): void {
    this.#ask('server/discover', {});
  }

  act(): void {
    if (this.isSettling || this.#isStopped) return;
    const acts = {
      call: () => this.#call(),
      list: () => this.#ask('tools/list', {}),
      listen: () => this.#listen(),
      unlisten: () => this.#unlisten(),
      cancel: () => this.#cancel(),
      trespass: () => this.trespass(),
      wrong: () => this.#wrong(),
    };
    const weights = {
      call: 60,
      list: 5,
      listen: 12,
      unlisten: 4,
      cancel: 10,
      trespass: 3,
      wrong: 3,
    };
    acts[this.random.weighted(weights)]();
  }

  override settle(): void {
    super.settle();
    for (const listen of this.#listens) this.#closeListen(listen);
  }

  stop(): void {
    this.#isStopped = true;
    for (const asked of this.#asked) asked.reply?.exchange?.leave();
    for (const listen of this.#listens) this.#closeListen(listen);
    this.calls.endAll('lost', 'client stopped');
  }

  #call(): void {
    const { call, params } = this.newCall();
    this.#send({
      call,
      method: 'tools/call',
      params: params as JsonObject,
      reply: undefined,
      progress: 0,
    });
  }

  #ask(method: string, params: JsonObject): void {
    const call = this.calls.open(this.nextId(), method, this.calls.secret());
    this.note(`call ${call.number} id ${call.id}: ${method}`);
    this.#send({ call, method, params, reply: undefined, progress: 0 });
  }

  #send(asked: Asked): void {
    const { call, method, params } = asked;
    this.#asked.add(asked);
    asked.reply = this.#post(call.id, method, params, {
      onStream: () => this.count('stream'),
      onEvent: (_, event) => this.#event(asked, event),
      onBody: (reply, body) => this.#body(asked, reply, body),
      onEnd: () => this.#lost(asked, 'stream ended'),
      onLost: () => this.#lost(asked, 'connection lost'),
    });
  }

  #post(
    id: string,
    method: string,
    params: JsonObject,
    events: ConstructorParameters<typeof SimReply>[2],
    version: string = VERSION,
  ): SimReply {
    const meta = {
      ...(params['_meta'] as JsonObject | undefined),
      [`${PREFIX}protocolVersion`]: VERSION,
      [`${PREFIX}clientInfo`]: { name: 'sim', version: '1.0.0' },
      [`${PREFIX}clientCapabilities`]: { elicitation: {} },
      ...(this.random.chance(0.5) && { [`${PREFIX}logLevel`]: 'info' }),
    };
    const text = JSON.stringify({ ...params, _meta: meta });
    const headers = ['Accept', 'application/json, text/event-stream'];
    headers.push('MCP-Protocol-Version', version, 'Mcp-Method', method);
    if (method === 'tools/call') headers.push('Mcp-Name', String(params['name']));
    const body = `{"jsonrpc":"2.0","id":${id},"method":"${method}","params":${text}}`;
    return this.request('POST', '/mcp', headers, body, events);
  }

  #event(asked: Asked, event: SseEvent): void {
    if (event.id !== undefined) this.violate(`an event with an id: ${event.id}`);
    const message = JSON.parse(event.data) as Notification;
    if (message.method === undefined) this.#answer(asked, event.data);
    else if (message.id !== undefined) this.violate(`a request on a stream: ${event.data}`);
    else if (asked.call.responses > 0) this.violate(`after the answer: ${event.data}`);
    else this.#notified(asked, message);
  }

  #notified(asked: Asked, { method, params }: Notification): void {
    this.count(method ?? '');
    if (method === 'notifications/progress') {
      const progress = Number(params?.['progress']);
      const token = params?.['progressToken'];
      if (token !== asked.call.number)
        this.violate(`progress of ${asked.call.number} as another's`);
      if (progress <= asked.progress) this.violate(`progress ${progress} after ${asked.progress}`);
      asked.progress = progress;
      asked.call.progress += 1;
    } else if (method !== 'notifications/message') {
      this.violate(`${method} on the stream of a request`);
    }
  }

  #body(asked: Asked, reply: SimReply, body: string): void {
    this.count('json');
    const response = JSON.parse(body) as JsonRpcResponse;
    if (reply.status === 200 || response.error?.code !== undefined) {
      if (reply.status >= 400) this.checkRefusal(reply, body);
      this.#answer(asked, body);
    } else this.violate(`status ${reply.status}: ${body.slice(0, 120)}`);
  }

  #answer(asked: Asked, text: string): void {
    this.#asked.delete(asked);
    const call = this.calls.respond(JSON.parse(text) as JsonRpcResponse, text, [asked.call]);
    if (call !== undefined) this.calls.checkProgress(call, text);
    const result = (JSON.parse(text) as JsonRpcResponse).result;
    if (call === undefined || result === undefined) return;
    if (result['resultType'] === undefined) this.violate(`a result without a type: ${text}`);
    if (result['resultType'] === 'input_required') this.#askAgain(asked, result);
  }

  /** @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr */
  #askAgain(asked: Asked, result: JsonObject): void {
    this.count('input_required');
    if (this.isSettling || this.random.chance(0.2)) return;
    const reply = { action: 'accept', content: { reply: this.calls.secret() } };
    const { requestState } = result;
    const params = { ...asked.params, inputResponses: { first: reply }, requestState };
    const call = this.calls.open(this.nextId(), asked.call.what, asked.call.secret);
    // To the server it is one piece of work, whose reports are counted together.
    call.progress = asked.call.progress;
    this.later(1, 300, () => {
      const { _meta, ...rest } = params as JsonObject;
      if (_meta !== undefined) this.note(`call ${call.number} asks again`);
      const meta = _meta === undefined ? {} : { _meta: { progressToken: call.number } };
      this.#send({ ...asked, call, params: { ...rest, ...meta }, reply: undefined, progress: 0 });
    });
  }

  /**
   * Without a session there is no way back: what broke is lost, and the server must have cancelled
   * it.
   */
  #lost(asked: Asked, reason: string): void {
    this.#asked.delete(asked);
    this.calls.end(asked.call, 'lost', reason);
  }

  #cancel(): void {
    if (this.#asked.size === 0) return;
    const asked = this.random.pick([...this.#asked]);
    this.note(`call ${asked.call.number} closes its reply`);
    asked.reply?.exchange?.leave();
    this.#asked.delete(asked);
    this.calls.end(asked.call, 'cancelled');
  }

  #listen(): void {
    const secret = this.calls.secret();
    const uris = ['file:///common', `file:///${secret}`];
    const filter: JsonObject = {
      ...(this.random.chance(0.7) && { toolsListChanged: true }),
      ...(this.random.chance(0.7) && {
        resourceSubscriptions: uris.slice(0, this.random.int(1, 2)),
      }),
    };
    const id = this.nextId();
    const markers = new Set<number>();
    const listen: Listen = {
      id,
      filter,
      reply: undefined,
      isAcknowledged: false,
      isOver: false,
      markers,
    };
    this.note(`listen id ${id}: ${JSON.stringify(filter)}`);
    this.#listens.add(listen);
    listen.reply = this.#post(
      id,
      'subscriptions/listen',
      { notifications: filter },
      {
        onEvent: (_, event) => this.#heard(listen, event),
        onBody: (reply, body) => this.#listenAnswered(listen, reply, body),
        onEnd: () => this.#listens.delete(listen),
        onLost: () => this.#listens.delete(listen),
      },
    );
  }

  #listenAnswered(listen: Listen, reply: SimReply, body: string): void {
    this.#listens.delete(listen);
    this.count(`listen ${reply.status}`);
    const response = JSON.parse(body) as JsonRpcResponse;
    if (response.error === undefined) this.violate(`listen answered with ${body.slice(0, 120)}`);
  }

  #heard(listen: Listen, event: SseEvent): void {
    if (event.id !== undefined) this.violate(`an event with an id: ${event.id}`);
    const isRefused = event.data.startsWith(`{"jsonrpc":"2.0","id":${listen.id},"error":`);
    if (isRefused && this.world.maySessionsEnd) {
      this.count('listen lost');
      listen.isOver = true;
      return;
    }
    if (!event.data.includes(`"${SUBSCRIPTION_ID}":${listen.id}`)) {
      this.violate(`listen ${listen.id} was sent ${event.data}`);
    }
    const message = JSON.parse(event.data) as Notification;
    if (listen.isOver) this.violate(`after the result of listen ${listen.id}: ${event.data}`);
    const method = message.method ?? 'result';
    this.count(`listen ${method}`);
    if (method === 'notifications/subscriptions/acknowledged') {
      if (listen.isAcknowledged) this.violate(`a second acknowledgment of ${listen.id}`);
      listen.isAcknowledged = true;
      return;
    }
    if (!listen.isAcknowledged) this.violate(`${method} before the acknowledgment of ${listen.id}`);
    if (method === 'result') listen.isOver = true;
    else this.#checkWanted(listen, method, message.params ?? {}, event.data);
  }

  #checkWanted(listen: Listen, method: string, params: JsonObject, text: string): void {
    const { filter } = listen;
    const uris = (filter['resourceSubscriptions'] ?? []) as readonly string[];
    const isWanted =
      method === 'notifications/tools/list_changed'
        ? filter['toolsListChanged'] === true
        : method === 'notifications/resources/updated' && uris.includes(String(params['uri']));
    if (!isWanted) this.violate(`listen ${listen.id} did not ask for ${text}`);
    if (this.world.mayChangesRepeat === true) return;
    for (const marker of markersIn(text)) {
      if (listen.markers.has(marker)) this.violate(`emission ${marker} came again`);
      listen.markers.add(marker);
    }
  }

  #unlisten(): void {
    if (this.#listens.size > 0) this.#closeListen(this.random.pick([...this.#listens]));
  }

  #closeListen(listen: Listen): void {
    this.#listens.delete(listen);
    listen.reply?.exchange?.leave();
  }

  /** A header that differs from the body is refused, whatever else is right. */
  #wrong(): void {
    this.#post(
      '77',
      'tools/list',
      {},
      {
        onBody: (reply, body) => {
          const isRight =
            reply.status === 400 && body.includes('-32020') && body.includes('"id":77');
          // Nothing is judged while nothing is known of the server.
          const isAway = reply.status === 502 || reply.status === 503;
          if (!isRight && !isAway)
            this.violate(`a wrong version header got ${reply.status} ${body}`);
        },
        onStream: () => this.violate('a wrong version header got a stream'),
      },
      '2025-11-25',
    );
  }
}
