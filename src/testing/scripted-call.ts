/**
 * One `tools/call` at a scripted upstream: the steps of its script, each after a latency, then its
 * ending.
 */
import { Message } from '../core/protocol/message.ts';
import { markerOf, ownersIn, progressTotalOf } from './canary.ts';
import { textOf, type JsonObject, type ScriptedConversation } from './scripted-stage.ts';
import { parseScript, type ToolScript, type ToolStep } from './tool-script.ts';

const LOG_LEVEL = 'io.modelcontextprotocol/logLevel';

export class ScriptedCall {
  readonly #connection: ScriptedConversation;
  readonly #id: string;
  readonly #secret: string;
  readonly #script: ToolScript;
  readonly #meta: JsonObject;
  readonly #inputResponses: unknown;
  #next = 0;
  #progress = 0;
  #isCancelled = false;
  /** Whether it brings a state that was given out by somebody else. */
  readonly #isForeign: boolean;

  constructor(connection: ScriptedConversation, id: string, params: JsonObject) {
    const given = (params['arguments'] ?? {}) as JsonObject;
    this.#connection = connection;
    this.#id = id;
    this.#secret = textOf(given, 'secret');
    this.#script = parseScript(textOf(given, 'script') || 'answer');
    this.#meta = (params['_meta'] ?? {}) as JsonObject;
    this.#inputResponses = params['inputResponses'];
    const requestState = textOf(params, 'requestState');
    this.#isForeign = requestState !== '' && !requestState.startsWith('{');
    if (requestState === '') connection.stage.called(this.#secret);
    if (requestState.startsWith('{')) this.#resume(requestState);
  }

  begin(): void {
    if (this.#isForeign) {
      this.#connection.refuse(this.#id, -32602, `no state of mine: ${this.#secret}`);
      return;
    }
    const { stage } = this.#connection;
    const step = this.#script.steps[this.#next];
    const range = step === 'pause' ? stage.options.pauseMs : stage.options.latencyMs;
    this.#connection.later(() => this.#step(), range);
  }

  cancel(): void {
    const { random, options } = this.#connection.stage;
    if (!random.chance(options.cancelRaceRate)) this.#isCancelled = true;
  }

  #step(): void {
    if (this.#isCancelled) return;
    const step = this.#script.steps[this.#next];
    this.#next += 1;
    if (step === undefined) this.#end();
    else if (step === 'ask') this.#ask();
    else {
      this.#tell(step);
      this.begin();
    }
  }

  #tell(step: ToolStep): void {
    const connection = this.#connection;
    if (step === 'progress') this.#report();
    else if (step === 'log') this.#log();
    else if (step === 'changed') connection.announceTools();
    else if (step === 'updated') connection.announceResource();
    else if (step === 'poll') connection.closeStreamOf(this.#id);
  }

  #report(): void {
    const token = this.#meta['progressToken'];
    if (token === undefined) return;
    this.#progress += 1;
    const before = '{"progressToken":';
    const text = JSON.stringify(token);
    const rest = { progress: this.#progress, message: this.#marked('progress') };
    const payload = `${before}${text},${JSON.stringify(rest).slice(1)}`;
    const span = { start: before.length, end: before.length + text.length };
    const method = 'notifications/progress';
    const spans = { progressToken: span };
    const message = new Message('notification', undefined, method, false, payload, spans);
    this.#connection.emit(message, this.#id);
  }

  #log(): void {
    if (this.#connection.era === 'modern' && this.#meta[LOG_LEVEL] === undefined) return;
    const params = { level: 'warning', data: this.#marked('log') };
    const message = Message.notification('notifications/message', JSON.stringify(params));
    this.#connection.emit(message, this.#id);
  }

  #ask(): void {
    if (this.#connection.era === 'modern') {
      this.#requireInput();
      return;
    }
    this.#connection.ask(this.#id, this.#marked('question'), (answer) => {
      const text = answer?.payload ?? '';
      const owner = ownersIn(this.#secret)[0] ?? '';
      if (!isOnlyOf(owner, text)) {
        this.#connection.stage.violate(`the question of ${owner} was answered by ${text}`);
      }
      this.begin();
    });
  }

  /** @see https://modelcontextprotocol.io/specification/2026-07-28/basic/patterns/mrtr */
  #requireInput(): void {
    const message = this.#marked('question');
    const params = { mode: 'form', message, requestedSchema: { type: 'object', properties: {} } };
    this.#connection.answer(this.#id, {
      resultType: 'input_required',
      inputRequests: { first: { method: 'elicitation/create', params } },
      requestState: JSON.stringify({
        next: this.#next,
        secret: this.#secret,
        progress: this.#progress,
      }),
    });
  }

  #resume(requestState: string): void {
    const { next, secret, progress } = JSON.parse(requestState) as {
      next: number;
      secret: string;
      progress: number;
    };
    const owner = ownersIn(this.#secret)[0] ?? '';
    const answers = JSON.stringify(this.#inputResponses ?? {});
    if (secret !== this.#secret || !isOnlyOf(owner, answers)) {
      this.#connection.stage.violate(`the state of ${secret} came back from ${owner}`);
    }
    this.#next = next;
    this.#progress = progress;
  }

  #end(): void {
    const connection = this.#connection;
    const { ending } = this.#script;
    if (ending === 'crash') connection.crash();
    else if (ending === 'oversized') connection.oversized(this.#id);
    else if (ending === 'error') connection.refuse(this.#id, -32000, this.#marked('error'));
    else if (ending !== 'silent') this.#answer();
    if (ending === 'twice') this.#answer();
  }

  #answer(): void {
    const text = `${this.#marked('answer')} ${progressTotalOf(this.#progress)}`;
    const content = [{ type: 'text', text }];
    const isLegacy = this.#connection.era === 'legacy';
    this.#connection.answer(this.#id, isLegacy ? { content } : { content, resultType: 'complete' });
  }

  #marked(what: string): string {
    return `${what} ${this.#secret} ${markerOf(this.#connection.stage.nextMarker())}`;
  }
}

/** Whether a text carries only canaries of one owner. */
function isOnlyOf(owner: string, text: string): boolean {
  return ownersIn(text).every((each) => each === owner);
}
