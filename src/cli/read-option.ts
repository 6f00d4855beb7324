/**
 * Reads the values of single options. A wrong one throws commander's `InvalidArgumentError`, whose
 * sentence commander puts behind the option's name.
 */
import { InvalidArgumentError } from 'commander';
import { headerFault } from '../adapters/outbound/checked-headers.ts';
import { DEFAULT_LIMITS, type Limits } from '../core/limits.ts';
import { nearest } from './nearest.ts';

const PORT_MAX = 65_535;
/** The longest a timer can be armed for, and more bytes than a string can hold. */
const LIMIT_MAX = 2_147_483_647;
const DRAIN_SECONDS_MAX = 3600;

export function readPort(value: string): number {
  const port = Number(value);
  if (/^\d{1,5}$/.test(value) && port <= PORT_MAX) return port;
  throw new InvalidArgumentError(`Give a number from 0 to ${PORT_MAX}; 0 picks a free port.`);
}

/** A name or an address to listen on; brackets around IPv6 are taken off. */
export function readHost(value: string): string {
  const host = value.replace(/^\[(.*)\]$/, '$1');
  // An empty name would listen everywhere.
  if (/^[A-Za-z0-9._:%-]+$/.test(host)) return host;
  throw new InvalidArgumentError('Give a host name or an address, without a scheme or a path.');
}

/** An absolute http or https URL without a trailing slash. */
export function readPublicUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('Give an absolute URL, such as https://mcp.example.com.');
  }
  if (url.username !== '' || url.password !== '' || url.search !== '' || url.hash !== '') {
    throw new InvalidArgumentError('Leave out user, password, query and fragment.');
  }
  return url.href.replace(/\/+$/, '');
}

/** The absolute http or https URL of a server. */
export function readServerUrl(value: string): string {
  const url = URL.canParse(value) ? new URL(value) : undefined;
  if (url === undefined || !/^https?:$/.test(url.protocol)) {
    throw new InvalidArgumentError('Give an absolute URL, such as https://mcp.example.com/mcp.');
  }
  return value;
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
  const host = value.toLowerCase();
  if (/^[a-z0-9._-]+$/.test(host) || /^\[?[0-9a-f:]+\]?$/.test(host)) return [...before, host];
  throw new InvalidArgumentError('Give one host name or address, without scheme, port or path.');
}

export function readOrigin(value: string, before: readonly string[] = []): readonly string[] {
  const isWeb = /^https?:/i.test(value) && URL.canParse(value);
  const origin = isWeb ? new URL(value).origin : value.toLowerCase();
  const isOrigin = /^[a-z][a-z0-9+.-]*:\/\/[^\s/?#@,*]+$/.test(origin);
  if (isOrigin && (!isWeb || new URL(value).href === `${origin}/`)) return [...before, origin];
  throw new InvalidArgumentError('Give scheme://name or scheme://name:port, one origin an option.');
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
