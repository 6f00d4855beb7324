/**
 * An official-SDK `Transport` to a server of any era, for `Client` of SDK 1.x and 2.x. It resumes
 * streams, opens lost sessions anew, reconnects without a storm, never repeats a call, and
 * translates where client and server have no era in common.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/transports#custom-transports
 */
import {
  type PersonCredential,
  type UpstreamCredential,
  UpstreamCredentials,
} from './adapters/credentials/upstream-credentials.ts';
import { type HeadersOption, outboundWith } from './adapters/outbound/asked-headers.ts';
import { HttpOutbound } from './adapters/outbound/http-outbound.ts';
import { SsrfGuard } from './adapters/outbound/ssrf-guard.ts';
import { systemClock } from './adapters/system/system-clock.ts';
import { systemRandom } from './adapters/system/system-random.ts';
import { silent } from './adapters/telemetry/silent.ts';
import { REMOTE_KINDS, remote } from './adapters/upstreams/http/remote.ts';
import { BridgingConversation } from './client/bridging-conversation.ts';
import { type ClientContext, SendMeter } from './client/client-context.ts';
import { CredentialedOutbound } from './client/credentialed-outbound.ts';
import type { Conversation, ConversationEvents } from './client/conversation.ts';
import { DualConversation } from './client/dual-conversation.ts';
import { requestIdOf } from './client/modern-conversation.ts';
import { boundsWith } from './core/bounds-with.ts';
import { guardedTelemetry } from './core/guarded-telemetry.ts';
import { DEFAULT_LIMITS, type Limits } from './core/limits.ts';
import { checkOption, checkOptions, oneOf, webUrl } from './core/option-kinds.ts';
import type { Telemetry } from './core/ports.ts';
import type { Outbound } from './core/outbound.ts';
import { Message } from './core/protocol/message.ts';
import { readMessage, UPSTREAM_BOUNDS } from './core/protocol/read-message.ts';
import { localConversation, localLimits } from './local-conversation.ts';

const CANCELLED = 'notifications/cancelled';

/** What of our own a server is shown. */
export type ClientCredential =
  | Extract<UpstreamCredential, { readonly kind: 'client-credentials' }>
  | PersonCredential;

export interface TidegateClientTransportOptions {
  /**
   * Sent with every request, a credential for example. A function is asked before each request, so
   * that the application can renew its tokens; a request whose headers it does not give within ten
   * seconds fails. Default: none.
   */
  readonly headers?: HeadersOption | undefined;
  /**
   * Host names or addresses that may be called without TLS and at private addresses. Default: none;
   * this machine may always be called by its own name.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Certificates to trust besides the platform's, as PEM. Default: none. */
  readonly ca?: string | undefined;
  /** As the option of `remote`. Default: what the environment says. */
  readonly proxy?: string | false | undefined;
  /** Tokens of the application, or of the person in front of this machine. Default: none. */
  readonly credential?: ClientCredential | undefined;
  /**
   * What happens where client and server have no era in common: `auto` translates; `off` hands the
   * client the server's refusal, so that one that knows several eras falls back by itself. Default
   * `auto`.
   */
  readonly bridge?: 'auto' | 'off' | undefined;
  /** `upstreamLineBytesMax`, `upstreamQueueBytesMax`, and what a bridge uses. */
  readonly limits?: Partial<Limits> | undefined;
  /** Default: nothing is seen. */
  readonly telemetry?: Telemetry | undefined;
}

/** What of the SDK's options for one message matters here. */
export interface TransportSendOptions {
  readonly relatedRequestId?: string | number | undefined;
  /** Aborting it gives the request of this message up. */
  readonly requestSignal?: AbortSignal | undefined;
}

export class TidegateClientTransport {
  onclose?: (() => void) | undefined;
  onerror?: ((error: Error) => void) | undefined;
  onmessage?: ((message: object, extra?: object) => void) | undefined;
  /** Each request of the stateless revision has a stream of its own, whose end cancels it. */
  readonly hasPerRequestStream: boolean = true;
  readonly #http: Outbound;
  readonly #credentials: UpstreamCredentials | undefined;
  readonly #conversation: Conversation;
  readonly #ended: Promise<void>;
  #resolveEnded: () => void = () => {};
  #isClosing = false;
  /** After the last message was handed over. */
  #turn: Promise<void> = Promise.resolve();
  /** What stops listening to the signals of requests that are not answered, by id. */
  readonly #unlisten = new Map<string, () => void>();

  /**
   * @param url - where the server is: its Streamable HTTP endpoint, or its event stream of 2024.
   * @throws TypeError as `remote` does.
   */
  constructor(url: string | URL, options: TidegateClientTransportOptions = {}) {
    checkOptions(options, { ...REMOTE_KINDS, bridge: oneOf('auto', 'off') });
    checkOption('The URL', String(url), webUrl('https://mcp.example.com/mcp'));
    const parsed = new URL(url);
    const guard = new SsrfGuard(options.allowedHosts);
    const fault = guard.faultOf(parsed);
    if (fault !== undefined) throw new TypeError(fault);
    parsed.hash = '';
    const limits = boundsWith(DEFAULT_LIMITS, options.limits);
    const http = new HttpOutbound(guard, { ca: options.ca, proxy: options.proxy });
    const own = outboundWith(options.headers, http, systemClock);
    this.#http = own.http;
    this.#ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    const telemetry = guardedTelemetry(options.telemetry ?? silent);
    const facts = { name: parsed.host, url: parsed.href };
    const { credential } = options;
    if (credential !== undefined) {
      const parts = { ...facts, http, guard, clock: systemClock, telemetry };
      this.#credentials = new UpstreamCredentials(credential, parts);
    }
    const credentials = this.#credentials?.for(undefined);
    const context: ClientContext = {
      ...facts,
      headers: own.headers,
      http: credentials === undefined ? own.http : new CredentialedOutbound(own.http, credentials),
      clock: systemClock,
      random: systemRandom,
      telemetry,
      messageBytesMax: limits.upstreamLineBytesMax,
      meter: new SendMeter(limits.upstreamQueueBytesMax),
      origin: { handshake: undefined },
    };
    const events: ConversationEvents = {
      onMessage: (message) => this.#deliver(message),
      onClosed: (detail) => this.#closed(detail),
    };
    const direct = (its: ConversationEvents): Conversation => new DualConversation(context, its);
    const bridge = (its: ConversationEvents): Conversation =>
      localConversation(remote(parsed.href, options), telemetry, localLimits(options.limits), its);
    this.#conversation =
      options.bridge === 'off'
        ? direct(events)
        : new BridgingConversation(direct, bridge, context.meter, events);
  }

  /** The id of the session, where the server gave one and no bridge keeps it. */
  get sessionId(): string | undefined {
    return this.#conversation.sessionId;
  }

  /** Nothing to start: the first message opens the first connection. */
  async start(): Promise<void> {}

  /** @throws when the transport is closed or too much waits to be sent. */
  async send(message: object, options?: TransportSendOptions): Promise<void> {
    for (const each of messagesOf(message)) {
      const outcome = this.#conversation.send(each);
      if (outcome === 'closed') throw new Error('The connection is closed.');
      if (outcome === 'full') throw new Error('Too much waits to be sent; try again later.');
      if (each.kind === 'request') this.#obey(options?.requestSignal, each.id ?? 'null');
      else if (each.method === CANCELLED) this.#over(requestIdOf(each));
    }
  }

  /** Ends the session at the server, and every connection. Idempotent. */
  async close(): Promise<void> {
    this.#isClosing = true;
    this.#conversation.close();
    await this.#ended;
  }

  #obey(signal: AbortSignal | undefined, id: string): void {
    if (signal === undefined) return;
    const cancel = (): void => {
      this.#unlisten.delete(id);
      this.#conversation.send(Message.notification(CANCELLED, `{"requestId":${id}}`));
    };
    if (signal.aborted) {
      cancel();
      return;
    }
    signal.addEventListener('abort', cancel, { once: true });
    this.#unlisten.set(id, () => signal.removeEventListener('abort', cancel));
  }

  /** The request of this id was answered or given up: its signal is not listened to any more. */
  #over(id: string): void {
    this.#unlisten.get(id)?.();
    this.#unlisten.delete(id);
  }

  /**
   * Each in a turn of its own. The SDK handles a notification a turn after it gets it, and an
   * answer at once, after which the progress of its call has no listener: handed over together,
   * the progress before an answer would be lost.
   */
  #deliver(message: Message): void {
    if (message.kind === 'response') this.#over(message.id ?? 'null');
    this.#turn = this.#turn.then(() => this.#handOver(message));
  }

  #handOver(message: Message): void {
    try {
      this.onmessage?.(JSON.parse(message.toText()) as object);
    } catch (error) {
      this.#report(error);
    }
  }

  /** What fails in the application's own listeners holds up neither messages nor the end. */
  #report(error: unknown): void {
    try {
      this.onerror?.(error instanceof Error ? error : new Error(String(error)));
    } catch {
      // Nobody is left to be told.
    }
  }

  #closed(detail: string): void {
    if (!this.#isClosing) this.#report(new Error(`The connection ended: ${detail}.`));
    for (const unlisten of this.#unlisten.values()) unlisten();
    this.#unlisten.clear();
    const finish = (): void => {
      try {
        this.onclose?.();
      } catch (error) {
        this.#report(error);
      }
      this.#resolveEnded();
    };
    this.#credentials?.close();
    const inTurn = (): Promise<void> => this.#turn.then(finish);
    this.#http.close().then(inTurn, inTurn);
  }
}

function messagesOf(message: object): readonly Message[] {
  const read = readMessage(JSON.stringify(message), UPSTREAM_BOUNDS);
  if (read.kind === 'message') return [read.message];
  const entries = read.kind === 'batch' ? read.entries : [read.refusal];
  return entries.map((entry) => {
    if (entry instanceof Message) return entry;
    throw new TypeError(entry.detail ?? 'It is no JSON-RPC message.');
  });
}
