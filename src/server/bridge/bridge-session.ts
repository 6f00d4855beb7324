/**
 * One conversation with a server of the handshake revisions, opened for 2026 clients that declared
 * the same capabilities. Finds the call a message belongs to, or none: it never guesses.
 */
import type { Refusal } from '../../core/errors.ts';
import {
  canBeAsked,
  type ClientCapabilities,
} from '../../core/bridge/modern-client/client-capabilities.ts';
import {
  legacyServerOf,
  type LegacyServer,
} from '../../core/bridge/modern-client/modern-result.ts';
import type { Principal } from '../../core/ports.ts';
import { LOG_LEVELS } from '../../core/protocol/eras/stateless-2026.ts';
import { relatedTaskOf, runsToolsAsTasks, taskIdOf } from '../../core/bridge/tasks/task-words.ts';
import { Message } from '../../core/protocol/message.ts';
import { LATEST_LEGACY_VERSION } from '../../core/protocol/versions.ts';
import { askBriefly } from '../ask-briefly.ts';
import { GHOST_MS } from '../ghosts.ts';
import { Instance } from '../instance.ts';
import type { InstanceRole } from '../instance-role.ts';
import type { UpstreamCall } from '../upstream-call.ts';
import { refuseQuestion } from '../refuse-question.ts';
import { ToolHeaders } from '../tool-headers.ts';
import type { BridgePorts } from './bridge-ports.ts';
import { BridgedCall, type CallSession } from './bridged-call.ts';
import type { BridgedTask } from './bridged-task.ts';
import type { TasksHome } from './bridged-tasks.ts';

/** Who is told what happens on a session. */
export interface BridgeSessionKeeper {
  /** A change of a list or a resource. */
  changed(message: Message): void;
  ready(session: BridgeSession, isRestart: boolean): void;
  /** A call left it: another may be waiting for it. */
  freed(): void;
  /** Its connection is gone. @returns whether to start it again. */
  down(session: BridgeSession): boolean;
}

export interface BridgeSessionFacts {
  readonly capabilities: ClientCapabilities;
  readonly clientInfo: unknown;
  /** Whether one principal alone is served. */
  readonly isPrivate: boolean;
}

/** Milliseconds that a server may take to change its level before calls go on. */
const LEVEL_MS_MAX = 3000;
/** Of a call, and of what it wants logged. */
const PLACES_WITH_LEVEL = 2;

const INITIALIZED = Message.notification('notifications/initialized');

export class BridgeSession implements InstanceRole, CallSession, TasksHome {
  readonly instance: Instance;
  readonly capabilities: ClientCapabilities;
  readonly calls: Set<BridgedCall> = new Set();
  readonly headers: ToolHeaders = new ToolHeaders();
  /** Tasks that live on it, by their ids. */
  readonly tasks: Map<string, BridgedTask> = new Map();
  server: LegacyServer | undefined;
  lastUsedAt: number;
  /** When the newest call that may ask was given to it. */
  turnAt: number = -Infinity;
  /** A call that was given up may still speak, and would be taken for another. */
  isHaunted = false;
  /** Those that were let in: for others nothing is asked of the server. */
  readonly #begun = new Set<BridgedCall>();
  readonly #keeper: BridgeSessionKeeper;
  readonly #facts: BridgeSessionFacts;
  /** Until when what it logs may be about such a call. */
  #hauntedUntil = -Infinity;
  #awaiting: (() => void)[] = [];
  #awaitingTools: (() => void)[] = [];
  #tools: 'unknown' | 'reading' | 'stale' | 'known' = 'unknown';
  #level: string | undefined;
  #levelsAsked = 0;
  #awaitingLevel: (() => void)[] = [];
  /** Whose calls this connection had; two say that it is not one client's alone. */
  readonly #callers = new Set<string>();

  constructor(ports: BridgePorts, keeper: BridgeSessionKeeper, facts: BridgeSessionFacts) {
    this.#keeper = keeper;
    this.#facts = facts;
    this.capabilities = facts.capabilities;
    this.lastUsedAt = ports.clock.now();
    this.instance = new Instance('legacy', ports, this);
    this.instance.start();
  }

  /**
   * Whether calls that may ask go one at a time: the server can ask something and cannot say for
   * which call, as far as is known.
   */
  get isExclusive(): boolean {
    return canBeAsked(this.capabilities) && !this.instance.canTell;
  }

  get isDown(): boolean {
    return this.instance.state === 'waiting' || this.instance.state === 'closed';
  }

  /** Whether a further call that may ask can be told from those it has. */
  get isFree(): boolean {
    if (!this.isExclusive) return true;
    if (this.isHaunted) return false;
    for (const call of this.calls) if (call.canAsk) return false;
    return true;
  }

  /** Whether it has nothing to do but to wait for people. */
  get isWaitingForPeople(): boolean {
    for (const call of this.calls) if (call.canAsk && !call.isParked) return false;
    return true;
  }

  /** Whether a task may have more to say. */
  get hasLivingTasks(): boolean {
    for (const { isLiving } of this.tasks.values()) if (isLiving) return true;
    return false;
  }

  /** Whether the server turns calls of tools into tasks. */
  get runsToolsAsTasks(): boolean {
    return runsToolsAsTasks(this.server?.capabilities);
  }

  /** Whether no call was made in this conversation, and none is about to be. */
  get isUnused(): boolean {
    return this.calls.size === 0 && this.#callers.size === 0;
  }

  /** Requests in flight that are not parked. */
  get busy(): number {
    let parked = 0;
    for (const call of this.calls) if (call.isParked) parked += 1;
    return this.instance.pending.size - parked;
  }

  /** Runs `then` once the handshake is over, or failed. */
  whenReady(then: () => void): void {
    if (this.instance.state === 'starting') this.#awaiting.push(then);
    else then();
  }

  /** Runs `then` once the tools' header annotations are known, or cannot be. */
  whenToolsKnown(then: () => void): void {
    this.whenReady(() => {
      const hasTools = !this.isDown && this.server?.capabilities['tools'] !== undefined;
      if (!hasTools || this.#tools === 'known') {
        then();
        return;
      }
      this.#awaitingTools.push(then);
      if (this.#tools !== 'unknown') return;
      this.#tools = 'reading';
      this.headers.read(this.instance, () => this.#toolsRead());
    });
  }

  /**
   * A call is about to be sent: the level is the lowest that one in flight asked for. Over HTTP the
   * call waits until the server has taken it, since requests of their own may overtake each other;
   * but no call waits long for one that says nothing.
   */
  prepareLevel(then: () => void): void {
    this.#askForLevel();
    if (this.#levelsAsked > 0 && this.instance.ports.upstream.kind === 'http') {
      this.#awaitingLevel.push(then);
    } else {
      then();
    }
  }

  #askForLevel(): void {
    if (this.server?.capabilities['logging'] === undefined) return;
    const levels = [...this.#begun].map(({ facts }) => LOG_LEVELS.indexOf(facts.logLevel ?? ''));
    const lowest = Math.min(...levels.filter((level) => level >= 0));
    const level = LOG_LEVELS[lowest];
    if (level === undefined || level === this.#level) return;
    // It takes no place that a call needs, and is not asked for one that finds none.
    if (this.instance.pending.room < PLACES_WITH_LEVEL) return;
    this.#level = level;
    this.#levelsAsked += 1;
    let isAwaited = true;
    const taken = (): void => {
      disarm();
      if (!isAwaited) return;
      isAwaited = false;
      this.#levelsAsked -= 1;
      if (this.#levelsAsked === 0) this.#levelTaken();
    };
    const disarm = this.instance.ports.clock.after(LEVEL_MS_MAX, taken);
    askBriefly(this.instance, 'logging/setLevel', { level }, (answer) => {
      const isUnsent = 'error' in answer && answer.error !== 'CALL_TIMED_OUT';
      if (isUnsent && this.#level === level) this.#level = undefined;
      taken();
    });
  }

  #levelTaken(): void {
    const awaiting = this.#awaitingLevel;
    this.#awaitingLevel = [];
    for (const then of awaiting) then();
  }

  taken(call: BridgedCall): void {
    this.calls.add(call);
    if (call.canAsk) this.turnAt = this.instance.ports.clock.now();
  }

  /** Whether a call of this principal is made on it. */
  isUsedBy({ key }: Principal): boolean {
    for (const { facts } of this.calls) if (facts.principal.key === key) return true;
    return false;
  }

  /** Whether one of them keeps others that may ask from it. */
  isHeldBy({ key }: Principal): boolean {
    if (!this.isExclusive) return false;
    for (const { canAsk, facts } of this.calls) {
      if (canAsk && facts.principal.key === key) return true;
    }
    return false;
  }

  begun(call: BridgedCall): void {
    this.#begun.add(call);
    if (this.#callers.size < 2) this.#callers.add(call.facts.principal.key);
    this.lastUsedAt = this.instance.ports.clock.now();
  }

  haunt(): void {
    this.#hauntedUntil = this.instance.ports.clock.now() + GHOST_MS;
    // Whatever names the call of what it says can be given others meanwhile.
    if (!this.instance.canTell) this.isHaunted = true;
  }

  released(call: BridgedCall): void {
    this.lastUsedAt = this.instance.ports.clock.now();
    this.#begun.delete(call);
    if (this.calls.delete(call)) this.#keeper.freed();
  }

  handshake(isRestart: boolean, done: (failure: string | undefined) => void): void {
    const { capabilities, clientInfo } = this.#facts;
    const protocolVersion = LATEST_LEGACY_VERSION;
    const params = JSON.stringify({ protocolVersion, capabilities, clientInfo });
    this.instance.ask('initialize', params, (answer) => {
      if ('error' in answer || answer.isError) {
        done('initialize was refused');
        // One that was closed before it was ready is not told that it is down.
        this.#flush();
        return;
      }
      this.server = legacyServerOf(answer.value);
      this.instance.tellNow(INITIALIZED);
      done(undefined);
      this.#keeper.ready(this, isRestart);
      this.#flush();
    });
  }

  received(message: Message, related: UpstreamCall | undefined, isMarked: boolean): void {
    if (message.kind === 'request') {
      this.#asked(message, related, isMarked);
      return;
    }
    switch (message.method) {
      case 'notifications/tools/list_changed':
        this.#tools = this.#tools === 'reading' || this.#tools === 'stale' ? 'stale' : 'unknown';
        this.instance.ports.listChanged?.(this.instance, message);
        this.#keeper.changed(message);
        return;
      case 'notifications/prompts/list_changed':
      case 'notifications/resources/list_changed':
      case 'notifications/resources/updated':
        this.#keeper.changed(message);
        return;
      case 'notifications/cancelled':
        this.#withdrawn(message);
        return;
      case 'notifications/tasks/status':
        this.tasks.get(taskIdOf(message.value) ?? '')?.notified(message);
        return;
      case 'notifications/message': {
        // A question in the wrong place is answered by the wrong person; a line of a log is not.
        const isHaunted = this.instance.ports.clock.now() < this.#hauntedUntil;
        const call = this.#callOf(related, isMarked || isHaunted, () => true);
        if (call !== undefined) call.noticed(message);
        else this.#stray('notification');
        return;
      }
      default:
        this.#stray('notification');
    }
  }

  down(): boolean {
    this.isHaunted = false;
    this.#hauntedUntil = -Infinity;
    this.#tools = 'unknown';
    this.#level = undefined;
    this.#callers.clear();
    this.#flush();
    return this.#keeper.down(this);
  }

  /** @see https://modelcontextprotocol.io/specification/2025-11-25/basic/utilities/ping */
  #asked(message: Message, related: UpstreamCall | undefined, isMarked: boolean): void {
    const id = message.id ?? 'null';
    if (message.method === 'ping') {
      this.instance.tellNow(Message.result(id, '{}'));
      return;
    }
    const taskId = relatedTaskOf(message.value);
    const task = this.tasks.get(taskId ?? '');
    if (task !== undefined) {
      task.asked(message);
      return;
    }
    const isRecent = this.instance.ports.clock.now() < this.#hauntedUntil;
    const isAmbiguous = isMarked || this.isHaunted || isRecent;
    // Of a task that is not known, it is of the call that becomes it, or of one that is over.
    const mayAsk = ({ canAsk, isTask }: BridgedCall): boolean =>
      canAsk && (taskId === undefined || isTask);
    const call = this.#callOf(related, isAmbiguous, mayAsk);
    if (call !== undefined) {
      call.asked(message);
      return;
    }
    this.#stray('question');
    const refusal: Refusal = { error: 'NO_ORIGINATING_REQUEST' };
    this.instance.tellNow(refuseQuestion(id, refusal));
  }

  /** The call upstream named, or the only one it can mean. */
  #callOf(
    related: UpstreamCall | undefined,
    isAmbiguous: boolean,
    isCandidate: (call: BridgedCall) => boolean,
  ): BridgedCall | undefined {
    const owner = related?.owner;
    if (owner instanceof BridgedCall) return owner;
    if (isAmbiguous || this.#callers.size > 1) return undefined;
    let sole: BridgedCall | undefined;
    for (const call of this.calls) {
      if (!call.isSent || !isCandidate(call)) continue;
      if (sole !== undefined) return undefined;
      sole = call;
    }
    return sole;
  }

  #withdrawn(message: Message): void {
    const token = message.token(message.spans.requestId);
    if (token === undefined) return;
    for (const task of this.tasks.values()) if (task.withdrawn(token)) return;
    for (const call of this.calls) if (call.withdrawn(token)) return;
  }

  #toolsRead(): void {
    this.#tools = this.#tools === 'reading' ? 'known' : 'unknown';
    const awaiting = this.#awaitingTools;
    this.#awaitingTools = [];
    for (const then of awaiting) then();
  }

  #flush(): void {
    const awaiting = this.#awaiting;
    this.#awaiting = [];
    for (const then of awaiting) then();
  }

  #stray(kind: string): void {
    this.instance.ports.telemetry.count('upstream_stray_total', { kind });
  }
}
