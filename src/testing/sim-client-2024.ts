/**
 * A client of HTTP+SSE: one stream that carries everything, and POSTs that carry only what is sent.
 * Its EventSource reconnects to the same URL with the last event id, and never initialises again.
 * @see https://modelcontextprotocol.io/specification/2024-11-05/basic/transports#http-with-sse
 */
import type { SseEvent } from '../core/protocol/sse-parser.ts';
import type { JsonRpcResponse, SimCall } from './call-book.ts';
import { placeOf, type SequenceReader } from './sequence-book.ts';
import { SimLegacyClient } from './sim-legacy-client.ts';
import type { SimReply } from './sim-reply.ts';

export class SimClient2024 extends SimLegacyClient {
  #state: 'new' | 'opening' | 'live' | 'stopped' = 'new';
  #endpoint: URL | undefined;
  #stream: SimReply | undefined;
  #reader: SequenceReader | undefined;
  #lastEventId = '';
  #isResumed = false;
  /** Calls of the session that is open now: their answers come on its stream. */
  #asked: SimCall[] = [];

  start(): void {
    if (this.#state !== 'new' || this.isSettling) return;
    this.#state = 'opening';
    this.#lastEventId = '';
    this.#endpoint = undefined;
    this.#asked = [];
    this.beginSession();
    this.#connect();
  }

  act(): void {
    if (this.isSettling || this.#state === 'stopped') return;
    if (this.#state !== 'live') {
      this.start();
      return;
    }
    const acts = {
      call: () => this.#call(),
      list: () => this.list(),
      subscribe: () => this.subscribe(),
      cancel: () => this.cancelOne(this.#asked),
      leave: () => this.#leave(),
      stall: () => this.#stall(),
      trespass: () => this.trespass(),
    };
    const weights = { call: 60, list: 5, subscribe: 8, cancel: 8, leave: 8, stall: 5, trespass: 4 };
    acts[this.random.weighted(weights)]();
  }

  stop(): void {
    this.#state = 'stopped';
    this.#stream?.exchange?.leave();
    this.#stream = undefined;
    this.calls.endAll('lost', 'client stopped');
  }

  protected post(text: string, call: SimCall | undefined): void {
    const endpoint = this.#endpoint;
    if (endpoint === undefined) {
      if (call !== undefined) this.calls.end(call, 'lost', 'no session');
      return;
    }
    if (call !== undefined) this.#asked.push(call);
    const { pathname, search } = endpoint;
    const query = search.slice(1);
    const events = {
      onBody: (reply: SimReply, body: string) => this.#posted(reply, body, call, endpoint),
      onStream: () => this.violate('a POST was answered with a stream'),
      onLost: () => this.#postLost(call),
    };
    this.request('POST', pathname, [], text, events, undefined, query);
  }

  #call(): void {
    const { call, params } = this.newCall();
    this.post(this.requestText(call, 'tools/call', params), call);
  }

  /** The request may have arrived or not; only the answer could tell. */
  #postLost(call: SimCall | undefined): void {
    if (call === undefined) return;
    this.calls.end(call, 'lost', 'POST broke');
    if (call.what === 'initialize' && call.responses === 0) this.#restart();
  }

  #posted(reply: SimReply, body: string, call: SimCall | undefined, endpoint: URL): void {
    if (reply.status === 202) {
      if (body !== '') this.violate(`202 with a body: ${body.slice(0, 80)}`);
      return;
    }
    this.checkRefusal(reply, body);
    if (reply.status === 404) {
      if (call !== undefined) this.calls.end(call, 'lost', 'session gone');
      if (endpoint === this.#endpoint) this.#gone();
      return;
    }
    const code = (JSON.parse(body) as JsonRpcResponse).error?.code;
    if (call === undefined) return;
    if (call.responses > 0)
      this.violate(`call ${call.number} answered and refused ${reply.status}`);
    this.calls.end(call, 'refused', `${reply.status} ${code}`);
    if (call.what === 'initialize') this.#restart();
  }

  #connect(): void {
    if (this.#state === 'stopped' || this.#state === 'new') return;
    const lastEventId = this.#lastEventId === '' ? undefined : this.#lastEventId;
    this.note(`GET /sse ${lastEventId ?? 'fresh'}`);
    const headers = ['Accept', 'text/event-stream'];
    this.#stream = this.request(
      'GET',
      '/sse',
      headers,
      undefined,
      {
        onStream: (reply) => this.#begins(reply, lastEventId),
        onEvent: (reply, event) => this.#event(reply, event),
        onBody: (reply, body) => this.#refused(reply, body),
        onEnd: (reply) => this.#closed(reply),
        onLost: (reply) => this.#closed(reply),
      },
      lastEventId,
    );
  }

  #begins(reply: SimReply, from: string | undefined): void {
    const resume = reply.headers?.get('tidegate-resume');
    if (from !== undefined) this.count(`resume ${resume}`);
    this.count('stream');
    this.#isResumed = from !== undefined;
    this.#reader = this.sequences.reader(from, resume === 'gap');
  }

  #event(reply: SimReply, event: SseEvent): void {
    if (reply !== this.#stream || this.#reader === undefined) return;
    if (event.event === 'endpoint') {
      if (reply.retryMs === undefined) this.violate('an endpoint event without a retry time');
      this.#endpointGiven(event);
      return;
    }
    if (this.#endpoint === undefined) this.violate('a message before the endpoint event');
    const isSilent = this.#isResumed && !reply.headers?.get('tidegate-resume');
    if (isSilent && event.data !== '') this.violate('a resume says neither exact nor gap');
    if (!this.isMessage(this.#reader, event.data, event.id)) return;
    const call = this.receive(event.data, this.#asked);
    if (call?.what === 'initialize') this.#initialized(call);
  }

  #endpointGiven(event: SseEvent): void {
    const endpoint = new URL(event.data, 'http://127.0.0.1:8808/sse');
    const former = this.#endpoint?.searchParams.get('sessionId');
    const session = endpoint.searchParams.get('sessionId') ?? '';
    const isSame = former === session || former === undefined;
    if (event.id === undefined) this.violate('an endpoint event without an id');
    else if (isSame) this.#reader?.stand(event.id);
    if (former === session) return;
    if (former !== undefined && former !== null) {
      if (!this.world.maySessionsEnd) this.violate(`session ${former} was replaced`);
      this.#gone();
      return;
    }
    this.#endpoint = endpoint;
    this.world.sessions.push({
      principal: this.token,
      era: '2024',
      id: session,
      lastEventId: () => this.#lastEventId,
    });
    const call = this.calls.open(this.uniqueId(), 'initialize', this.calls.secret());
    this.post(this.initializeText(call, '2024-11-05'), call);
  }

  #initialized(call: SimCall): void {
    if (this.#state !== 'opening') return;
    if (call.end !== 'answered' && call.end !== 'lost') {
      this.#restart();
      return;
    }
    this.#state = 'live';
    this.post('{"jsonrpc":"2.0","method":"notifications/initialized"}', undefined);
  }

  #refused(reply: SimReply, body: string): void {
    if (reply !== this.#stream) return;
    this.checkRefusal(reply, body);
    this.#stream = undefined;
    // An event id of a session that is over is one that is not known.
    if (reply.status === 400 && this.#lastEventId !== '') this.#gone();
    else if (reply.status === 502) this.#restart();
    else if (reply.status === 429 || reply.status === 503) this.#comeBack();
    else {
      this.violate(`GET /sse answered ${reply.status}: ${body.slice(0, 160)}`);
      this.#restart();
    }
  }

  #closed(reply: SimReply): void {
    if (reply !== this.#stream) return;
    if (reply.lastEventId !== '') {
      const place = placeOf(reply.lastEventId);
      if (place?.session === '') this.violate(`event id ${reply.lastEventId} without a session`);
      this.#lastEventId = reply.lastEventId;
    }
    this.#stream = undefined;
    this.#comeBack();
  }

  #comeBack(): void {
    // Without an event id the session cannot be found again: an EventSource then begins a new one.
    if (this.#lastEventId === '') this.#restart();
    else {
      const session = this.#endpoint;
      this.reconnectLater(() => {
        if (session === this.#endpoint && this.#stream === undefined) this.#connect();
      });
    }
  }

  #gone(): void {
    if (this.#state === 'new' || this.#state === 'stopped') return;
    if (!this.world.maySessionsEnd) this.violate('the session is gone');
    this.count('session gone');
    this.#restart();
  }

  #restart(): void {
    if (this.#state === 'stopped') return;
    this.note('gives the session up');
    this.#stream?.exchange?.leave();
    this.#stream = undefined;
    this.#state = 'new';
    this.calls.endAll('lost', 'session given up');
  }

  #leave(): void {
    const reply = this.#stream;
    if (reply === undefined || reply.exchange?.isDone !== false) return;
    this.note('leaves');
    reply.exchange.leave();
    this.#closed(reply);
  }

  #stall(): void {
    const exchange = this.#stream?.exchange;
    this.note('stops reading');
    exchange?.stopReading();
    this.later(100, 15_000, () => exchange?.startReading());
  }
}
