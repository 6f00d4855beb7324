/** `tidegate policy test <file>`: runs cases against a policy. */
import { basename, dirname, resolve } from 'node:path';
import type { PolicyRules } from '../adapters/policy/policy-rules.ts';
import { printable } from '../adapters/telemetry/printable.ts';
import { loadConfig, readTextFile } from '../gateway/config/load-config.ts';
import { type PolicyCase, readPolicyCases } from '../gateway/config/policy-cases.ts';
import { argumentsOf, type PolicyFinding, tryPolicy } from '../gateway/policy-trial.ts';
import type { PolicyOptions } from './policy-line.ts';
import { problemLine } from './problem-line.ts';
import type { Environment } from './serve-options.ts';

export interface PolicyOutcome {
  readonly exitCode: 0 | 1;
  /** For standard output. */
  readonly output: string;
  /** For standard error. */
  readonly text: string;
}

type Loaded =
  | { readonly kind: 'rules'; readonly rules: PolicyRules }
  | { readonly kind: 'wrong'; readonly text: string };

export function policyCommand(options: PolicyOptions, env: Environment): PolicyOutcome {
  const { file, isJson } = options;
  const read = readTextFile(file);
  if (read.kind === 'unreadable') return wrong(`tidegate: the file ${file} ${read.fault}.\n`);
  const found = readPolicyCases(read.text);
  if (found.kind === 'faulty') {
    return wrong(found.problems.map((each) => problemLine(file, each)).join(''));
  }
  const named = found.config === undefined ? undefined : resolve(dirname(file), found.config);
  const loaded = rulesOf(options.config ?? named, env, found.cases);
  if (loaded.kind === 'wrong') return wrong(loaded.text);
  const findings = trial(loaded.rules, found.cases);
  if (typeof findings === 'string') return wrong(`tidegate: ${findings}\n`);
  const failing = found.cases.flatMap((each, index) => {
    const finding = findings[index];
    return finding === undefined || finding.verdict === each.expect ? [] : [{ each, finding }];
  });
  const exitCode = failing.length === 0 ? 0 : 1;
  const told = failing.map(({ each, finding }) => ({
    line: each.line,
    name: each.name,
    expected: each.expect,
    ...finding,
  }));
  if (isJson) {
    const outcome = { isFine: exitCode === 0, cases: findings.length, failing: told };
    return { exitCode, output: `${JSON.stringify(outcome)}\n`, text: '' };
  }
  const lines = failing.map(({ each, finding }) => failureLine(file, each, finding));
  const sum = `${findings.length} cases, ${failing.length} otherwise than expected.\n`;
  return { exitCode, output: '', text: lines.join('') + sum };
}

function rulesOf(path: string | undefined, env: Environment, cases: readonly PolicyCase[]): Loaded {
  if (path === undefined) {
    return { kind: 'wrong', text: 'tidegate: name the config in the cases or with --config.\n' };
  }
  if (path.endsWith('.cedar')) {
    const read = readTextFile(path);
    if (read.kind === 'unreadable') {
      return { kind: 'wrong', text: `tidegate: the file ${path} ${read.fault}.\n` };
    }
    const sources = [{ name: basename(path), text: read.text }];
    return { kind: 'rules', rules: { sources, allow: [], arguments: argumentsOf(cases) } };
  }
  const loaded = loadConfig(path, env);
  if (loaded.kind === 'faulty') {
    return { kind: 'wrong', text: loaded.problems.map((each) => problemLine(path, each)).join('') };
  }
  const { policy } = loaded.config;
  if (policy !== undefined) return { kind: 'rules', rules: policy };
  return { kind: 'wrong', text: `tidegate: ${path} has no policy.\n` };
}

function trial(
  rules: PolicyRules,
  cases: readonly PolicyCase[],
): readonly PolicyFinding[] | string {
  try {
    return tryPolicy(rules, cases);
  } catch (error) {
    return error instanceof Error ? error.message : String(error);
  }
}

function failureLine(
  file: string,
  { name, line, expect: expected, action, resource }: PolicyCase,
  { verdict, policies, scopes }: PolicyFinding,
): string {
  const target = resource.tool ?? resource.prompt ?? resource.uri ?? '';
  const what = printable(name ?? `${action} ${resource.server} ${target}`.trimEnd());
  const by =
    policies.length === 0 ? 'no policy' : policies.map((each) => printable(each)).join(', ');
  const more = scopes === undefined ? '' : ` (with the scopes ${scopes.join(' ')} it would pass)`;
  const found = `expected ${expected}, is ${verdict} by ${by}${more}`;
  return `${printable(file)}:${line}  ${what}: ${found}\n`;
}

function wrong(text: string): PolicyOutcome {
  return { exitCode: 1, output: '', text };
}
