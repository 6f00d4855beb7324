/** Verdicts of one version of the policies; each is asked for once and remembered. */
import type { Context } from '@cedar-policy/cedar-wasm/nodejs';
import type { AccessRequest } from '../../core/access.ts';
import type { Telemetry } from '../../core/ports.ts';
import { SharedCache } from '../../core/shared-cache.ts';
import { chosenArguments, pathsOf } from './chosen-arguments.ts';
import type { ChosenArguments } from './policy-rules.ts';
import { contextOf, policyQuestion, type Thing, userEntity } from './policy-question.ts';
import type { PolicyAnswer, PolicyQuestion, PolicySet } from './policy-set.ts';
import type { Action } from './question.ts';
import { UNKNOWN_TOOL } from './tool-book.ts';
import { VerdictKeys } from './verdict-key.ts';

export interface Verdict {
  readonly isAllowed: boolean;
  readonly policies: readonly string[];
  /** What the credential lacks, if more scopes would do; looked for once it is asked. */
  scopes?: readonly string[] | undefined;
  readonly isByDefault: boolean;
}

export interface Matter {
  readonly action: Action;
  readonly thing: Thing;
  /** Undefined: they are not known, and whether any would do is asked. */
  readonly arguments: { readonly given: unknown } | undefined;
  /** Nothing has to permit it, and nothing may forbid it. */
  readonly passesByDefault?: boolean | undefined;
}

/** Of all tenants: one whose arguments never repeat pushes out its own verdicts, and no other's. */
const VERDICTS_MAX = 20_000;
/** A longer key is not worth its room: few calls are alike that say so much. */
const KEY_CHARS_MAX = 2048;
/** Time moves on in steps, so that verdicts last as long. */
const TIME_STEP_MS = 1000;
/** How many ways to more scopes are tried for one refusal. */
const STEPS_MAX = 16;

const REFUSED: Verdict = { isAllowed: false, policies: [], isByDefault: false };

export class Verdicts {
  /** Whether what tools say of themselves matters: asked for each request, found out once. */
  readonly looksAtTools: boolean;
  readonly #policies: PolicySet;
  readonly #chosen: ChosenArguments;
  readonly #telemetry: Telemetry;
  readonly #wallMs: () => number;
  readonly #wants: { readonly address: boolean; readonly time: boolean };
  readonly #scopes: readonly (readonly string[])[];
  readonly #keys = new VerdictKeys();
  readonly #known = new SharedCache<Verdict>(VERDICTS_MAX);
  readonly #told = new Set<string>();

  /** @param wallMs - milliseconds since 1970. */
  constructor(
    policies: PolicySet,
    chosen: ChosenArguments,
    telemetry: Telemetry,
    wallMs: () => number,
  ) {
    this.#policies = policies;
    this.#chosen = chosen;
    this.#telemetry = telemetry;
    this.#wallMs = wallMs;
    this.#wants = { address: policies.names('address'), time: policies.names('time') };
    this.looksAtTools = Object.keys(UNKNOWN_TOOL).some((fact) => policies.names(fact));
    this.#scopes = policies.scopesNamed.slice(0, STEPS_MAX);
  }

  of(request: AccessRequest, matter: Matter): Verdict {
    const { action, thing } = matter;
    const paths = this.#paths(thing);
    const isOpen = matter.arguments === undefined && paths.length > 0;
    const isPlain = !this.#wantsMore && (isOpen || paths.length === 0);
    const context = isPlain ? undefined : this.#contextOf(request, matter, paths);
    if (!isPlain && context === undefined) return this.#refused('argument');
    const key = this.#keys.keyOf(request, action, thing, context, isOpen);
    if (key === undefined) return this.#refused('claim');
    const { tenant } = request.principal;
    const known = this.#known.get(tenant, key);
    if (known !== undefined) return known;
    const full = context ?? this.#contextOf(request, matter, paths) ?? {};
    const user = userEntity(request.principal, request.grant);
    if (user === undefined) return this.#refused('claim');
    const question = policyQuestion(user, action, thing, full);
    const verdict = isOpen ? this.#openVerdict(question) : this.#verdict(question);
    if (key.length <= KEY_CHARS_MAX) this.#known.set(tenant, key, verdict);
    return verdict;
  }

  /**
   * Every scope one of the policies asks for that would then permit it; undefined for none. All of
   * them at once are tried first: who asks for things that are not there would have one way after
   * the other tried, each time anew.
   */
  scopesFor(request: AccessRequest, matter: Matter): readonly string[] | undefined {
    if (this.#scopes.length === 0) return undefined;
    const best = this.#withScopes(request, matter, this.#scopes.flat());
    if (!best.isAllowed && best.isByDefault) return undefined;
    return this.#scopes.find((each) => this.#withScopes(request, matter, each).isAllowed);
  }

  #withScopes(request: AccessRequest, matter: Matter, more: readonly string[]): Verdict {
    const { grant } = request;
    const scopes = [...new Set([...grant.scopes, ...more])];
    return this.of({ ...request, grant: { ...grant, scopes } }, matter);
  }

  close(): void {
    this.#policies.close();
    this.#known.clear();
  }

  get #wantsMore(): boolean {
    return this.#wants.address || this.#wants.time;
  }

  /** Undefined when an argument holds what policies cannot be shown: then nobody may decide. */
  #contextOf(
    request: AccessRequest,
    { arguments: args }: Matter,
    paths: readonly string[],
  ): Context | undefined {
    const given = args === undefined ? {} : chosenArguments(paths, args.given);
    if (given === undefined) return undefined;
    const { address, time } = this.#wants;
    const step = Math.floor(this.#wallMs() / TIME_STEP_MS) * TIME_STEP_MS;
    return contextOf(request, given, { address, nowMs: time ? step : undefined });
  }

  #paths({ server, target }: Thing): readonly string[] {
    return target.kind === 'tool' ? pathsOf(this.#chosen, server, target.name) : [];
  }

  #verdict(question: PolicyQuestion): Verdict {
    const answer = this.#policies.decide(question);
    this.#tell(answer.failures);
    const { decision, policies } = answer;
    return { isAllowed: decision === 'allow', policies, isByDefault: decision === 'default' };
  }

  #openVerdict(question: PolicyQuestion): Verdict {
    const isAllowed = this.#policies.couldAllow(question, ['arguments']);
    return { isAllowed, policies: [], isByDefault: false };
  }

  /** Nobody can decide about what policies cannot be shown; it is said once, and without it. */
  #refused(what: 'argument' | 'claim'): Verdict {
    const why = 'it holds what policies cannot be shown';
    this.#tell([{ policy: what, why }]);
    return REFUSED;
  }

  /** Each policy once. */
  #tell(failures: PolicyAnswer['failures']): void {
    for (const { policy, why } of failures) {
      if (this.#told.has(policy)) continue;
      this.#told.add(policy);
      this.#telemetry.log('error', 'policy_failed', { policy, why });
    }
  }
}
