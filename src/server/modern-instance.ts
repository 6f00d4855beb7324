/**
 * An upstream spoken to in the stateless revision: one conversation carries the requests of many
 * clients, each with its own `_meta`. Knows what the server declares, which tool parameters are
 * mirrored in headers, and who listens to what.
 */
import { SERVER_INFO } from '../core/bridge/modern-client/modern-result.ts';
import { declaresTasks } from '../core/bridge/tasks/task-words.ts';
import type { Refusal } from '../core/errors.ts';
import type { RequestHead } from '../core/ports.ts';
import type { Message } from '../core/protocol/message.ts';
import { Instance, type InstancePorts } from './instance.ts';
import type { InstanceRole } from './instance-role.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';
import type { Filter, Subscription } from '../core/sessions/subscription.ts';
import { ListenAudiences } from './listen-audiences.ts';
import type { Listener } from './listener.ts';
import type { ModernUpstream } from './modern-upstream.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';
import { refuseQuestion } from './refuse-question.ts';
import { ToolHeaders } from './tool-headers.ts';

export class ModernInstance implements InstanceRole, ModernUpstream {
  readonly instance: Instance;
  readonly hub: ListenAudiences;
  readonly #isPrivate: boolean;
  /** What the server said of itself last; undefined until it did. */
  discovered: Readonly<Record<string, unknown>> | undefined;
  #awaiting: (() => void)[] = [];
  readonly #toolHeaders = new ToolHeaders();

  /**
   * @param isPrivate - whether one principal alone is served, so that an unmarked message can only
   * be its own.
   */
  constructor(ports: InstancePorts, isPrivate: boolean) {
    this.#isPrivate = isPrivate;
    this.instance = new Instance('modern', ports, this);
    this.hub = new ListenAudiences(this.instance);
    this.instance.start();
  }

  /** Whether anybody needs it now. */
  get isIdle(): boolean {
    return this.hub.size === 0 && this.instance.pending.size === 0;
  }

  get conversation(): Instance {
    return this.instance;
  }

  get isDown(): boolean {
    return this.instance.state === 'waiting' || this.instance.state === 'closed';
  }

  get capabilities(): Readonly<Record<string, unknown>> {
    return (this.discovered?.['capabilities'] ?? {}) as Readonly<Record<string, unknown>>;
  }

  get tellsOfTasks(): boolean {
    return declaresTasks(this.capabilities);
  }

  get infoText(): string {
    const { _meta } = (this.discovered ?? {}) as {
      readonly _meta?: Readonly<Record<string, unknown>>;
    };
    const info = _meta?.[SERVER_INFO];
    return info === undefined ? '' : `"${SERVER_INFO}":${JSON.stringify(info)}`;
  }

  /** Whether this tool's output schema is no object, so that older clients see it inside one. */
  wrapsOutput(tool: string): boolean {
    return this.#toolHeaders.wrapsOutput(tool);
  }

  request(owner: CallOwner, message: Message): UpstreamCall | Refusal {
    return this.instance.request(owner, message);
  }

  cancel(call: UpstreamCall, reason: string): void {
    this.instance.cancel(call, reason);
  }

  listen(filter: Filter, listener: Listener): Subscription {
    return this.hub.open(filter, listener);
  }

  unlisten(subscription: Subscription): void {
    this.hub.close(subscription);
  }

  /** Runs `then` once what the server declares is known, or it turned out to be unreachable. */
  whenReady(then: () => void): void {
    if (this.instance.state === 'starting') this.#awaiting.push(then);
    else then();
  }

  /**
   * The `Mcp-Param-*` headers of a `tools/call`, against what the tool declares.
   * @see https://modelcontextprotocol.io/specification/2026-07-28/basic/transports/streamable-http#custom-headers-from-tool-parameters
   */
  checkParams(message: Message, head: RequestHead): Refusal | undefined {
    this.#toolHeaders.refresh(this.instance);
    return this.#toolHeaders.check(message, head);
  }

  handshake(_isRestart: boolean, done: (failure: string | undefined) => void): void {
    const params = JSON.stringify({ _meta: OUR_ENVELOPE });
    this.instance.ask('server/discover', params, (answer) => {
      if ('error' in answer || answer.isError) {
        done('server/discover was refused');
        // One that was closed before it was ready is not told that it is down.
        this.#flush();
        return;
      }
      this.discovered = answer.value as Readonly<Record<string, unknown>>;
      this.#readTools(() => {
        done(undefined);
        this.hub.restarted();
        this.#flush();
      });
    });
  }

  received(message: Message, related: UpstreamCall | undefined, isMarked: boolean): void {
    if (message.kind === 'request') {
      const id = message.id ?? 'null';
      const refusal: Refusal =
        message.method === 'ping'
          ? { error: 'METHOD_NOT_FOUND' }
          : { error: 'NO_ORIGINATING_REQUEST' };
      this.instance.tellNow(refuseQuestion(id, refusal));
      return;
    }
    const isOfTools = message.method === 'notifications/tools/list_changed';
    if (isOfTools && this.#hasTools) this.#toolHeaders.changed(this.instance);
    this.instance.ports.listChanged?.(this.instance, message);
    if (message.spans.subscriptionId !== undefined) {
      this.hub.received(message);
      return;
    }
    const call = related ?? (this.#isPrivate && !isMarked ? this.instance.sole : undefined);
    if (message.method === 'notifications/message' && call !== undefined) {
      call.owner.related(call, message);
    } else {
      this.instance.ports.telemetry.count('upstream_stray_total', { kind: 'notification' });
    }
  }

  down(): boolean {
    this.#flush();
    return true;
  }

  #flush(): void {
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const then of awaiting) then();
  }

  /**
   * The header annotations of all tools. Until they are known no call flows; a failed read leaves
   * none.
   */
  #readTools(done: () => void): void {
    if (this.#hasTools) this.#toolHeaders.read(this.instance, done);
    else done();
  }

  get #hasTools(): boolean {
    return this.capabilities['tools'] !== undefined;
  }
}
