/**
 * Who may do what, by policies. Once there is one, nothing is allowed that none permits. Another
 * version counts from the next request on and ends nothing.
 */
import type { Access, AccessRequest, AccessVerdict, ToolsThere } from '../../core/access.ts';
import type { Refusal } from '../../core/errors.ts';
import { UNKNOWN_GRANT } from '../../core/grant.ts';
import type { Telemetry } from '../../core/ports.ts';
import type { Message } from '../../core/protocol/message.ts';
import { filteredList, type ListEntry, useOf } from './filtered-list.ts';
import { PolicySet } from './policy-set.ts';
import type { PolicyRules } from './policy-rules.ts';
import type { Thing } from './policy-question.ts';
import { type Question, questionsOf, recordOf } from './question.ts';
import { readPolicies } from './read-policies.ts';
import { TaskTools } from './task-tools.ts';
import { EVERY_TOOL, ToolBook, UNKNOWN_TOOL } from './tool-book.ts';
import { decodedForms, templateForms, uriForms } from './uri-forms.ts';
import { type Matter, type Verdict, Verdicts } from './verdicts.ts';

export interface PolicyAccessPorts {
  readonly telemetry: Telemetry;
  /** Milliseconds since 1970. */
  readonly wallMs: () => number;
}

const ALLOWED: AccessVerdict = { refusal: undefined, policies: [] };
const FORBIDDEN: Refusal = { error: 'FORBIDDEN' };
const REFUSED: AccessVerdict = { refusal: FORBIDDEN, policies: [] };

export class PolicyAccess implements Access {
  readonly #ports: PolicyAccessPorts;
  readonly #tools = new ToolBook();
  readonly #tasks = new TaskTools();
  /** Undefined: whoever is let in may do everything. */
  #verdicts: Verdicts | undefined;

  constructor(ports: PolicyAccessPorts) {
    this.#ports = ports;
  }

  get isIdle(): boolean {
    return this.#verdicts === undefined;
  }

  /**
   * Reads what is to be decided by; undefined for nothing, so that everything is allowed.
   * @returns what makes it count, from the next request on.
   * @throws Error when the policies cannot be read.
   */
  prepare(rules: PolicyRules | undefined): () => void {
    const after = rules === undefined ? undefined : this.#verdictsOf(rules);
    return () => {
      const before = this.#verdicts;
      this.#verdicts = after;
      before?.close();
    };
  }

  /** Lists that pass by say more of their tenant's; until then what was learned counts for all. */
  get learn(): Access['learn'] {
    if (this.#verdicts?.looksAtTools !== true) return undefined;
    return (server, tools) => {
      for (const tool of tools) {
        const { name } = recordOf(tool);
        if (typeof name === 'string') this.#tools.learn(server, name, recordOf(tool));
      }
    };
  }

  relearn(server: string, tenant: string | undefined, tools: readonly unknown[]): void {
    if (tenant === undefined) this.forget(server, undefined);
    this.#tools.replace(tenant === undefined ? server : `${server}/${tenant}`, byName(tools));
  }

  factsOf(server: string, tools: readonly unknown[]): ToolsThere {
    return this.#tools.there(server, byName(tools));
  }

  forget(server: string, tenant: string | undefined): void {
    if (tenant !== undefined) {
      this.#tools.forget(`${server}/${tenant}`);
      return;
    }
    for (const owner of this.#tools.owners()) {
      if (owner === server || owner.startsWith(`${server}/`)) this.#tools.forget(owner);
    }
  }

  decide(request: AccessRequest): AccessVerdict {
    const verdicts = this.#verdicts;
    if (verdicts === undefined) return ALLOWED;
    const questions = questionsOf(request.message);
    if (questions === undefined) return REFUSED;
    if (request.grant === UNKNOWN_GRANT) return isOurs(request.message) ? ALLOWED : REFUSED;
    const there = this.#judge(verdicts, request, questions);
    if (there.refusal !== undefined || !isToldTwice(request, questions)) return there;
    // By what a tool says where its call goes, and by what was heard of it last.
    const heard = this.#judge(verdicts, { ...request, tools: undefined }, questions);
    return { ...heard, policies: together(there.policies, heard.policies) };
  }

  foregone(request: AccessRequest): AccessVerdict | undefined {
    const verdicts = this.#verdicts;
    const questions = questionsOf(request.message) ?? [];
    if (verdicts === undefined || request.grant === UNKNOWN_GRANT) return undefined;
    const names = questions.flatMap(({ target }) => (target.kind === 'tool' ? [target.name] : []));
    let verdict: AccessVerdict | undefined;
    for (const facts of EVERY_TOOL) {
      const tools = new Map(names.map((name) => [name, facts]));
      verdict = this.#judge(verdicts, { ...request, tools }, questions);
      // More scopes would do for what it may turn out to be.
      if (verdict.refusal === undefined || verdict.refusal.scopes !== undefined) return undefined;
    }
    return verdict;
  }

  filter(request: AccessRequest, answer: Message): Message {
    const verdicts = this.#verdicts;
    if (answer.isError || request.grant === UNKNOWN_GRANT) return answer;
    // Before there are policies, too: they may come while the task goes on.
    if (request.message.method === 'tools/call') this.#tasks.learn(request, answer);
    if (verdicts === undefined) return answer;
    const { method } = request.message;
    const used = { ...request, message: useOf(method) ?? request.message };
    return filteredList(method, answer, (entry) => {
      const matters = this.#mattersOfEntry(used, entry);
      return matters.length > 0 && matters.every((each) => isPassed(verdicts.of(used, each), each));
    });
  }

  #verdictsOf(rules: PolicyRules): Verdicts {
    const outcome = readPolicies(rules);
    if (outcome.kind === 'faulty') {
      const told = outcome.faults.map(
        ({ source = 'allow', line, message }) => `${source}:${line}: ${message}`,
      );
      throw new Error(`The policies cannot be read: ${told.join(' ')}`);
    }
    const { telemetry, wallMs } = this.#ports;
    return new Verdicts(new PolicySet(outcome.policies), rules.arguments, telemetry, wallMs);
  }

  #judge(
    verdicts: Verdicts,
    request: AccessRequest,
    questions: readonly Question[],
  ): AccessVerdict {
    let policies: readonly string[] = [];
    for (const question of questions) {
      const matter = this.#matterOf(request, question);
      if (matter === undefined) return REFUSED;
      const verdict = verdicts.of(request, matter);
      policies = together(policies, verdict.policies);
      if (isPassed(verdict, matter)) continue;
      const scopes = verdict.isByDefault ? verdicts.scopesFor(request, matter) : undefined;
      const refusal = scopes === undefined ? FORBIDDEN : { ...FORBIDDEN, scopes };
      return { refusal, policies };
    }
    return { refusal: undefined, policies };
  }

  /** A task may be followed, changed and ended by whom its tool is allowed now. */
  #matterOf(request: AccessRequest, question: Question): Matter | undefined {
    const { server } = request;
    const { target } = question;
    if (target.kind === 'task') {
      const tool = this.#tasks.toolOf(request, target.name);
      return tool === undefined ? undefined : this.#matterOfTool(request, tool, undefined);
    }
    if (target.kind === 'tool') {
      return this.#matterOfTool(request, target.name, { given: question.arguments });
    }
    return matterOf(server, question, target);
  }

  #matterOfTool(request: AccessRequest, name: string, given: Matter['arguments']): Matter {
    const { server, tools } = request;
    const facts =
      tools === undefined
        ? this.#tools.find(ownerOf(request), name, server)
        : (tools.get(name) ?? UNKNOWN_TOOL);
    const thing: Thing = { server, target: { kind: 'tool', name }, facts };
    return { action: 'call', thing, arguments: given };
  }

  /** All of them must be allowed; of what nobody could be allowed there are none. */
  #mattersOfEntry(request: AccessRequest, { kind, name, value }: ListEntry): readonly Matter[] {
    const { server } = request;
    if (kind === 'tool') {
      this.#tools.learn(ownerOf(request), name, recordOf(value));
      return [this.#matterOfTool(request, name, undefined)];
    }
    if (kind === 'task') {
      const matter = this.#matterOf(request, { action: 'call', target: { kind, name } });
      return matter === undefined ? [] : [matter];
    }
    if (kind === 'prompt') return [matterOf(server, { action: 'get' }, { kind, name })];
    const forms = kind === 'template' ? templateForms(name) : uriForms(name);
    const read = (more: Partial<Question>) => (each: string) =>
      matterOf(server, { action: 'read', ...more }, { kind: 'resource', name: each });
    return [...forms.map(read({})), ...decodedForms(name).map(read({ passesByDefault: true }))];
  }
}

/** Of what says nothing of itself and has no arguments that policies look at. */
function matterOf(
  server: string,
  { action, passesByDefault }: Pick<Question, 'action' | 'passesByDefault'>,
  target: Thing['target'],
): Matter {
  const thing = { server, target, facts: undefined };
  return { action, thing, arguments: { given: {} }, passesByDefault };
}

/**
 * Without a credential we ask for what we need to know ourselves: what a server is, and which
 * arguments of its tools belong into headers. Nobody is shown the answer.
 */
function isOurs(message: Message): boolean {
  return message.method === 'tools/list' || questionsOf(message)?.length === 0;
}

/** Nobody says anything of prompts and resources. */
function isToldTwice({ tools }: AccessRequest, questions: readonly Question[]): boolean {
  return tools !== undefined && questions.some(({ target }) => target.kind === 'tool');
}

/** Each once. Most requests ask one question, and its policies are taken as they are. */
function together(some: readonly string[], more: readonly string[]): readonly string[] {
  return some.length === 0 ? more : [...new Set([...some, ...more])];
}

function isPassed({ isAllowed, isByDefault }: Verdict, { passesByDefault }: Matter): boolean {
  return isAllowed || (passesByDefault === true && isByDefault);
}

function ownerOf({ server, principal }: AccessRequest): string {
  return `${server}/${principal.tenant}`;
}

function byName(tools: readonly unknown[]): Map<string, Readonly<Record<string, unknown>>> {
  const found = new Map<string, Readonly<Record<string, unknown>>>();
  for (const tool of tools) {
    const record = recordOf(tool);
    if (typeof record['name'] === 'string') found.set(record['name'], record);
  }
  return found;
}
