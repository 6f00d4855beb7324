/**
 * Policies that are decided by, as one version. Whatever goes wrong denies: a `permit` that cannot
 * be evaluated permits nothing, a `forbid` that cannot be evaluated forbids.
 */
import { engineFault } from './engine-fault.ts';
import type {
  AuthorizationAnswer,
  CedarValueJson,
  Context,
  EntityJson,
  PolicyJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import { loadCedar } from './load-cedar.ts';
import type { ReadPolicy } from './read-policies.ts';

export interface PolicyQuestion {
  readonly principal: TypeAndId;
  readonly action: TypeAndId;
  readonly resource: TypeAndId;
  readonly context: Context;
  readonly entities: EntityJson[];
}

export interface PolicyAnswer {
  readonly decision:
    | 'allow'
    /** No policy permits it. */
    | 'default'
    /** A policy forbids it, or cannot be evaluated. */
    | 'forbid';
  /** Names of the policies that decided. */
  readonly policies: readonly string[];
  /** Names of those that could not be evaluated, with why. */
  readonly failures: readonly { readonly policy: string; readonly why: string }[];
}

/** Ids of policy sets in the engine, which keeps them for ever: those given back are used again. */
const spare: string[] = [];
let made = 0;

const ENGINE = 'engine';

export class PolicySet {
  readonly #policies: ReadonlyMap<string, ReadPolicy>;
  readonly #texts: Readonly<Record<string, string>>;
  readonly #id: string;
  /** Which attributes any of them names. */
  readonly #words: string;
  #isOver = false;

  constructor(policies: readonly ReadPolicy[]) {
    this.#policies = new Map(policies.map((policy) => [policy.name, policy]));
    this.#texts = Object.fromEntries(policies.map(({ name, text }) => [name, text]));
    this.#words = JSON.stringify(policies.map(({ json }) => json));
    made += 1;
    this.#id = spare.pop() ?? `tidegate-${made}`;
    loadCedar().preparsePolicySet(this.#id, { staticPolicies: this.#texts });
  }

  /** Whether any of them may depend on an attribute of this name. */
  names(attribute: string): boolean {
    return this.#words.includes(JSON.stringify(attribute));
  }

  decide(question: PolicyQuestion): PolicyAnswer {
    if (this.#isOver) return failed('the policies were replaced');
    try {
      const preparsedPolicySetId = this.#id;
      return this.#answer(loadCedar().statefulIsAuthorized({ ...question, preparsedPolicySetId }));
    } catch (error) {
      return failed(engineFault(error instanceof Error ? error.message : ''));
    }
  }

  /**
   * Whether it could be allowed, whatever some part of the context turns out to be. It is slow.
   * @param open - keys of the context that are not known yet.
   */
  couldAllow(question: PolicyQuestion, open: readonly string[]): boolean {
    const unknown = open.map((key): [string, CedarValueJson] => [
      key,
      { __extn: { fn: 'unknown', arg: key } },
    ]);
    const context = { ...question.context, ...Object.fromEntries(unknown) };
    try {
      const policies = { staticPolicies: this.#texts };
      const answer = loadCedar().isAuthorizedPartial({ ...question, context, policies });
      if (answer.type === 'failure') return false;
      const { decision, errored } = answer.response;
      return decision !== 'deny' && !errored.some((name) => this.#forbids(name));
    } catch {
      return false;
    }
  }

  /** Of each `permit` that names scopes, those it names; in the order of the policies. */
  get scopesNamed(): readonly (readonly string[])[] {
    const found: (readonly string[])[] = [];
    for (const { effect, json } of this.#policies.values()) {
      const scopes = effect === 'permit' ? scopesIn(json) : [];
      if (scopes.length > 0) found.push(scopes);
    }
    return found;
  }

  /** Gives its place in the engine back. It decides nothing any more. */
  close(): void {
    if (this.#isOver) return;
    this.#isOver = true;
    loadCedar().preparsePolicySet(this.#id, { staticPolicies: {} });
    spare.push(this.#id);
  }

  #answer(answer: AuthorizationAnswer): PolicyAnswer {
    if (answer.type === 'failure') return failed(engineFault(answer.errors[0]?.message ?? ''));
    const { decision, diagnostics } = answer.response;
    const failures = diagnostics.errors.map(({ policyId, error }) => ({
      policy: policyId,
      why: engineFault(error.message),
    }));
    const broken = failures.map(({ policy }) => policy).filter((name) => this.#forbids(name));
    if (broken.length > 0) return { decision: 'forbid', policies: broken, failures };
    const policies = diagnostics.reason.toSorted();
    if (decision === 'allow') return { decision, policies, failures };
    return { decision: policies.length > 0 ? 'forbid' : 'default', policies, failures };
  }

  #forbids(name: string): boolean {
    return this.#policies.get(name)?.effect !== 'permit';
  }
}

function failed(why: string): PolicyAnswer {
  return { decision: 'forbid', policies: [ENGINE], failures: [{ policy: ENGINE, why }] };
}

/** The texts that `principal.scopes` is compared with. */
function scopesIn(json: PolicyJson): readonly string[] {
  const found = new Set<string>();
  const visit = (node: unknown): void => {
    if (typeof node !== 'object' || node === null) return;
    for (const [key, inner] of Object.entries(node)) {
      if (key.startsWith('contains')) collect(inner as Comparison, found);
      visit(inner);
    }
  };
  visit(json.conditions);
  return [...found];
}

interface Comparison {
  readonly left?: { readonly '.'?: { readonly attr?: unknown; readonly left?: object } };
  readonly right?: unknown;
}

function collect({ left, right }: Comparison, found: Set<string>): void {
  const { attr, left: owner } = left?.['.'] ?? {};
  if (attr !== 'scopes' || JSON.stringify(owner) !== '{"Var":"principal"}') return;
  for (const [, text] of JSON.stringify(right).matchAll(/"Value":("(?:[^"\\]|\\.)*")/g)) {
    found.add(JSON.parse(text ?? '""') as string);
  }
}
