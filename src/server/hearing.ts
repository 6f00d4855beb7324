/**
 * Which updates of resources, and states of tasks, a client hears. A server names the resource, and
 * it need not be the one that was subscribed; and policies may be others by now. So each is asked
 * about as its own subscription would be, or as if the client asked for the task.
 * @see https://modelcontextprotocol.io/specification/2025-11-25/server/resources#subscriptions
 * @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/tasks#task-status-notification
 */
import type { Access, AccessRequest } from '../core/access.ts';
import { taskIdOf } from '../core/bridge/tasks/task-words.ts';
import type { HttpExchange } from '../core/ports.ts';
import { Message } from '../core/protocol/message.ts';
import { subjectOf } from '../core/sessions/subscription.ts';

const UPDATED = 'notifications/resources/updated';
const TASK = 'notifications/tasks';
const TASK_STATUS = 'notifications/tasks/status';
const LISTEN = 'subscriptions/listen';
const SUBSCRIBE = 'resources/subscribe';
const CALL = 'tools/call';

type Client = Omit<AccessRequest, 'message'>;

export class Hearing {
  readonly #access: Access | undefined;
  #subscriber: Client;
  #follower: Client;

  /** @param client - whoever listens, with the credential that opened its session or stream. */
  constructor(access: Access | undefined, client: Client) {
    this.#access = access;
    this.#subscriber = client;
    this.#follower = client;
  }

  /**
   * A client that subscribes, or follows a task, comes with what it is allowed it by, which may be
   * new.
   */
  asked(request: AccessRequest): void {
    const { method = '', payload } = request.message;
    if (method === SUBSCRIBE) this.#subscriber = clientOf(request);
    else if (method.startsWith('tasks/')) this.#follower = clientOf(request);
    else if (method === CALL && payload?.includes('"task"') === true) {
      this.#follower = clientOf(request);
    }
  }

  hears(told: Message): boolean {
    const access = this.#access;
    const { method } = told;
    const isOfTask = method === TASK || method === TASK_STATUS;
    if (method !== UPDATED && !isOfTask) return true;
    if (access === undefined || access.isIdle === true) return true;
    const request = isOfTask
      ? { ...this.#follower, message: getting(taskIdOf(told.value) ?? '') }
      : { ...this.#subscriber, message: subscribing(subjectOf(method, told.value) ?? '') };
    return access.decide(request).refusal === undefined;
  }
}

function clientOf({ principal, grant, server, era, method, address }: AccessRequest): Client {
  return { principal, grant, server, era, method, address };
}

function subscribing(uri: string): Message {
  return Message.request('0', SUBSCRIBE, JSON.stringify({ uri }));
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
