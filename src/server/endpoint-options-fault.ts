/**
 * What is wrong with the options of an endpoint, where the program that gives them is written in a
 * language that checks nothing. Said when it is made: later it would be a door that stands open, an
 * instance that strangers share, or a process that ends with the first request.
 */
import {
  flag,
  having,
  oneOf,
  type OptionKind,
  type OptionKinds,
  plain,
  telemetry,
  text,
  texts,
  webUrl,
  work,
} from '../core/option-kinds.ts';

const prefix: OptionKind = (name, value) =>
  typeof value === 'string' && /^(?:\/[^?#]*[^/?#])?$/.test(value)
    ? undefined
    : `${name} must be empty, or a path such as /name.`;

const GATE = ['arrive', 'enter', 'open', 'spend', 'take', 'full', 'hasPlace', 'giveBack'];

/** What a program may plug in; a gateway is given the same. */
export const PORT_KINDS: OptionKinds = {
  identity: having('verify'),
  access: having('decide', 'filter'),
  audit: having('fault', 'record'),
  gate: having(...GATE),
  telemetry,
};

/** A choice that is misspelt would be taken for one of the others, and not the safest. */
export const CHOICE_KINDS: OptionKinds = {
  isolation: oneOf('session', 'principal', 'tenant', 'shared'),
  endpointForm: oneOf('relative', 'root', 'absolute'),
  priming: oneOf('auto', 'off'),
  heartbeat: oneOf('comment', 'off'),
  eras: oneOf('all', 'legacy', 'modern'),
  tasks: oneOf('off', 'bridge'),
};

const KINDS: OptionKinds = {
  ...PORT_KINDS,
  ...CHOICE_KINDS,
  upstream: having('connect', 'close'),
  name: text,
  limits: plain,
  publicUrl: webUrl('https://mcp.example.com'),
  prefix,
  allowedHosts: texts,
  allowedOrigins: texts,
  serves: work,
  passesOrigin: flag,
  tellsFaults: flag,
};

const UPSTREAM = 'Give an upstream: what stdio(…), inProcess(…) or remote(…) returns.';

/** The first fault in one sentence; undefined for none. */
export function endpointOptionsFault(options: unknown): string | undefined {
  const given = (options ?? {}) as Readonly<Record<string, unknown>>;
  if (KINDS['upstream']?.('upstream', given['upstream']) !== undefined) return UPSTREAM;
  for (const [name, value] of Object.entries(given)) {
    const kind = Object.hasOwn(KINDS, name) ? KINDS[name] : undefined;
    const fault = value === undefined ? undefined : kind?.(name, value);
    if (fault !== undefined) return fault;
  }
  return given['identity'] === undefined ? misnamed(given) : undefined;
}

/**
 * Whoever says who may call by another name would leave the door open. Where it is closed, what is
 * nobody's option is nobody's: objects that hold more than options are spread into them.
 */
function misnamed(given: Readonly<Record<string, unknown>>): string | undefined {
  const name = Object.keys(given).find((each) => !Object.hasOwn(KINDS, each));
  if (name === undefined) return undefined;
  return `An endpoint has no option named ${name}; without identity anybody may call it.`;
}
