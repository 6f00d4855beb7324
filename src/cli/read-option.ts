/**
 * Reads the values of single options. A wrong one throws commander's `InvalidArgumentError`, whose
 * sentence commander puts behind the option's name.
 */
import { InvalidArgumentError } from 'commander';
import { headerFault } from '../adapters/outbound/checked-headers.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { nearest } from '../gateway/config/nearest.ts';
import {
  allowedHostValue,
  listenHostValue,
  originValue,
  publicUrlValue,
  serverUrlValue,
  type WebValue,
} from '../gateway/config/web-values.ts';

const PORT_MAX = 65_535;
/** The longest a timer can be armed for, and more bytes than a string can hold. */
const LIMIT_MAX = 2_147_483_647;
const DRAIN_SECONDS_MAX = 3600;

export function readPort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Give a number from 0 to ${PORT_MAX}; 0 picks a free port.`);
}

export function readHost(value: string): string {
  return valueOf(listenHostValue(value));
}

export function readPublicUrl(value: string): string {
  return valueOf(publicUrlValue(value));
}

export function readServerUrl(value: string): string {
  return valueOf(serverUrlValue(value));
}

/** `Name: value`. The value may be a secret and is in no message. */
export function readHeader(
  line: string,
  before: Readonly<Record<string, string>> = {},
): Readonly<Record<string, string>> {
  const colon = line.indexOf(':');
  const name = line.slice(0, colon).trim();
  const value = line.slice(colon + 1).trim();
  if (colon < 1 || name === '') {
    throw new InvalidArgumentError('Give a header as "Name: value", one an option.');
  }
  const fault = headerFault(name, value);
  if (fault !== undefined) throw new InvalidArgumentError(fault);
  return { ...before, [name]: value };
}

export function readAllowedHost(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, valueOf(allowedHostValue(value))];
}

export function readOrigin(value: string, before: readonly string[] = []): readonly string[] {
  return [...before, valueOf(originValue(value))];
}

function valueOf(read: WebValue): string {
  if (read.kind === 'value') return read.value;
  throw new InvalidArgumentError(read.sentence);
}

/** Seconds on the command line, milliseconds inside. */
export function readDrain(value: string): number {
  const seconds = Number(value);
  if (/^\d+(\.\d+)?$/.test(value) && seconds <= DRAIN_SECONDS_MAX)
    return Math.round(seconds * 1000);
  throw new InvalidArgumentError(`Give seconds from 0 to ${DRAIN_SECONDS_MAX}.`);
}

/** `KEY=VALUE`, or `KEY` alone for the value it has here. */
export function readVariable(
  value: string,
  before: Readonly<Record<string, string>> | undefined,
  env: Readonly<Record<string, string | undefined>>,
): Readonly<Record<string, string>> {
  const [, name, set] = /^([^=\s]+)(?:=([\s\S]*))?$/.exec(value) ?? [];
  if (name === undefined) throw new InvalidArgumentError('Give NAME or NAME=VALUE.');
  const found = set ?? env[name];
  if (found === undefined) {
    throw new InvalidArgumentError(`${name} is not set here; set it, or give ${name}=VALUE.`);
  }
  return { ...before, [name]: found };
}

export function readLimit(value: string, before: Partial<Limits> = {}): Partial<Limits> {
  const names = Object.keys(DEFAULT_LIMITS);
  const [, name = '', number] = /^([^=]*)(?:=(.*))?$/.exec(value) ?? [];
  if (!names.includes(name)) {
    const near = nearest(name, names);
    const meant = near === undefined ? `The names are ${names.join(', ')}` : `Did you mean ${near}`;
    throw new InvalidArgumentError(near === undefined ? `${meant}.` : `${meant}?`);
  }
  const limit = Number(number);
  if (number !== undefined && /^\d{1,10}$/.test(number) && limit >= 1 && limit <= LIMIT_MAX) {
    return { ...before, [name]: limit };
  }
  throw new InvalidArgumentError(`Give ${name}=NUMBER, a whole number from 1 to ${LIMIT_MAX}.`);
}
