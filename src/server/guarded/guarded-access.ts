/** The policies of whoever embeds us: where they fail nothing is allowed, and nothing is shown. */
import type { Access, AccessRequest, AccessVerdict, ToolsThere } from '../../core/access.ts';
import { ERRORS, type Refusal } from '../../core/errors.ts';
import { heedPromise } from '../../core/heed-promise.ts';
import { Message } from '../../core/protocol/message.ts';
import { areTexts, refusalFault } from '../../core/refusal-fault.ts';
import { NO_TOOLS } from '../known-tools.ts';
import { PortFailures, type PortSight } from './port-failures.ts';

const FAILED: Refusal = { error: 'INTERNAL' };
const DENIED: AccessVerdict = { refusal: FAILED, policies: [] };

const { rpcCode: code, message } = ERRORS.INTERNAL;
const ERROR = JSON.stringify({ code, message });

type Learn = NonNullable<Access['learn']>;

export class GuardedAccess implements Access {
  readonly #access: Access;
  readonly #failures: PortFailures;
  readonly #learn: Learn = (server, tools) => {
    this.#try('learn', () => this.#access.learn?.(server, tools));
  };

  private constructor(access: Access, sight: PortSight) {
    this.#access = access;
    this.#failures = new PortFailures('access', sight);
  }

  /** One that is guarded already stays as it is: several endpoints may share it. */
  static of(access: Access, sight: PortSight): GuardedAccess {
    return access instanceof GuardedAccess ? access : new GuardedAccess(access, sight);
  }

  get isIdle(): boolean {
    try {
      return this.#access.isIdle === true;
    } catch (error) {
      this.#failures.tell('isIdle threw', error);
      return false;
    }
  }

  decide(request: AccessRequest): AccessVerdict {
    try {
      return this.#verdict('decide', this.#access.decide(request));
    } catch (error) {
      this.#failures.tell('decide() threw', error);
      return DENIED;
    }
  }

  foregone(request: AccessRequest): AccessVerdict | undefined {
    try {
      const verdict = this.#access.foregone?.(request);
      return verdict === undefined ? undefined : this.#verdict('foregone', verdict);
    } catch (error) {
      this.#failures.tell('foregone() threw', error);
      return DENIED;
    }
  }

  filter(request: AccessRequest, answer: Message): Message {
    try {
      const left: unknown = this.#access.filter(request, answer);
      if (left instanceof Message) return left;
      this.#garbage('filter', left, 'no message');
    } catch (error) {
      this.#failures.tell('filter() threw', error);
    }
    return Message.error(answer.id ?? 'null', ERROR);
  }

  get learn(): Learn | undefined {
    try {
      return this.#access.learn === undefined ? undefined : this.#learn;
    } catch (error) {
      this.#failures.tell('learn threw', error);
      return undefined;
    }
  }

  relearn(server: string, tenant: string | undefined, tools: readonly unknown[]): void {
    this.#try('relearn', () => this.#access.relearn?.(server, tenant, tools));
  }

  /** Nothing is known of any where it fails. */
  factsOf(server: string, tools: readonly unknown[]): ToolsThere | undefined {
    let facts: ToolsThere | undefined = NO_TOOLS;
    this.#try('factsOf', () => {
      facts = this.#access.factsOf?.(server, tools);
      return facts;
    });
    return facts;
  }

  forget(server: string, tenant: string | undefined): void {
    this.#try('forget', () => this.#access.forget?.(server, tenant));
  }

  #verdict(method: string, verdict: AccessVerdict): AccessVerdict {
    const fault = verdictFault(verdict);
    if (fault === undefined) return verdict;
    this.#garbage(method, verdict, fault);
    return DENIED;
  }

  #garbage(method: string, left: unknown, what: string): void {
    heedPromise(left, () => {});
    this.#failures.tell(`${method}() returned ${what}`);
  }

  #try(method: string, work: () => unknown): void {
    try {
      const left = work();
      heedPromise(left, (error) => this.#failures.tell(`${method}() rejected`, error));
    } catch (error) {
      this.#failures.tell(`${method}() threw`, error);
    }
  }
}

/** One that says nothing would allow everything, and so would a promise. */
function verdictFault(verdict: AccessVerdict | undefined): string | undefined {
  const { refusal, policies } = verdict ?? {};
  if (!areTexts(policies)) return 'a verdict without policies';
  return refusal === undefined ? undefined : refusalFault(refusal);
}
