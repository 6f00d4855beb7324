import { CredentialedOutbound } from '../../../client/credentialed-outbound.ts';
import { LegacyConversation } from '../../../client/legacy-conversation.ts';
import { ModernConversation } from '../../../client/modern-conversation.ts';
import { type ClientContext, SendMeter } from '../../../client/client-context.ts';
import { boundsWith } from '../../../core/bounds-with.ts';
import { guardedTelemetry } from '../../../core/guarded-telemetry.ts';
import { DEFAULT_LIMITS, type Limits } from '../../../core/limits.ts';
import {
  byName,
  checkOptions,
  either,
  no,
  type OptionKinds,
  telemetry,
  text,
  texts,
  word,
  work,
} from '../../../core/option-kinds.ts';
import type {
  Principal,
  Telemetry,
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../../core/ports.ts';
import type { Outbound } from '../../../core/outbound.ts';
import { credentialKind } from '../../credentials/credential-kind.ts';
import {
  type PersonCredential,
  type UpstreamCredential,
  UpstreamCredentials,
} from '../../credentials/upstream-credentials.ts';
import { type HeadersOption, outboundWith } from '../../outbound/asked-headers.ts';
import { certificates } from '../../outbound/certificates.ts';
import { HttpOutbound } from '../../outbound/http-outbound.ts';
import { SsrfGuard } from '../../outbound/ssrf-guard.ts';
import { systemClock } from '../../system/system-clock.ts';
import { systemRandom } from '../../system/system-random.ts';

export interface RemoteOptions {
  /**
   * Sent with every request to the server: our own credential there. A function is asked before
   * each request; one whose headers it does not give within ten seconds fails. Nothing of a
   * client's headers is ever sent on. Default: none.
   */
  readonly headers?: HeadersOption | undefined;
  /**
   * Host names or addresses that may be called without TLS and at private addresses. Default: none;
   * this machine may always be called by its own name.
   */
  readonly allowedHosts?: readonly string[] | undefined;
  /** Certificates to trust besides the platform's, as PEM. Default: none. */
  readonly ca?: string | undefined;
  /**
   * The URL of an HTTP proxy, with a user and a password where it asks for them; `false` for none.
   * It resolves the server's name, whose address is then not checked here. Default: what
   * `HTTPS_PROXY`, `HTTP_PROXY` and `NO_PROXY` say. This machine is always called directly.
   */
  readonly proxy?: string | false | undefined;
  /** Tokens of ours from the server's authorization server. Default: none. */
  readonly credential?: UpstreamCredential | PersonCredential | undefined;
  /** Uses `upstreamLineBytesMax` and `upstreamQueueBytesMax`. */
  readonly limits?: Partial<Limits> | undefined;
  /** Default: nothing is seen. */
  readonly telemetry?: Telemetry | undefined;
}

/** What a client of a remote server is given as well. */
export const REMOTE_KINDS: OptionKinds = {
  headers: either('texts by their names, or a function', byName(text), work),
  allowedHosts: texts,
  ca: certificates,
  proxy: either('a URL such as http://proxy.example.com:3128, or false', word, no),
  credential: credentialKind,
  telemetry,
};

const SILENT: Telemetry = { log() {}, count() {}, request() {}, streamClosed() {} };

/**
 * An MCP server at a URL, of any era: Streamable HTTP of 2025 and 2026, or HTTP with SSE of 2024.
 * Which one is found out by asking.
 * @throws TypeError when the URL or a header is malformed, or the URL may not be called: without
 * TLS to another machine, or at an address that is not public, unless its host is allowed; and when
 * the URL of a proxy is malformed, or an option of the wrong kind.
 */
export function remote(url: string, options: RemoteOptions = {}): Upstream {
  checkOptions(options, REMOTE_KINDS);
  const parsed = URL.canParse(url) ? new URL(url) : undefined;
  const guard = new SsrfGuard(options.allowedHosts);
  const fault = parsed === undefined ? 'The URL is malformed.' : guard.faultOf(parsed);
  if (parsed === undefined || fault !== undefined) throw new TypeError(fault);
  parsed.hash = '';
  const limits = boundsWith(DEFAULT_LIMITS, options.limits);
  const facts = { name: parsed.host, url: parsed.href };
  const http = new HttpOutbound(guard, { ca: options.ca, proxy: options.proxy });
  const telemetry = guardedTelemetry(options.telemetry ?? SILENT);
  const { credential } = options;
  const credentials =
    credential === undefined
      ? undefined
      : new UpstreamCredentials(credential, {
          ...facts,
          http,
          guard,
          clock: systemClock,
          telemetry,
        });
  const context = {
    ...facts,
    ...outboundWith(options.headers, http, systemClock),
    clock: systemClock,
    random: systemRandom,
    telemetry,
    messageBytesMax: limits.upstreamLineBytesMax,
    meter: new SendMeter(limits.upstreamQueueBytesMax),
    origin: { handshake: undefined },
  };
  return new RemoteUpstream(context, credentials);
}

class RemoteUpstream implements Upstream {
  readonly kind = 'http';
  readonly name: string;
  readonly #context: ClientContext;
  readonly #http: Outbound;
  readonly #credentials: UpstreamCredentials | undefined;
  readonly #open = new Set<UpstreamConnection>();
  #onEmpty: (() => void) | undefined;
  #closing: Promise<void> | undefined;

  constructor(context: ClientContext, credentials: UpstreamCredentials | undefined) {
    this.name = context.name;
    this.#credentials = credentials;
    this.#context = context;
    this.#http = context.http;
  }

  connect(era: UpstreamEra, events: UpstreamEvents, caller?: Principal): UpstreamConnection {
    if (this.#closing !== undefined) {
      queueMicrotask(() => events.onClosed('closed', 'the upstream was closed before'));
      return { send: () => 'closed', close() {} };
    }
    const watched: UpstreamEvents = {
      onMessage: (message, relatedTo) => events.onMessage(message, relatedTo),
      onOversized: (id) => events.onOversized(id),
      onCloseStream: (id) => events.onCloseStream(id),
      onClosed: (cause, detail) => {
        this.#open.delete(connection);
        events.onClosed(cause, detail);
        if (this.#open.size === 0) this.#onEmpty?.();
      },
    };
    const context = this.#contextFor(caller);
    const connection =
      era === 'modern'
        ? new ModernConversation(context, watched)
        : new LegacyConversation(context, watched);
    this.#open.add(connection);
    return connection;
  }

  #contextFor(caller: Principal | undefined): ClientContext {
    if (this.#credentials === undefined) return this.#context;
    const http = new CredentialedOutbound(this.#http, this.#credentials.for(caller));
    return { ...this.#context, http };
  }

  close(): Promise<void> {
    this.#closing ??= this.#end();
    return this.#closing;
  }

  async #end(): Promise<void> {
    if (this.#open.size > 0) {
      const emptied = new Promise<void>((resolve) => {
        this.#onEmpty = resolve;
      });
      for (const connection of this.#open) connection.close();
      await emptied;
    }
    this.#credentials?.close();
    await this.#http.close();
  }
}
