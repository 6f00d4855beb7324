/**
 * One question to somebody who answers by calling back. Whoever embeds us may have written it, in
 * a language that checks nothing: it may throw or reject, answer twice, never or with what is no
 * answer. The first that happens counts, and ends no process.
 */
import { heedPromise } from '../../core/heed-promise.ts';
import type { Patience } from './patience.ts';
import type { PortFailures } from './port-failures.ts';

/** Who is asked, and what may come of it. */
export interface AskedPort<Answer> {
  readonly failures: PortFailures;
  readonly patience: Patience;
  /** What is wrong with an answer; undefined for nothing. */
  readonly faultOf: (answer: Answer) => string | undefined;
  /** Whether what a method returned is an answer, which was to be given to `done`. */
  readonly isAnswer: (left: unknown) => boolean;
  /** What counts in place of an answer. */
  readonly failed: Answer;
  /** The same where there was none in time. */
  readonly late: Answer;
}

export class Asking<Answer> {
  readonly #port: AskedPort<Answer>;
  readonly #method: string;
  readonly #done: (answer: Answer) => void;
  #isDone = false;
  /** Whether what runs now is ours, begun by an answer. */
  #isOurs = false;
  #endWait: (() => void) | undefined;

  /** @param done - called once, perhaps at once. */
  constructor(port: AskedPort<Answer>, method: string, done: (answer: Answer) => void) {
    this.#port = port;
    this.#method = method;
    this.#done = done;
  }

  /** @param call - asks; what it returns is what the method left. */
  ask(call: (answered: (answer: Answer) => void) => unknown): void {
    try {
      const left = call((answer) => this.#answered(answer));
      if (left !== undefined) this.#heed(left);
    } catch (error) {
      // What failed after the answer may be ours.
      if (this.#isOurs) throw error;
      this.#fail('threw', error);
    }
    if (this.#isDone) return;
    this.#endWait = this.#port.patience.wait(() => {
      this.#port.failures.tell(`${this.#method}() did not answer in time`);
      this.#settle(this.#port.late);
    });
  }

  #answered(answer: Answer): void {
    if (this.#isDone) return;
    const fault = this.#faultOf(answer);
    if (fault === undefined) this.#settle(answer);
    else this.#fail(`said ${fault}`);
  }

  #faultOf(answer: Answer): string | undefined {
    try {
      return this.#port.faultOf(answer);
    } catch {
      return 'what cannot be read';
    }
  }

  #heed(left: unknown): void {
    const returned = (value: unknown): void => {
      if (this.#isDone || !this.#port.isAnswer(value)) return;
      this.#fail('returned its answer; give it to done()');
    };
    if (!heedPromise(left, (error) => this.#fail('rejected', error), returned)) returned(left);
  }

  /** Told of what fails after its answer, too, which changes nothing. */
  #fail(how: string, error?: unknown): void {
    this.#port.failures.tell(`${this.#method}() ${how}`, error);
    if (!this.#isDone) this.#settle(this.#port.failed);
  }

  #settle(answer: Answer): void {
    this.#isDone = true;
    this.#endWait?.();
    this.#isOurs = true;
    this.#done(answer);
    this.#isOurs = false;
  }
}
