/** One section of a config, read by its schema: what is wrong, and what is right all the same. */
import { z } from 'zod';
import { nearest } from './nearest.ts';
import type { ConfigPath } from './problem.ts';
import { type ProblemList, quoted } from './problem-list.ts';

/** What of a section passed; keys that are wrong or missing are not in it. */
export type Passed<T> = { readonly [Key in keyof T]?: T[Key] | undefined };

export interface ConfigSection<T> {
  readonly schema: z.ZodType<T>;
  /** Keys in the order of the documentation. */
  readonly keys: readonly string[];
  read(value: unknown, path: ConfigPath, problems: ProblemList): Passed<T>;
}

export function section<T>(schema: z.ZodType<T> & z.ZodObject): ConfigSection<T> {
  const partial = schema.partial();
  return {
    schema,
    keys: Object.keys(schema.shape),
    read(value, path, problems) {
      const whole = schema.safeParse(value);
      if (whole.success) return whole.data;
      for (const issue of whole.error.issues) tell(issue, { schema, value, path, problems });
      const rest = partial.safeParse(without(value, whole.error.issues));
      return rest.success ? (rest.data as Passed<T>) : {};
    },
  };
}

/** The section without its keys that are wrong, so that the others can be compared. */
function without(value: unknown, issues: readonly z.core.$ZodIssue[]): unknown {
  if (!isRecord(value)) return {};
  const wrong = new Set(
    issues.flatMap((issue) =>
      issue.code === 'unrecognized_keys' && issue.path.length === 0 ? issue.keys : issue.path[0],
    ),
  );
  return Object.fromEntries(Object.entries(value).filter(([key]) => !wrong.has(key)));
}

interface Read {
  readonly schema: z.ZodObject;
  readonly value: unknown;
  readonly path: ConfigPath;
  readonly problems: ProblemList;
}

function tell(issue: z.core.$ZodIssue, { schema, value, path, problems }: Read): void {
  const inner = issue.path.map((key) => (typeof key === 'number' ? key : String(key)));
  const here = [...path, ...inner];
  if (issue.code === 'unrecognized_keys') {
    const known = keysAt(schema, inner);
    for (const key of issue.keys) problems.key([...here, key], unknownKey(key, known));
  } else if (issue.code === 'invalid_key') {
    problems.key(here, issue.issues[0]?.message ?? 'This key is not allowed here.');
  } else {
    problems.value(here, sentence(issue, valueAt(value, inner)));
  }
}

/** One sentence about a value, which is not repeated. */
function sentence(issue: z.core.$ZodIssue, value: unknown): string {
  if (value === undefined && issue.path.length > 0) return 'This key is missing.';
  if (issue.code === 'invalid_value') {
    const choices = issue.values.map(String);
    if (typeof value === 'number' && choices.includes(String(value))) return 'Put this in quotes.';
    const near = typeof value === 'string' ? nearest(value, choices) : undefined;
    return `Give ${either(choices)}.${near === undefined ? '' : ` Did you mean ${near}?`}`;
  }
  if (issue.code !== 'invalid_type') return issue.message;
  if (issue.expected === 'object' || issue.expected === 'record') return 'Give keys with values.';
  return issue.expected === 'array' ? 'Give a list.' : issue.message;
}

/** @param known - the keys there are. */
export function unknownKey(key: string, known: readonly string[]): string {
  const near = nearest(key.slice(0, 100), known);
  const meant =
    near === undefined
      ? known.length > 16
        ? 'See the reference.'
        : `The keys are ${known.join(', ')}.`
      : `Did you mean ${near}?`;
  return `There is no key ${quoted(key)}. ${meant}`;
}

export function isRecord(value: unknown): value is Readonly<Record<string, unknown>> {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}

/** `a`, `a or b`, `a, b or c`. */
export function either(words: readonly string[]): string {
  const last = words.at(-1) ?? '';
  return words.length < 2 ? last : `${words.slice(0, -1).join(', ')} or ${last}`;
}

function keysAt(schema: z.ZodType, path: ConfigPath): readonly string[] {
  const plain = schema instanceof z.ZodOptional ? schema.unwrap() : schema;
  const [key, ...rest] = path;
  if (plain instanceof z.ZodArray && typeof key === 'number') {
    return keysAt(plain.element as z.ZodType, rest);
  }
  if (plain instanceof z.ZodRecord && key !== undefined) {
    return keysAt(plain.valueType as z.ZodType, rest);
  }
  if (!(plain instanceof z.ZodObject)) return [];
  const shape: Readonly<Record<string, z.core.$ZodType>> = plain.shape;
  if (key === undefined) return Object.keys(shape);
  const inner = shape[key];
  return inner instanceof z.ZodType ? keysAt(inner, rest) : [];
}

function valueAt(value: unknown, path: ConfigPath): unknown {
  let found = value;
  for (const key of path) {
    if (Array.isArray(found) && typeof key === 'number') found = found[key] as unknown;
    else found = isRecord(found) && Object.hasOwn(found, key) ? found[key] : undefined;
  }
  return found;
}
