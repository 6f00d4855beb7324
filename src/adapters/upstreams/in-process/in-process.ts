import { boundsWith } from '../../../core/bounds-with.ts';
import { DEFAULT_LIMITS } from '../../../core/limits.ts';
import type { Limits } from '../../../core/limits.ts';
import { checkOptions, oneOf, word } from '../../../core/option-kinds.ts';
import type {
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../../core/ports.ts';
import { InProcessConnection } from './in-process-connection.ts';
import type { SdkMajor, ServerFactory } from './sdk-server.ts';

export interface InProcessOptions {
  /** Shown in logs and metrics. Default `in-process`. */
  readonly name?: string;
  /** The SDK major the factory builds on. Default: told from what the factory returns. */
  readonly sdk?: SdkMajor;
  /** Used: `upstreamQueueBytesMax` and `upstreamLineBytesMax`, counted in characters here. */
  readonly limits?: Partial<Limits>;
}

/**
 * Serves a factory of official SDK servers: `Server` or `McpServer` of `@modelcontextprotocol/sdk`
 * 1.x (the `initialize` handshake only) or of `@modelcontextprotocol/server` 2.x (both handshakes).
 *
 * The factory is called once for each conversation, may be async and must return a new server each
 * time. When it fails, the conversation ends as `start-failed`.
 *
 * ```ts
 * createEndpoint({ upstream: inProcess(() => buildMyServer()) });
 * ```
 * @throws TypeError when the factory is no function, a server for example, or an option is of the
 * wrong kind.
 */
export function inProcess(factory: ServerFactory, options: InProcessOptions = {}): Upstream {
  if (typeof factory !== 'function') {
    throw new TypeError('Give a function that makes a new server each time: inProcess(() => …).');
  }
  checkOptions(options, { name: word, sdk: oneOf('v1', 'v2') });
  return new InProcessUpstream(factory, options);
}

class InProcessUpstream implements Upstream {
  readonly kind = 'in-process';
  readonly name: string;
  readonly #factory: ServerFactory;
  readonly #limits: Limits;
  readonly #open = new Set<InProcessConnection>();
  #sdk: SdkMajor | undefined;

  constructor(factory: ServerFactory, options: InProcessOptions) {
    this.name = options.name ?? 'in-process';
    this.#factory = factory;
    this.#sdk = options.sdk;
    this.#limits = boundsWith(DEFAULT_LIMITS, options.limits);
  }

  connect(era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    const connection = new InProcessConnection(
      {
        era,
        factory: this.#factory,
        bounds: {
          queueCharsMax: this.#limits.upstreamQueueBytesMax,
          messageCharsMax: this.#limits.upstreamLineBytesMax,
          listensMax: this.#limits.pendingPerUpstreamMax,
        },
        sdk: this.#sdk,
        onSdkKnown: (sdk) => {
          this.#sdk = sdk;
        },
      },
      events,
    );
    this.#open.add(connection);
    void connection.ended.then(() => this.#open.delete(connection));
    return connection;
  }

  async close(): Promise<void> {
    const open = [...this.#open];
    for (const connection of open) {
      connection.close();
    }
    await Promise.all(open.map((connection) => connection.ended));
  }
}
