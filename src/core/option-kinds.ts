/**
 * What options must be, where the program that gives them is written in a language that checks
 * nothing. Said when they are given: what is taken in silence does its harm later, far from there.
 */

/** What is wrong with the value of a name, in one sentence; undefined for nothing. */
export type OptionKind = (name: string, value: unknown) => string | undefined;

export type OptionKinds = Readonly<Record<string, OptionKind>>;

export const text: OptionKind = typed('string');
export const flag: OptionKind = typed('boolean');
export const work: OptionKind = typed('function');

export const word: OptionKind = (name, value) =>
  typeof value === 'string' && value !== ''
    ? undefined
    : `${name} must be a text that is not empty.`;

export const texts: OptionKind = (name, value) =>
  Array.isArray(value) && value.every((each) => typeof each === 'string')
    ? undefined
    : `${name} must be a list of texts.`;

/** @param example - what such a URL looks like. */
export function webUrl(example: string): OptionKind {
  return (name, value) =>
    typeof value === 'string' && /^https?:\/\//i.test(value) && URL.canParse(value)
      ? undefined
      : `${name} must be a URL such as ${example}.`;
}

export function oneOf(...choices: readonly string[]): OptionKind {
  return (name, value) =>
    typeof value === 'string' && choices.includes(value)
      ? undefined
      : `${name} must be one of ${choices.join(', ')}.`;
}

export function wholeNumber(least: number, most: number = Number.MAX_SAFE_INTEGER): OptionKind {
  const range = most === Number.MAX_SAFE_INTEGER ? `from ${least}` : `from ${least} to ${most}`;
  return (name, value) =>
    Number.isInteger(value) && Number(value) >= least && Number(value) <= most
      ? undefined
      : `${name} must be a whole number ${range}.`;
}

/** As long as a timer can be armed for. */
export const milliseconds: OptionKind = wholeNumber(0, 2_147_483_647);

/** Something that can do what it is there for. */
export function having(...methods: readonly string[]): OptionKind {
  return (name, value) => {
    const part = (value ?? {}) as Readonly<Record<string, unknown>>;
    const missing = methods.find((method) => typeof part[method] !== 'function');
    if (missing === undefined) return undefined;
    const { then } = part;
    const hint = typeof then === 'function' ? ': await what makes it' : '';
    return `${name} must have the method ${missing}${hint}.`;
  };
}

export const telemetry: OptionKind = having('log', 'count', 'request', 'streamClosed');

/** @param what - in words: what the first of several kinds says of itself is not all of it. */
export function either(what: string, ...kinds: readonly OptionKind[]): OptionKind {
  return (name, value) =>
    kinds.some((kind) => kind(name, value) === undefined) ? undefined : `${name} must be ${what}.`;
}

export const no: OptionKind = (name, value) =>
  value === false ? undefined : `${name} must be false.`;

/** Of what looks at its members itself. */
export const plain: OptionKind = (name, value) =>
  isPlain(value) ? undefined : `${name} must be a plain object.`;

export function listOf(kind: OptionKind): OptionKind {
  return (name, value) =>
    Array.isArray(value)
      ? firstFault(value, (each, at) => kind(`${name}[${at}]`, each))
      : `${name} must be a list.`;
}

/** An object of values of one kind, by names that are anybody's choice. */
export function byName(kind: OptionKind): OptionKind {
  return (name, value) =>
    isPlain(value)
      ? firstFault(Object.entries(value), ([key, each]) => kind(`${name}.${key}`, each))
      : `${name} must be a plain object.`;
}

/**
 * An object of these members alone, each of its kind or undefined.
 * @param needed - those that may not be absent.
 */
export function shape(kinds: OptionKinds, ...needed: readonly string[]): OptionKind {
  const known = Object.keys(kinds);
  return (name, value) => {
    if (!isPlain(value)) return `${name} must be a plain object.`;
    const stray = Object.keys(value).find((each) => !known.includes(each));
    if (stray !== undefined) {
      return `${name} has no member named ${stray}; there are ${known.join(', ')}.`;
    }
    return membersFault(value, kinds, needed, `${name}.`);
  };
}

/** What is of one of several kinds, and says of which by its `kind`. */
export function byKind(kinds: ReadonlyMap<unknown, OptionKind>): OptionKind {
  return (name, value) => {
    const kind = kinds.get((value as { readonly kind?: unknown } | null | undefined)?.kind);
    if (kind !== undefined) return kind(name, value);
    return `${name}.kind must be one of ${[...kinds.keys()].join(', ')}.`;
  };
}

/**
 * @param kinds - of what is looked at: objects that hold more than options are spread into them.
 * @param what - what the options are called where they are none.
 * @throws TypeError for the first that is none.
 */
export function checkOptions(
  given: unknown,
  kinds: OptionKinds,
  what: string = 'The options',
): void {
  const fault =
    typeof given === 'object' && given !== null && !Array.isArray(given)
      ? membersFault(given as Readonly<Record<string, unknown>>, kinds, [], '')
      : `${what} must be an object.`;
  if (fault !== undefined) throw new TypeError(fault);
}

/** @throws TypeError where it is of another kind. */
export function checkOption(name: string, value: unknown, kind: OptionKind): void {
  const fault = kind(name, value);
  if (fault !== undefined) throw new TypeError(fault);
}

function membersFault(
  given: Readonly<Record<string, unknown>>,
  kinds: OptionKinds,
  needed: readonly string[],
  place: string,
): string | undefined {
  return firstFault(Object.entries(kinds), ([name, kind]) => {
    const value = given[name];
    const isAbsent = value === undefined && !needed.includes(name);
    return isAbsent ? undefined : kind(place + name, value);
  });
}

function firstFault<Item>(
  items: readonly Item[],
  faultOf: (item: Item, at: number) => string | undefined,
): string | undefined {
  for (const [at, item] of items.entries()) {
    const fault = faultOf(item, at);
    if (fault !== undefined) return fault;
  }
  return undefined;
}

function typed(type: string): OptionKind {
  return (name, value) => (typeof value === type ? undefined : `${name} must be of type ${type}.`);
}

/** No list, and nothing such as a `Map`, whose members are not what it holds. */
function isPlain(value: unknown): value is Readonly<Record<string, unknown>> {
  if (typeof value !== 'object' || value === null) return false;
  const prototype: unknown = Object.getPrototypeOf(value);
  return prototype === null || Object.getPrototypeOf(prototype) === null;
}
