/**
 * One conversation with one server built by the factory. Messages wait until the server is
 * connected and are delivered in a microtask: `send` never runs the server in its caller's stack.
 */
import { failurePlace } from './failure-place.ts';
import { WordedFailure } from './worded-failure.ts';
import { Message } from '../../../core/protocol/message.ts';
import type {
  SendOutcome,
  UpstreamClosedCause,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../../core/ports.ts';
import { InProcessTransport } from './in-process-transport.ts';
import { sdkMajorOf } from './sdk-server.ts';
import type { SdkMajor, SdkServer, ServerFactory } from './sdk-server.ts';

export interface ConnectionBounds {
  /** Characters that may wait for the server to be connected. */
  readonly queueCharsMax: number;
  /** Characters of one message of the server. */
  readonly messageCharsMax: number;
  /** Listen streams open at once on one modern server. */
  readonly listensMax: number;
}

export interface ConnectionOptions {
  readonly era: UpstreamEra;
  readonly factory: ServerFactory;
  readonly bounds: ConnectionBounds;
  /** Undefined: tell from what the factory returns. */
  readonly sdk: SdkMajor | undefined;
  /** The server's major, once it is known. */
  readonly onSdkKnown: (sdk: SdkMajor) => void;
}

/** Milliseconds a server may take to close; one that takes longer is left to itself. */
const SHUT_DOWN_MS_MAX = 5000;

const METHOD_NOT_FOUND = '{"code":-32601,"message":"Method not found"}';

export class InProcessConnection implements UpstreamConnection {
  readonly #options: ConnectionOptions;
  readonly #events: UpstreamEvents;
  readonly #transport: InProcessTransport;
  #waiting: Message[] = [];
  #waitingChars = 0;
  #isFlushScheduled = false;
  #deliver: ((message: Message) => void) | undefined;
  #shutDown: (() => Promise<void>) | undefined;
  #cause: UpstreamClosedCause | undefined;
  /** Resolves when the server is gone or was waited for long enough, after `onClosed`. */
  readonly ended: Promise<void>;
  #resolveEnded: () => void = () => {};

  constructor(options: ConnectionOptions, events: UpstreamEvents) {
    this.#options = options;
    this.#events = events;
    this.ended = new Promise((resolve) => {
      this.#resolveEnded = resolve;
    });
    this.#transport = new InProcessTransport(
      {
        message: (message, relatedTo) => events.onMessage(message, relatedTo),
        oversized: (id) => events.onOversized(id),
        closeStream: (id) => events.onCloseStream(id),
        closed: () => this.#end('exited', 'the server closed its transport'),
      },
      options.bounds.messageCharsMax,
    );
    // In a microtask, so that a factory that fails at once is reported after `connect` returned.
    queueMicrotask(() => void this.#start());
  }

  send(message: Message): SendOutcome {
    if (this.#cause !== undefined) {
      return 'closed';
    }
    const chars = message.payload?.length ?? 0;
    if (this.#waitingChars + chars > this.#options.bounds.queueCharsMax) {
      return 'full';
    }
    this.#waiting.push(message);
    this.#waitingChars += chars;
    this.#scheduleFlush();
    return 'sent';
  }

  close(): void {
    this.#end('closed', 'closed by us');
  }

  async #start(): Promise<void> {
    const { era, factory, sdk, onSdkKnown } = this.#options;
    try {
      if (era === 'modern' && sdk === 'v1') {
        this.#open(this.#refuse, async () => {});
        return;
      }
      const server = await factory({ era });
      if (!isServer(server)) {
        throw new WordedFailure('what its function returned is no server of the official SDK');
      }
      const major = sdk ?? (await sdkMajorOf(server));
      onSdkKnown(major);
      if (this.#cause !== undefined) {
        await server.close();
        return;
      }
      await this.#connect(server, major);
    } catch (error) {
      this.#end('start-failed', failurePlace(error));
    }
  }

  async #connect(server: SdkServer, major: SdkMajor): Promise<void> {
    const deliver = (message: Message): void => this.#transport.deliver(message);
    if (this.#options.era === 'legacy') {
      // Also for v2: connected directly, a server serves the initialize handshake, and gets the
      // per-request extras that the SDK's stdio entry does not hand on.
      await server.connect(this.#transport);
      this.#open(deliver, () => server.close());
    } else if (major === 'v1') {
      this.#open(this.#refuse, () => server.close());
    } else {
      this.#open(deliver, await this.#serveModern(server));
    }
  }

  /**
   * Runs a v2 server on the SDK's entry for long-lived connections: one instance for all requests,
   * `server/discover` and `subscriptions/listen` included.
   */
  async #serveModern(built: SdkServer): Promise<() => Promise<void>> {
    const { serveStdio } = await import('@modelcontextprotocol/server/stdio');
    type ModernFactory = Parameters<typeof serveStdio>[0];
    let first: SdkServer | undefined = built;
    const next = (): SdkServer | Promise<SdkServer> => {
      const server = first ?? this.#options.factory({ era: 'modern' });
      first = undefined;
      return server;
    };
    const handle = serveStdio(next as unknown as ModernFactory, {
      transport: this.#transport,
      // A notification without the envelope must not pin the connection to the other era.
      legacy: 'reject',
      maxSubscriptions: this.#options.bounds.listensMax,
    });
    return async () => {
      await handle.close();
      await built.close();
    };
  }

  /** What a server answers that does not know the era: a legacy child on a pipe says the same. */
  readonly #refuse = (message: Message): void => {
    if (message.kind === 'request' && message.id !== undefined) {
      this.#events.onMessage(Message.error(message.id, METHOD_NOT_FOUND));
    }
  };

  #open(deliver: (message: Message) => void, shutDown: () => Promise<void>): void {
    this.#deliver = deliver;
    this.#shutDown = shutDown;
    if (this.#cause !== undefined) {
      // Closed while the server was being connected.
      shutDown().catch(() => {});
      return;
    }
    this.#scheduleFlush();
  }

  #scheduleFlush(): void {
    if (!this.#isFlushScheduled && this.#deliver !== undefined && this.#waiting.length > 0) {
      this.#isFlushScheduled = true;
      queueMicrotask(() => this.#flush());
    }
  }

  #flush(): void {
    this.#isFlushScheduled = false;
    const batch = this.#waiting;
    this.#waiting = [];
    this.#waitingChars = 0;
    for (const message of batch) {
      if (this.#cause !== undefined) {
        return;
      }
      this.#deliver?.(message);
    }
  }

  #end(cause: UpstreamClosedCause, detail: string): void {
    if (this.#cause !== undefined) {
      return;
    }
    this.#cause = cause;
    this.#waiting = [];
    queueMicrotask(() => void this.#finish(cause, detail));
  }

  async #finish(cause: UpstreamClosedCause, detail: string): Promise<void> {
    // A server that ended by itself has no more to say: whoever waits for answers is told at once.
    if (cause !== 'closed') await this.#over(cause, detail);
    await this.#shutDownInTime();
    if (cause === 'closed') await this.#over(cause, detail);
    this.#resolveEnded();
  }

  async #over(cause: UpstreamClosedCause, detail: string): Promise<void> {
    // The server does this itself, unless it failed or was never connected.
    await this.#transport.close().catch(() => {});
    this.#events.onClosed(cause, detail);
  }

  async #shutDownInTime(): Promise<void> {
    let timer: ReturnType<typeof setTimeout> | undefined;
    const late = new Promise<void>((resolve) => {
      timer = setTimeout(resolve, SHUT_DOWN_MS_MAX);
    });
    try {
      await Promise.race([this.#shutDown?.(), late]);
    } catch {
      // A server that fails to close is as gone as it will be.
    }
    clearTimeout(timer);
  }
}

/** Programs without types may return anything. */
function isServer(returned: unknown): boolean {
  return typeof (returned as Partial<SdkServer> | null | undefined)?.connect === 'function';
}
