/** The server at the far end of the hop, as the near endpoint's upstream. */
import { LegacyConversation } from '../../src/client/legacy-conversation.ts';
import { type ClientContext, SendMeter } from '../../src/client/client-context.ts';
import { ModernConversation } from '../../src/client/modern-conversation.ts';
import type {
  Clock,
  Randomness,
  Telemetry,
  Upstream,
  UpstreamConnection,
  UpstreamEra,
  UpstreamEvents,
} from '../../src/core/ports.ts';
import type { Outbound } from '../../src/core/outbound.ts';

export interface HopUpstreamPorts {
  readonly url: string;
  readonly http: Outbound;
  readonly clock: Clock;
  readonly random: Randomness;
  readonly telemetry: Telemetry;
}

export class HopUpstream implements Upstream {
  readonly kind = 'http';
  readonly name = 'far';
  readonly #context: ClientContext;
  readonly #open = new Set<UpstreamConnection>();

  constructor(ports: HopUpstreamPorts) {
    this.#context = {
      ...ports,
      name: this.name,
      headers: ['Authorization', 'Bearer gate'],
      messageBytesMax: 1024 * 1024,
      meter: new SendMeter(1024 * 1024),
      origin: { handshake: undefined },
    };
  }

  connect(era: UpstreamEra, events: UpstreamEvents): UpstreamConnection {
    const watched: UpstreamEvents = {
      onMessage: (message, relatedTo) => events.onMessage(message, relatedTo),
      onOversized: (id) => events.onOversized(id),
      onCloseStream: (id) => events.onCloseStream(id),
      onClosed: (cause, detail) => {
        this.#open.delete(connection);
        events.onClosed(cause, detail);
      },
    };
    const connection =
      era === 'modern'
        ? new ModernConversation(this.#context, watched)
        : new LegacyConversation(this.#context, watched);
    this.#open.add(connection);
    return connection;
  }

  /** Resolves at once: connections end on virtual time. */
  close(): Promise<void> {
    for (const connection of this.#open) connection.close();
    return Promise.resolve();
  }
}
