/** The short form of permissions in Cedar's own words. */
import type { AllowRule } from './policy-rules.ts';

/** One `permit` for a rule. */
export function cedarOfAllow(rule: AllowRule): string {
  const conditions = [...ofPrincipal(rule), ...ofResource(rule)];
  const when = conditions.length === 0 ? '' : ` when {\n  ${conditions.join(' &&\n  ')}\n}`;
  return `permit (principal, action, resource)${when};`;
}

function ofPrincipal({ tenants, subjects, groups, scopes, claims }: AllowRule): string[] {
  const found: string[] = [];
  if (tenants !== undefined) found.push(`${set(tenants)}.contains(principal.tenant)`);
  if (subjects !== undefined) found.push(`${set(subjects)}.contains(principal.subject)`);
  if (groups !== undefined) found.push(`principal.groups.containsAny(${set(groups)})`);
  if (scopes !== undefined) found.push(`principal.scopes.containsAll(${set(scopes)})`);
  for (const [name, value] of Object.entries(claims ?? {})) {
    const claim = `principal.claims[${quoted(name)}]`;
    found.push(`principal.claims has ${quoted(name)} && ${claim} == ${quoted(value)}`);
  }
  return found;
}

function ofResource({ servers, tools, prompts, resources, readOnly }: AllowRule): string[] {
  const found: string[] = [];
  if (servers !== undefined) found.push(anyOf('resource.server', servers));
  const kinds: string[] = [];
  if (tools !== undefined) kinds.push(`(resource is Tool && ${anyOf('resource.name', tools)})`);
  if (prompts !== undefined) {
    kinds.push(`(resource is Prompt && ${anyOf('resource.name', prompts)})`);
  }
  if (resources !== undefined) {
    kinds.push(`(resource is Resource && ${anyOf('resource.uri', resources)})`);
  }
  if (kinds.length > 0) found.push(`(${kinds.join(' || ')})`);
  if (readOnly === true) found.push('(!(resource is Tool) || resource.readOnly)');
  return found;
}

function anyOf(value: string, patterns: readonly string[]): string {
  if (patterns.length === 0) return 'false';
  return `(${patterns.map((each) => `${value} like ${quoted(each)}`).join(' || ')})`;
}

function set(values: readonly string[]): string {
  return `[${values.map(quoted).join(', ')}]`;
}

/** A string of Cedar; in a pattern, `*` keeps its meaning. */
function quoted(text: string): string {
  const safe = text.replace(/["\\\p{Cc}\p{Cs}]/gu, (each) =>
    each === '"' || each === '\\' ? `\\${each}` : `\\u{${(each.codePointAt(0) ?? 0).toString(16)}}`,
  );
  return `"${safe}"`;
}
