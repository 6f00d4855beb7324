/** Cedar text becomes policies by name, or everything that is wrong with it. */
import type { DetailedError, PolicyJson } from '@cedar-policy/cedar-wasm/nodejs';
import { cedarOfAllow } from './allow-rules.ts';
import { loadCedar } from './load-cedar.ts';
import type { PolicyRules, PolicySource } from './policy-rules.ts';

/** One thing that is wrong with policies, and where. */
export interface PolicyFault {
  /** Of the source; undefined for a rule of the short form. */
  readonly source: string | undefined;
  /** From 1. */
  readonly line: number;
  readonly column: number;
  readonly message: string;
}

/** A policy as it is decided by. */
export interface ReadPolicy {
  /** Its `@id`, or its source and line; unique. */
  readonly name: string;
  readonly text: string;
  readonly effect: 'permit' | 'forbid';
  /** As Cedar reads it. */
  readonly json: PolicyJson;
}

export type ReadPoliciesOutcome =
  | { readonly kind: 'policies'; readonly policies: readonly ReadPolicy[] }
  | { readonly kind: 'faulty'; readonly faults: readonly PolicyFault[] };

export function readPolicies({ sources, allow }: PolicyRules): ReadPoliciesOutcome {
  const faults: PolicyFault[] = [];
  const policies: ReadPolicy[] = [];
  const names = new Set<string>();
  const add = (text: string, fallback: string): void => {
    const answer = loadCedar().policyToJson(text);
    if (answer.type === 'failure') {
      const message = answer.errors[0]?.message ?? 'The policy cannot be read.';
      faults.push({ source: undefined, line: 1, column: 1, message });
      return;
    }
    const { json } = answer;
    const name = unique(json.annotations?.['id'] ?? fallback, names);
    policies.push({ name, text, effect: json.effect, json });
  };
  allow.forEach((rule, index) => add(cedarOfAllow(rule), `allow[${index}]`));
  for (const source of sources) {
    const parts = partsOf(source, faults);
    for (const { text, line } of parts) add(text, `${source.name}:${line}`);
  }
  return faults.length > 0 ? { kind: 'faulty', faults } : { kind: 'policies', policies };
}

function partsOf(
  source: PolicySource,
  faults: PolicyFault[],
): readonly { readonly text: string; readonly line: number }[] {
  const cedar = loadCedar();
  const checked = cedar.checkParsePolicySet({ staticPolicies: source.text });
  if (checked.type === 'failure') {
    faults.push(...checked.errors.map((error) => faultOf(source, error)));
    return [];
  }
  const answer = cedar.policySetTextToParts(source.text);
  if (answer.type === 'failure') {
    faults.push(...answer.errors.map((error) => faultOf(source, error)));
    return [];
  }
  const [template] = answer.policy_templates;
  if (template !== undefined) {
    const at = source.text.indexOf(template);
    const message = 'Templates have no use here: write the policy with its values.';
    faults.push({ source: source.name, ...positionOf(source.text, at), message });
    return [];
  }
  return inOrder(source.text, answer.policies);
}

/** The engine hands policies out by the spelling of their numbers: 0, 1, 10, 2. */
function inOrder(
  text: string,
  parts: readonly string[],
): readonly { readonly text: string; readonly line: number }[] {
  const ranks = parts.map((_, index) => index).sort((a, b) => (`${a}` < `${b}` ? -1 : 1));
  const ordered: string[] = [];
  ranks.forEach((rank, index) => (ordered[rank] = parts[index] ?? ''));
  let from = 0;
  return ordered.map((each) => {
    const at = Math.max(text.indexOf(each, from), from);
    from = at + each.length;
    return { text: each, line: positionOf(text, at).line };
  });
}

function faultOf({ name, text }: PolicySource, error: DetailedError): PolicyFault {
  const bytes = error.sourceLocations?.[0]?.start ?? 0;
  const at = Buffer.from(text).subarray(0, bytes).toString().length;
  const said = error.message.replace(/^failed to parse policies from string: /, '');
  const help = error.help === null ? '' : ` (${error.help})`;
  return { source: name, ...positionOf(text, at), message: `${said}${help}.` };
}

function positionOf(text: string, at: number): { readonly line: number; readonly column: number } {
  const before = text.slice(0, Math.max(0, at));
  const start = before.lastIndexOf('\n') + 1;
  return { line: before.split('\n').length, column: before.length - start + 1 };
}

function unique(name: string, names: Set<string>): string {
  let found = name;
  for (let number = 2; names.has(found); number += 1) found = `${name} (${number})`;
  names.add(found);
  return found;
}
