/** Cases that a policy is held against: from the text of a file to what is asked and expected. */
import { z } from 'zod';
import { type ConfigSection, isRecord, type Passed, section } from './config-section.ts';
import type { Problem } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { readDocument } from './read-document.ts';
import { flag, text, word } from './text-leaves.ts';

const ERAS = ['2024', '2025', '2026'] as const;
const ACTIONS = ['list', 'call', 'get', 'read', 'subscribe', 'complete'] as const;

const names = z
  .union([word, z.array(word)], { error: 'Give a name or a list of names.' })
  .optional();

const principal = z.strictObject({
  tenant: text.optional(),
  issuer: text.optional(),
  subject: text.optional(),
  clientId: text.optional(),
  groups: names,
  scopes: names,
  claims: z.record(word, z.unknown()).optional(),
});

const resource = z.strictObject({
  server: word,
  tool: word.optional(),
  prompt: word.optional(),
  uri: word.optional(),
  readOnly: flag().optional(),
  destructive: flag().optional(),
  idempotent: flag().optional(),
  openWorld: flag().optional(),
});

const policyCase = z.strictObject({
  name: text.optional(),
  principal: principal.optional(),
  action: z.enum(ACTIONS),
  resource,
  arguments: z.record(z.string(), z.unknown()).optional(),
  era: z.enum(ERAS).optional(),
  address: word.optional(),
  time: z.iso.datetime({ error: 'Give a time such as 2026-01-31T12:00:00Z.' }).optional(),
  expect: z.enum(['allow', 'deny']),
});

type Names = string | readonly string[];

interface PolicyCaseShape {
  readonly name?: string | undefined;
  readonly principal?:
    | {
        readonly tenant?: string | undefined;
        readonly issuer?: string | undefined;
        readonly subject?: string | undefined;
        readonly clientId?: string | undefined;
        readonly groups?: Names | undefined;
        readonly scopes?: Names | undefined;
        readonly claims?: Readonly<Record<string, unknown>> | undefined;
      }
    | undefined;
  readonly action: (typeof ACTIONS)[number];
  readonly resource: {
    readonly server: string;
    readonly tool?: string | undefined;
    readonly prompt?: string | undefined;
    readonly uri?: string | undefined;
    readonly readOnly?: boolean | undefined;
    readonly destructive?: boolean | undefined;
    readonly idempotent?: boolean | undefined;
    readonly openWorld?: boolean | undefined;
  };
  readonly arguments?: Readonly<Record<string, unknown>> | undefined;
  readonly era?: (typeof ERAS)[number] | undefined;
  readonly address?: string | undefined;
  readonly time?: string | undefined;
  readonly expect: 'allow' | 'deny';
}

/** One case, as its file says it. */
export interface PolicyCase extends PolicyCaseShape {
  /** Of its file. */
  readonly line: number;
}

export interface PolicyCases {
  /** A config, or Cedar text; relative to the file of the cases. */
  readonly config: string | undefined;
  readonly cases: readonly PolicyCase[];
}

export type PolicyCasesOutcome =
  | ({ readonly kind: 'cases' } & PolicyCases)
  | { readonly kind: 'faulty'; readonly problems: readonly Problem[] };

const CASE: ConfigSection<PolicyCaseShape> = section(policyCase);
const FILE: ConfigSection<{ config?: string | undefined; cases: unknown[] }> = section(
  z.strictObject({
    config: word.optional(),
    cases: z.array(z.unknown()).min(1, { error: 'Write at least one case.' }),
  }),
);

export function readPolicyCases(content: string): PolicyCasesOutcome {
  const { value, problems, places } = readDocument(content, 'Write at least one case under cases.');
  if (!isRecord(value)) {
    if (problems.isEmpty) problems.value([], 'Give keys with values; cases is needed.');
    return { kind: 'faulty', problems: problems.toArray() };
  }
  const { config, cases = [] } = FILE.read(value, [], problems);
  const read = cases.map((each, index) => {
    const path = ['cases', index];
    const found = CASE.read(each, path, problems);
    tellTarget(found, path, problems);
    return { ...found, line: places.position(places.valueOf(path)).line } as PolicyCase;
  });
  if (!problems.isEmpty) return { kind: 'faulty', problems: problems.toArray() };
  return { kind: 'cases', config, cases: read };
}

/** An action is on one kind of thing. */
function tellTarget(
  { action, resource: target }: Passed<PolicyCase>,
  path: readonly (string | number)[],
  problems: ProblemList,
): void {
  if (action === undefined || target === undefined) return;
  const wanted = WANTED[action];
  const given = (['tool', 'prompt', 'uri'] as const).filter((key) => target[key] !== undefined);
  const isFine = given.length === (wanted.length > 0 ? 1 : 0);
  if (isFine && given.every((key) => wanted.includes(key))) return;
  const needs =
    wanted.length === 0 ? 'nothing but a server' : `a server and ${wanted.join(' or ')}`;
  problems.value([...path, 'resource'], `The action ${action} is on ${needs}.`);
}

const WANTED: Readonly<Record<PolicyCase['action'], readonly string[]>> = {
  list: [],
  call: ['tool'],
  get: ['prompt'],
  read: ['uri'],
  subscribe: ['uri'],
  complete: ['prompt', 'uri'],
};
