/**
 * The upstream of whoever embeds us, which may be one of ours with something around it. Where it
 * fails its server cannot be started or does not take what it is sent.
 */
import { heedPromise } from '../../core/heed-promise.ts';
import type {
  SendOutcome,
  Upstream,
  UpstreamConnection,
  UpstreamEvents,
} from '../../core/ports.ts';
import type { Message } from '../../core/protocol/message.ts';
import { PortFailures, type PortSight } from './port-failures.ts';

/**
 * How long the end of everything is waited for. Ours see to it that it comes: a command that
 * outlives SIGKILL is given up after 12 seconds by default.
 */
const CLOSE_MS_MAX = 60_000;

const DEAD: UpstreamConnection = { send: () => 'closed', close() {} };

export function guardedUpstream(upstream: Upstream, sight: PortSight): Upstream {
  const failures = new PortFailures('upstream', sight);
  const failed = (events: UpstreamEvents): UpstreamConnection => {
    sight.clock.after(0, () => events.onClosed('start-failed', 'connect() failed'));
    return DEAD;
  };
  return {
    kind: upstream.kind,
    name: upstream.name,
    connect: (era, events, caller, tenant) => {
      try {
        const connection: unknown = upstream.connect(era, events, caller, tenant);
        if (isConnection(connection)) return new GuardedConnection(connection, failures);
        heedPromise(connection, () => {});
        failures.tell('connect() returned no connection');
      } catch (error) {
        failures.tell('connect() threw', error);
      }
      return failed(events);
    },
    close: () => closed(upstream, sight, failures),
  };
}

/** Nobody's shutdown waits for ever for what a program left open. */
function closed(
  upstream: Upstream,
  { clock }: Pick<PortSight, 'clock'>,
  failures: PortFailures,
): Promise<void> {
  return new Promise((resolve) => {
    const disarm = clock.after(CLOSE_MS_MAX, () => {
      failures.tell('close() did not end in time');
      resolve();
    });
    const ended = (): void => {
      disarm();
      resolve();
    };
    const failed = (error: unknown): void => {
      failures.tell('close() failed', error);
      ended();
    };
    const close = async (): Promise<void> => upstream.close();
    close().then(ended, failed);
  });
}

class GuardedConnection implements UpstreamConnection {
  readonly #connection: UpstreamConnection;
  readonly #failures: PortFailures;

  constructor(connection: UpstreamConnection, failures: PortFailures) {
    this.#connection = connection;
    this.#failures = failures;
  }

  get canTell(): boolean | undefined {
    return this.#connection.canTell;
  }

  send(message: Message): SendOutcome {
    try {
      return this.#connection.send(message);
    } catch (error) {
      this.#failures.tell('send() threw', error);
      return 'closed';
    }
  }

  close(): void {
    try {
      this.#connection.close();
    } catch (error) {
      this.#failures.tell('close() threw', error);
    }
  }
}

function isConnection(given: unknown): given is UpstreamConnection {
  const { send, close } = (given ?? {}) as Partial<UpstreamConnection>;
  return typeof send === 'function' && typeof close === 'function';
}
