/**
 * What the clients of sessions share: messages from the server, questions, and what may come where.
 */
import type { SimCall } from './call-book.ts';
import { markersIn, ownersIn } from './canary.ts';
import { SequenceBook, type SequenceReader } from './sequence-book.ts';
import { SimClient } from './sim-client.ts';

export interface ServerMessage {
  readonly id?: unknown;
  readonly method?: string;
  readonly params?: { readonly [key: string]: unknown };
  readonly result?: { readonly [key: string]: unknown };
  readonly error?: { readonly code: number; readonly message: string };
}

/** The longest a client waits before it comes back. */
const RECONNECT_MS: readonly [number, number] = [20, 600];

export abstract class SimLegacyClient extends SimClient {
  protected sequences: SequenceBook = new SequenceBook(this.name, this.world.ledger);
  #markers = new Set<number>();
  /** Questions that were taken back. */
  #takenBack = new Set<unknown>();

  /** Sends one message of ours; the server must take it with 202. */
  protected abstract post(text: string, call: SimCall | undefined): void;

  /** Forgets one session's events: another begins. */
  protected beginSession(): void {
    this.sequences = new SequenceBook(this.name, this.world.ledger);
    this.#markers = new Set();
    this.#takenBack = new Set();
  }

  protected reconnectLater(connect: () => void): void {
    this.later(...RECONNECT_MS, connect);
  }

  /**
   * A message from the server.
   * @param answerable - the calls whose answers may come on this stream.
   */
  protected receive(text: string, answerable: readonly SimCall[]): SimCall | undefined {
    const message = JSON.parse(text) as ServerMessage;
    const isChange = /_changed$|\/updated$/.test(message.method ?? '');
    if (!isChange || this.world.mayChangesRepeat !== true) this.#checkMarkers(text);
    if (message.method === undefined) {
      const call = this.calls.respond(message, text, answerable);
      if (call !== undefined && !this.sequences.hadGap) this.calls.checkProgress(call, text);
      return call;
    }
    if (message.id !== undefined) this.#question(message, text);
    else if (message.method === 'notifications/progress') this.#progress(message, text);
    else {
      if (message.method === 'notifications/cancelled') this.#tookBack(message);
      this.count(message.method);
    }
    return undefined;
  }

  /**
   * Cancels a call that is in flight. Who reuses ids cannot: a cancellation could name a later
   * call.
   */
  protected cancelOne(calls: readonly SimCall[]): void {
    const waiting = calls.filter((call) => call.end === undefined && call.what !== 'initialize');
    if (waiting.length === 0 || this.hasEqualIds) return;
    const call = this.random.pick(waiting);
    call.isCancelled = true;
    this.calls.end(call, 'cancelled');
    const params = `{"requestId":${call.id},"reason":"changed my mind"}`;
    this.post(`{"jsonrpc":"2.0","method":"notifications/cancelled","params":${params}}`, undefined);
  }

  protected subscribe(): void {
    const secret = this.calls.secret();
    const isShared = this.random.chance(0.5);
    const uri = isShared ? 'file:///common' : `file:///${secret}`;
    const method = this.random.chance(0.8) ? 'resources/subscribe' : 'resources/unsubscribe';
    const call = this.calls.open(this.uniqueId(), method, secret);
    this.note(`call ${call.number} id ${call.id}: ${method} ${uri}`);
    this.post(this.requestText(call, method, { uri }), call);
  }

  protected list(): void {
    const call = this.calls.open(this.uniqueId(), 'tools/list', this.calls.secret());
    this.note(`call ${call.number} id ${call.id}: tools/list`);
    this.post(this.requestText(call, 'tools/list', {}), call);
  }

  protected requestText(call: SimCall, method: string, params: object): string {
    const text = JSON.stringify(params);
    return `{"jsonrpc":"2.0","id":${call.id},"method":"${method}","params":${text}}`;
  }

  protected initializeText(call: SimCall, version: string): string {
    return this.requestText(call, 'initialize', {
      protocolVersion: version,
      capabilities: { elicitation: {} },
      clientInfo: { name: 'sim', version: '1.0.0' },
    });
  }

  /** Checks the place of an event; an event with empty data only says where the reader stands. */
  protected isMessage(reader: SequenceReader, data: string, id: string | undefined): boolean {
    if (data !== '') {
      reader.event(id);
      return true;
    }
    if (id !== undefined) reader.stand(id);
    return false;
  }

  #checkMarkers(text: string): void {
    // An error that was translated holds the original too, so one message may say it twice.
    for (const marker of new Set(markersIn(text))) {
      if (this.#markers.has(marker)) this.violate(`emission ${marker} came again: ${text}`);
      this.#markers.add(marker);
    }
  }

  #progress(message: ServerMessage, text: string): void {
    const token = message.params?.['progressToken'];
    this.count('notifications/progress');
    const isOwn = ownersIn(text).every((owner) => owner === this.name);
    if (isOwn && !text.includes(`:${String(token)}~`))
      this.violate(`progress under another token: ${text}`);
    const call = this.calls.find(Number(token));
    if (call !== undefined) call.progress += 1;
    if (call === undefined) this.violate(`progress of no call: ${text.slice(0, 120)}`);
    else if (call.responses > 0 && !call.isGuess)
      this.violate(`progress after the answer: ${text}`);
  }

  #tookBack({ params }: ServerMessage): void {
    const id = params?.['requestId'];
    if (this.#takenBack.has(id)) this.violate(`question ${String(id)} was taken back twice`);
    this.#takenBack.add(id);
  }

  #question(message: ServerMessage, text: string): void {
    this.count('question');
    if (message.method !== 'elicitation/create') this.violate(`a question: ${text.slice(0, 120)}`);
    if (this.random.chance(0.15)) return;
    const id = JSON.stringify(message.id);
    const reply = { action: 'accept', content: { reply: this.calls.secret() } };
    const error = { code: -32000, message: `declined ${this.calls.secret()}` };
    const body = this.random.chance(0.9)
      ? `"result":${JSON.stringify(reply)}`
      : `"error":${JSON.stringify(error)}`;
    this.later(1, 300, () => this.post(`{"jsonrpc":"2.0","id":${id},${body}}`, undefined));
  }
}
