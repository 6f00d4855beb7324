/**
 * What is wrong with the options of an endpoint, where the program that gives them is written in a
 * language that checks nothing. Said when it is made: later it would be a door that stands open, an
 * instance that strangers share, or a process that ends with the first request.
 */

/** A choice that is misspelt would be taken for one of the others, and not the safest. */
const CHOICES: Readonly<Record<string, readonly string[]>> = {
  isolation: ['session', 'principal', 'tenant', 'shared'],
  endpointForm: ['relative', 'root', 'absolute'],
  priming: ['auto', 'off'],
  heartbeat: ['comment', 'off'],
  eras: ['all', 'legacy', 'modern'],
  tasks: ['off', 'bridge'],
};

/** What the parts of an endpoint must be able to do. */
const PARTS: Readonly<Record<string, readonly string[]>> = {
  upstream: ['connect', 'close'],
  identity: ['verify'],
  access: ['decide', 'filter'],
  audit: ['fault', 'record'],
  gate: ['arrive', 'enter', 'open', 'spend', 'take', 'full', 'hasPlace', 'giveBack'],
  telemetry: ['log', 'count', 'request', 'streamClosed'],
};

const TYPES: Readonly<Record<string, string>> = {
  name: 'string',
  limits: 'object',
  publicUrl: 'string',
  prefix: 'string',
  serves: 'function',
  passesOrigin: 'boolean',
  tellsFaults: 'boolean',
};

const LISTS: readonly string[] = ['allowedHosts', 'allowedOrigins'];

const UPSTREAM = 'Give an upstream: what stdio(…), inProcess(…) or remote(…) returns.';

/** The first fault in one sentence; undefined for none. */
export function endpointOptionsFault(options: unknown): string | undefined {
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  if (partFault('upstream', given['upstream']) !== undefined) return UPSTREAM;
  for (const [name, value] of Object.entries(given)) {
    const fault = value === undefined ? undefined : faultOf(name, value);
    if (fault !== undefined) return fault;
  }
  return given['identity'] === undefined ? misnamed(given) : undefined;
}

/**
 * Whoever says who may call by another name would leave the door open. Where it is closed, what is
 * nobody's option is nobody's: objects that hold more than options are spread into them.
 */
function misnamed(given: Readonly<Record<string, unknown>>): string | undefined {
  const known = [CHOICES, PARTS, TYPES].flatMap((each) => Object.keys(each)).concat(LISTS);
  const name = Object.keys(given).find((each) => !known.includes(each));
  if (name === undefined) return undefined;
  return `An endpoint has no option named ${name}; without identity anybody may call it.`;
}

function faultOf(name: string, value: unknown): string | undefined {
  if (Object.hasOwn(CHOICES, name)) {
    const choices = CHOICES[name] ?? [];
    const isOne = typeof value === 'string' && choices.includes(value);
    return isOne ? undefined : `${name} must be one of ${choices.join(', ')}.`;
  }
  if (Object.hasOwn(PARTS, name)) return partFault(name, value);
  if (LISTS.includes(name)) {
    const isList = Array.isArray(value) && value.every((each) => typeof each === 'string');
    return isList ? undefined : `${name} must be a list of texts.`;
  }
  if (!Object.hasOwn(TYPES, name) || (typeof value === TYPES[name] && value !== null)) {
    return undefined;
  }
  return `${name} must be of type ${TYPES[name]}.`;
}

function partFault(name: string, value: unknown): string | undefined {
  const part = (value ?? {}) as Readonly<Record<string, unknown>>;
  const missing = (PARTS[name] ?? []).find((method) => typeof part[method] !== 'function');
  if (missing === undefined) return undefined;
  const hint = value instanceof Promise ? ': await what makes it' : '';
  return `${name} must have the method ${missing}${hint}.`;
}
