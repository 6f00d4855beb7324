/**
 * A client of the Streamable HTTP revisions with sessions: replies as JSON or as streams, each
 * resumed by its event id, one stream that belongs to no request, and the habit of leaving at the
 * worst moment.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#streamable-http
 */
import type { SseEvent } from '../core/protocol/sse-parser.ts';
import type { JsonRpcResponse, SimCall } from './call-book.ts';
import { placeOf, type SequenceReader } from './sequence-book.ts';
import { SimLegacyClient } from './sim-legacy-client.ts';
import type { SimReply } from './sim-reply.ts';

const VERSIONS = ['2025-03-26', '2025-06-18', '2025-11-25'];

/** Splits a batch without parsing it, so that ids keep every digit. */
const BETWEEN_ANSWERS = /(?<=\}),(?=\{"jsonrpc":"2\.0","id":)/;

/** Replies a server remembers after they were finished, at the least. */
const FINISHED_KEPT = 1024;

/** A stream as its client sees it, over all the connections it is read through. */
interface Reading {
  /** How many POSTs came before it. */
  readonly number: number;
  /** Undefined for the stream of no request. */
  readonly calls: readonly SimCall[] | undefined;
  lastEventId: string;
  reply: SimReply | undefined;
  reader: SequenceReader | undefined;
  isOver: boolean;
}

export class SimClient2025 extends SimLegacyClient {
  #state: 'new' | 'opening' | 'live' | 'stopped' = 'new';
  #sessionId = '';
  #version = '2025-11-25';
  #main: Reading | undefined;
  #sent = 0;
  /** The furthest event of that stream, whichever connection brought it. */
  #mainLastEventId = '';
  /** Connections that were given the stream of no request and may still bring some of it. */
  #mains: SimReply[] = [];
  readonly #readings = new Set<Reading>();

  start(): void {
    if (this.#state !== 'new' || this.isSettling) return;
    this.#state = 'opening';
    this.#version = this.random.pick(VERSIONS);
    this.beginSession();
    this.#mainLastEventId = '';
    const call = this.calls.open(this.uniqueId(), 'initialize', this.calls.secret());
    this.note(`initialize ${this.#version} id ${call.id}`);
    this.#send(this.initializeText(call, this.#version), [call], []);
  }

  act(): void {
    if (this.isSettling || this.#state === 'stopped') return;
    if (this.#state !== 'live') {
      this.start();
      return;
    }
    const acts = {
      call: () => this.#call(),
      batch: () => this.#batch(),
      list: () => this.list(),
      subscribe: () => this.subscribe(),
      cancel: () => this.cancelOne(this.#inFlight()),
      listen: () => this.#listen(),
      leave: () => this.#leave(),
      stall: () => this.#stall(),
      trespass: () => this.trespass(),
      end: () => this.#end(),
    };
    const weights = { call: 50, batch: 5, list: 4, subscribe: 6, cancel: 8, listen: 8 };
    acts[this.random.weighted({ ...weights, leave: 10, stall: 5, trespass: 3, end: 1 })]();
  }

  stop(): void {
    this.#state = 'stopped';
    for (const reading of this.#all()) {
      reading.isOver = true;
      reading.reply?.exchange?.leave();
    }
    this.#leaveMains();
    this.#readings.clear();
    this.calls.endAll('lost', 'client stopped');
  }

  protected post(text: string, call: SimCall | undefined): void {
    if (this.#state === 'live') this.#send(text, call === undefined ? [] : [call], this.#session());
    else if (call !== undefined) this.calls.end(call, 'lost', 'no session');
  }

  #call(): void {
    const { call, params } = this.newCall();
    this.#send(this.requestText(call, 'tools/call', params), [call], this.#session());
  }

  #batch(): void {
    if (this.#version !== '2025-03-26') return;
    const made = Array.from({ length: this.random.int(1, 3) }, () => this.newCall());
    const texts = made.map(({ call, params }) => this.requestText(call, 'tools/call', params));
    this.count('batch');
    const calls = made.map(({ call }) => call);
    this.#send(`[${texts.join(',')}]`, calls, this.#session());
  }

  #session(): readonly string[] {
    return ['Mcp-Session-Id', this.#sessionId, 'MCP-Protocol-Version', this.#version];
  }

  #inFlight(): readonly SimCall[] {
    return [...this.#readings].flatMap((reading) => reading.calls ?? []);
  }

  /** POSTs one body; `calls` are its requests. */
  #send(text: string, calls: readonly SimCall[], session: readonly string[]): void {
    this.#sent += 1;
    const reading: Reading = {
      number: this.#sent,
      calls,
      lastEventId: '',
      reply: undefined,
      reader: undefined,
      isOver: false,
    };
    const isStreamOnly = calls.length > 0 && this.random.chance(0.1);
    const accept = isStreamOnly ? 'text/event-stream' : 'application/json, text/event-stream';
    this.#readings.add(reading);
    reading.reply = this.request('POST', '/mcp', ['Accept', accept, ...session], text, {
      onStream: (reply) => this.#begins(reading, reply),
      onEvent: (_, event) => this.#event(reading, event),
      onBody: (reply, body) => this.#body(reading, reply, body),
      onEnd: (reply) => this.#closed(reading, reply),
      onLost: (reply) => this.#closed(reading, reply),
    });
  }

  /** Opens the stream of no request, or comes back to a stream where it was left. */
  #get(reading: Reading): void {
    if (reading.isOver || this.#state !== 'live') return;
    const isMain = reading.calls === undefined;
    if (isMain && reading.lastEventId !== '') {
      // Who asks for events again must not go on reading them where they came from.
      this.#leaveMains();
      reading.lastEventId = furthest(reading.lastEventId, this.#mainLastEventId);
    }
    const lastEventId = reading.lastEventId === '' ? undefined : reading.lastEventId;
    const headers = ['Accept', 'text/event-stream', ...this.#session()];
    this.note(`GET ${lastEventId ?? 'fresh'}`);
    const events = {
      onStream: (reply: SimReply) => this.#begins(reading, reply),
      onEvent: (_: SimReply, event: SseEvent) => this.#event(reading, event),
      onBody: (reply: SimReply, body: string) => this.#getRefused(reading, reply, body),
      onEnd: (reply: SimReply) => this.#closed(reading, reply),
      onLost: (reply: SimReply) => this.#closed(reading, reply),
    };
    reading.reply = this.request('GET', '/mcp', headers, undefined, events, lastEventId);
    if (isMain) this.#mains.push(reading.reply);
  }

  #leaveMains(): void {
    for (const reply of this.#mains) reply.exchange?.leave();
    this.#mains = [];
  }

  #begins(reading: Reading, reply: SimReply): void {
    const resume = reply.headers?.get('tidegate-resume');
    const from = reading.lastEventId === '' ? undefined : reading.lastEventId;
    if (from !== undefined) this.count(`resume ${resume}`);
    this.count('stream');
    reading.reader = this.sequences.reader(from, resume === 'gap');
  }

  #event(reading: Reading, event: SseEvent): void {
    if (reading.reader === undefined) return;
    const isSilent = reading.lastEventId !== '' && !reading.reply?.headers?.get('tidegate-resume');
    if (isSilent && event.data !== '') this.violate('a resume says neither exact nor gap');
    if (reading.reply?.retryMs === undefined) this.violate('a stream without a retry time');
    if (event.data === '' && this.#version !== '2025-11-25') {
      this.violate(`an event without data in ${this.#version}`);
    }
    if (!this.isMessage(reading.reader, event.data, event.id)) return;
    if (reading.calls === undefined) {
      this.#mainLastEventId = furthest(this.#mainLastEventId, event.id ?? '');
    }
    const call = this.receive(event.data, reading.calls ?? []);
    if (call?.what === 'initialize') this.#initialized(call, event.data, reading.reply);
  }

  #body(reading: Reading, reply: SimReply, body: string): void {
    this.#over(reading);
    const calls = reading.calls ?? [];
    if (reply.status === 404 && this.#isGone(reply))
      this.calls.endAll('lost', 'session gone', calls);
    else if (reply.status === 200 && calls.length > 0) this.#answers(reply, body, calls);
    else if (reply.status === 202 && calls.length === 0) return;
    else if (reply.status >= 400) this.#refused(reply, body, calls);
    else this.violate(`status ${reply.status} for ${calls.length} requests: ${body.slice(0, 120)}`);
  }

  #answers(reply: SimReply, body: string, calls: readonly SimCall[]): void {
    this.count('json');
    const texts = body.startsWith('[') ? body.slice(1, -1).split(BETWEEN_ANSWERS) : [body];
    for (const text of texts) {
      const call = this.receive(text, calls);
      if (call?.what === 'initialize') this.#initialized(call, text, reply);
    }
    const missing = calls.find((call) => call.end === undefined);
    if (missing !== undefined) this.violate(`the reply lacks call ${missing.number}: ${body}`);
  }

  #refused(reply: SimReply, body: string, calls: readonly SimCall[]): void {
    this.checkRefusal(reply, body);
    const code = (JSON.parse(body) as JsonRpcResponse).error?.code;
    this.calls.endAll(
      'refused',
      `${reply.status} ${code}`,
      calls.filter((call) => !call.end),
    );
    if (this.#state === 'opening') this.#state = 'new';
  }

  #getRefused(reading: Reading, reply: SimReply, body: string): void {
    if (reply.status === 404 && this.#isGone(reply)) return;
    this.checkRefusal(reply, body);
    if (reply.status === 429 || reply.status === 503 || this.mayBeAway(reply)) {
      this.note(`GET refused: ${reply.status}`);
      this.#comeBack(reading);
      return;
    }
    const isAnswered = reading.calls?.every(({ end }) => end !== undefined) ?? false;
    if (reply.status === 405 && isAnswered) return this.#over(reading);
    const isOld = this.#sent - reading.number > FINISHED_KEPT && reply.status === 400;
    if (!isOld) this.violate(`GET answered ${reply.status} ${body.slice(0, 160)}`);
    this.#over(reading);
    this.calls.endAll('lost', 'not resumable', reading.calls ?? []);
  }

  /** A 404 says that the session is over; every reading of it is. */
  #isGone(reply: SimReply): boolean {
    if (reply.headers?.get('content-type') !== 'application/json') return false;
    if (this.#state !== 'live') return true;
    if (!this.world.maySessionsEnd) this.violate(`session ${this.#sessionId} is gone`);
    this.note('session gone');
    this.count('session gone');
    this.#forgetSession('session gone');
    return true;
  }

  #forgetSession(reason: string): void {
    this.#state = 'new';
    for (const reading of this.#all()) {
      reading.isOver = true;
      reading.reply?.exchange?.leave();
    }
    this.#leaveMains();
    this.#readings.clear();
    this.#main = undefined;
    this.calls.endAll('lost', reason);
  }

  #initialized(call: SimCall, text: string, reply: SimReply | undefined): void {
    if (this.#state !== 'opening') return;
    const id = reply?.headers?.get('mcp-session-id');
    if (call.end !== 'answered') {
      this.#state = 'new';
      return;
    }
    if (id === undefined || !/^[\x21-\x7e]{22,}$/.test(id)) this.violate(`session id ${id}`);
    if (!text.includes(`"protocolVersion":"${this.#version}"`)) this.violate(`version in ${text}`);
    this.#sessionId = id ?? '';
    this.#state = 'live';
    this.world.sessions.push({
      principal: this.token,
      era: '2025',
      id: this.#sessionId,
      lastEventId: () => this.#main?.lastEventId ?? '',
    });
    this.post('{"jsonrpc":"2.0","method":"notifications/initialized"}', undefined);
    if (this.random.chance(0.7)) this.#listen();
  }

  #listen(): void {
    const former = this.#main;
    const reading: Reading = {
      number: this.#sent,
      calls: undefined,
      lastEventId: '',
      reply: undefined,
      reader: undefined,
      isOver: false,
    };
    this.#main = reading;
    // A second GET takes over; the first is ended by the server, not by us.
    if (former !== undefined) {
      former.isOver = true;
      // But one that was asked for events must not arrive after it and bring them twice.
      if (former.reply?.status === 0) former.reply.exchange?.leave();
    }
    this.#get(reading);
  }

  /** Breaks a connection of our own, as a laptop that closes does. */
  #leave(): void {
    const open = this.#all().filter((reading) => reading.reply?.exchange?.isDone === false);
    if (open.length === 0) return;
    const reading = this.random.pick(open);
    reading.reply?.exchange?.leave();
    if (reading.reply !== undefined) this.#closed(reading, reading.reply);
  }

  #stall(): void {
    const open = this.#all().filter((reading) => reading.reply?.exchange?.isStreaming === true);
    if (open.length === 0) return;
    const exchange = this.random.pick(open).reply?.exchange;
    this.note('stops reading');
    exchange?.stopReading();
    this.later(100, 15_000, () => exchange?.startReading());
  }

  /** A connection is over. What was not fetched is fetched by another, if there is a way back. */
  #closed(reading: Reading, reply: SimReply): void {
    if (reading.reply !== reply) return;
    if (reply.lastEventId !== '') reading.lastEventId = reply.lastEventId;
    reading.reply = undefined;
    const isOpening = this.#state === 'opening' && reading.calls?.[0]?.what === 'initialize';
    const isUnanswered = reading.calls?.[0]?.end === undefined;
    const isMain = reading.calls === undefined;
    const isWaiting = isMain || reading.calls?.some((call) => call.end === undefined);
    if (reading.isOver || isWaiting !== true) {
      this.#over(reading);
    } else if (isMain || reading.lastEventId !== '') {
      this.#comeBack(reading);
    } else {
      this.calls.endAll('lost', 'connection before an event id', reading.calls);
      this.#over(reading);
    }
    if (isOpening && isUnanswered) this.#giveUpOpening(reading);
  }

  /** The session id came with the reply's head; without it there is nothing to resume. */
  #giveUpOpening(reading: Reading): void {
    this.calls.endAll(
      'lost',
      'initialize',
      (reading.calls ?? []).filter((call) => !call.end),
    );
    this.#over(reading);
    this.#state = 'new';
  }

  #comeBack(reading: Reading): void {
    if (reading.calls === undefined && this.random.chance(0.15)) reading.lastEventId = '';
    this.reconnectLater(() => this.#get(reading));
  }

  #over(reading: Reading): void {
    reading.isOver = true;
    this.#readings.delete(reading);
    if (this.#main === reading) this.#main = undefined;
  }

  #end(): void {
    this.note('DELETE');
    const session = this.#session();
    this.#forgetSession('client ended the session');
    this.request('DELETE', '/mcp', session, undefined, {
      onBody: (reply, body) => {
        if (reply.status >= 300) this.checkRefusal(reply, body);
        if (reply.status >= 300 && reply.status !== 404) this.violate(`DELETE got ${reply.status}`);
        else this.#checkEnded(session);
      },
    });
  }

  /**
   * @see
   * https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#session-management
   */
  #checkEnded(session: readonly string[]): void {
    const headers = ['Accept', 'application/json, text/event-stream', ...session];
    this.request('POST', '/mcp', headers, '{"jsonrpc":"2.0","id":1,"method":"ping"}', {
      onBody: (reply) => {
        if (reply.status === 404 || this.mayBeAway(reply)) return;
        this.violate(`a session that ended answers ${reply.status}`);
      },
      onStream: () => this.violate('a session that ended gives a stream'),
    });
  }

  #all(): readonly Reading[] {
    return this.#main === undefined ? [...this.#readings] : [...this.#readings, this.#main];
  }
}

/** The later of two event ids of one stream; either may be empty. */
function furthest(one: string, other: string): string {
  return (placeOf(one)?.sequence ?? -1) >= (placeOf(other)?.sequence ?? -1) ? one : other;
}
