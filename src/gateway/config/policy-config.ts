/** Who may do what: from the checked section to policies that can be decided by. */
import { basename } from 'node:path';
import type { AllowRule, PolicyRules, PolicySource } from '../../adapters/policy/policy-rules.ts';
import { type PolicyFault, readPolicies } from '../../adapters/policy/read-policies.ts';
import { printable } from '../../adapters/telemetry/printable.ts';
import { isRecord } from './config-section.ts';
import type { FileAccess } from './file-access.ts';
import { nearest } from './nearest.ts';
import { POLICY, type RuleShape } from './policy-schema.ts';
import { type ProblemList, quoted } from './problem-list.ts';

const MESSAGE_CHARS_MAX = 300;

/** @param servers - names of those there are. */
export function policyConfig(
  value: unknown,
  servers: readonly string[],
  files: FileAccess,
  problems: ProblemList,
): PolicyRules | undefined {
  if (value === undefined) return undefined;
  const path = ['policy'];
  const found = POLICY.read(value, path, problems);
  const sources = listOf(found.file).flatMap((file) => sourceOf(file, files, problems) ?? []);
  const rules = {
    sources,
    allow: (found.allow ?? []).map(ruleOf),
    arguments: found.arguments ?? {},
  };
  if (!isRecord(value) || !['file', 'allow'].some((key) => Object.hasOwn(value, key))) {
    problems.value(path, 'Give file, allow or both. What nothing permits is refused.');
  }
  (found.allow ?? []).forEach((rule, index) => {
    for (const name of listOf(rule.servers)) {
      if (!name.includes('*')) checkServer(name, ['policy', 'allow', index, 'servers']);
    }
  });
  for (const name of Object.keys(rules.arguments)) checkServer(name, ['policy', 'arguments', name]);
  const outcome = readPolicies(rules);
  const faults = outcome.kind === 'faulty' ? outcome.faults : [];
  for (const fault of faults) problems.also([...path, 'file'], sentence(fault));
  return rules;

  function checkServer(name: string, at: readonly (string | number)[]): void {
    if (servers.includes(name)) return;
    const near = nearest(name.slice(0, 100), servers);
    const meant = near === undefined ? '' : ` Did you mean ${quoted(near)}?`;
    problems.value(at, `There is no server of this name.${meant}`);
  }
}

function sourceOf(
  file: string,
  files: FileAccess,
  problems: ProblemList,
): PolicySource | undefined {
  const found = files.read(files.resolve(file));
  if (found.kind === 'text') return { name: basename(file), text: found.text };
  problems.value(['policy', 'file'], `The file ${found.fault}.`);
  return undefined;
}

/** What a policy file says may be told: it holds names, and no secrets of the environment. */
function sentence({ source, line, column, message }: PolicyFault): string {
  const where = source === undefined ? 'A rule' : `${printable(source)}:${line}:${column}`;
  return `${where}: ${printable(message, MESSAGE_CHARS_MAX)}`;
}

function ruleOf({ claims, readOnly, ...names }: RuleShape): AllowRule {
  const lists = Object.entries(names).filter(([, value]) => value !== undefined);
  return {
    ...Object.fromEntries(lists.map(([key, value]) => [key, listOf(value)])),
    ...(claims === undefined ? {} : { claims }),
    ...(readOnly === undefined ? {} : { readOnly }),
  };
}

function listOf(value: string | readonly string[] | undefined): readonly string[] {
  if (value === undefined) return [];
  return typeof value === 'string' ? [value] : value;
}
