/**
 * Which updates of resources, and states of tasks, a client hears. A server names the resource, and
 * it need not be the one that was subscribed; and policies may be others by now. So each is asked
 * about as its own subscription would be, or as if the client asked for the task.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 */
import type { Access, AccessRequest } from '../core/access.ts';
import type { HttpExchange } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { subjectOf } from '../core/sessions/subscription.ts';

const UPDATED = 'notifications/resources/updated';
const TASK = 'notifications/tasks';
const LISTEN = 'subscriptions/listen';

export class Hearing {
  readonly #access: Access | undefined;
  #client: Omit<AccessRequest, 'message'>;

  /** @param client - whoever listens, with the credential that opened its session or stream. */
  constructor(access: Access | undefined, client: Omit<AccessRequest, 'message'>) {
    this.#access = access;
    this.#client = client;
  }

  /** A client that subscribes comes with what it is allowed it by, which may be new. */
  subscribed({ principal, grant, server, era, method, address }: AccessRequest): void {
    this.#client = { principal, grant, server, era, method, address };
  }

  hears(told: Message): boolean {
    const access = this.#access;
    const { method } = told;
    if (method !== UPDATED && method !== TASK) return true;
    if (access === undefined || access.isIdle === true) return true;
    const subject = subjectOf(method, told.value) ?? '';
    const message = method === TASK ? getting(subject) : subscribing(subject);
    return access.decide({ ...this.#client, message }).refusal === undefined;
  }
}

function subscribing(uri: string): Message {
  return Message.request('0', 'resources/subscribe', JSON.stringify({ uri }));
}

function getting(taskId: string): Message {
  return Message.request('0', 'tasks/get', JSON.stringify({ taskId }));
}

/** A request that opens a session or a stream. */
interface Opening extends Pick<AccessRequest, 'principal' | 'grant'> {
  readonly context: { readonly name: string; readonly access?: Access | undefined };
  readonly exchange: Pick<HttpExchange, 'head' | 'asked'>;
}

/**
 * Of what this request opens. Policies see the era and the method that its client asked with, as
 * they did when it was let in.
 */
export function hearingOf(opening: Opening, spoken: AccessRequest['era']): Hearing {
  const { context, principal, grant, exchange } = opening;
  const { head, asked } = exchange;
  const { era = spoken, method = spoken === '2026' ? LISTEN : undefined } = asked ?? {};
  const address = head.remoteAddress;
  const client = { principal, grant, server: context.name, era, method, address };
  return new Hearing(context.access, client);
}
