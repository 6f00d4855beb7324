/**
 * One line of the record: what happened, in JSON, chained to the line before by its hash, so that a
 * line that was changed, taken out or put in is found. Values of requests are never in it: params
 * are a size and a digest, and so are resource URIs, which may hold secrets.
 */
import { hash } from 'node:crypto';
import type { AuditEntry } from '../../core/access.ts';

/** Where a chain stands. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

export const CHAIN_START: ChainHead = { sequence: 0, hash: '' };

/** What the trail says of itself rather than of a request. */
export interface TrailNote {
  /** `started` and `stopped` with the process; `dropped` when the queue was full. */
  readonly event: 'started' | 'stopped' | 'dropped' | 'recovered';
  readonly count?: number | undefined;
}

export interface WrittenLine {
  /** Without a line break. */
  readonly text: string;
  readonly head: ChainHead;
}

/** Characters of a name that a client chose and that is kept. */
const TARGET_CHARS_MAX = 128;

/** @param time - wall-clock milliseconds. */
export function auditLine(
  entry: AuditEntry | TrailNote,
  before: ChainHead,
  time: number,
): WrittenLine {
  const sequence = before.sequence + 1;
  const facts = {
    sequence,
    time: new Date(time).toISOString(),
    ...('server' in entry ? factsOf(entry) : entry),
    previous: before.hash,
  };
  const body = JSON.stringify(facts).slice(0, -1);
  const digest = hash('sha256', body, 'base64url');
  return { text: `${body},"hash":"${digest}"}`, head: { sequence, hash: digest } };
}

export type LineFault = 'malformed' | 'changed' | 'out of place';

/** What a line proves: where the chain stands after it, or what is wrong with it. */
export function checkAuditLine(text: string, before: ChainHead | undefined): ChainHead | LineFault {
  const match = /^(\{"sequence":(\d+),.*"previous":"([\w-]*)"),"hash":"([\w-]{43})"\}$/.exec(text);
  if (match === null) return 'malformed';
  const [, body = '', sequence, previous, digest = ''] = match;
  if (hash('sha256', body, 'base64url') !== digest) return 'changed';
  const head = { sequence: Number(sequence), hash: digest };
  if (before === undefined) return head;
  const isNext = before.hash === previous && before.sequence + 1 === head.sequence;
  return isNext ? head : 'out of place';
}

function factsOf(entry: AuditEntry): object {
  const { principal, params, target, ...rest } = entry;
  return {
    ...rest,
    ...(principal === undefined ? {} : { principal: { ...principal, key: undefined } }),
    ...(target === undefined ? {} : targetFacts(target, entry.method)),
    ...(params === undefined
      ? {}
      : { paramsChars: params.length, paramsDigest: hash('sha256', params, 'base64url') }),
  };
}

/** A tool or a prompt goes by its name; a URI may hold anything, so only its scheme is kept. */
function targetFacts(target: string, method: string | undefined): object {
  if (method?.startsWith('resources/') !== true) {
    return { target: target.slice(0, TARGET_CHARS_MAX) };
  }
  const scheme = /^[a-z][a-z0-9+.-]{0,31}:/i.exec(target)?.[0] ?? '';
  return { target: `${scheme}…`, targetDigest: hash('sha256', target, 'base64url') };
}
