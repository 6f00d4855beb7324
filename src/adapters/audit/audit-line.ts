/**
 * One line of the record: what happened, in JSON, chained to the line before by its hash, so that a
 * line that was changed, taken out or put in is found. Values of requests are never in it: params
 * are a size and a digest, and so are resource URIs, which may hold secrets.
 */
import { hash } from 'node:crypto';
import type { AdministrativeAct, AuditEntry } from '../../core/access.ts';
import type { Principal } from '../../core/ports.ts';
import type { Digest } from './digest.ts';

/** Where a chain stands. */
export interface ChainHead {
  readonly sequence: number;
  readonly hash: string;
}

/** Bytes that no line of ours comes near. A longer one is none, and is not read to its end. */
export const LINE_BYTES_MAX = 262_144;

/** What every line begins with. */
export const LINE_BEGINNING = '{"sequence":';

export const CHAIN_START: ChainHead = { sequence: 0, hash: '' };

/** What the trail says of itself rather than of a request. */
export interface TrailNote {
  /** `started` and `stopped` with the process; `dropped` when a queue was full. */
  readonly event: 'started' | 'stopped' | 'dropped' | 'recovered';
  readonly count?: number | undefined;
}

/** What stands for requests of one account in a second that were refused at the door. */
export interface RefusalsNote {
  readonly event: 'refused';
  /** Absent, as what follows it: they differ in that. */
  readonly address?: string | undefined;
  readonly server?: string | undefined;
  readonly credentialId?: string | undefined;
  readonly principal?: Principal | undefined;
  readonly refusal?: string | undefined;
  readonly count: number;
}

/** What stands for further requests of strangers, that have no lines of their own. */
export interface StrangersNote {
  readonly event: 'unauthenticated';
  /** Absent: of several, and none of them is named. */
  readonly address?: string | undefined;
  readonly count: number;
}

export type RecordLine = AuditEntry | AdministrativeAct | TrailNote | StrangersNote | RefusalsNote;

/** Characters of a name that a client chose and that is kept. */
const TARGET_CHARS_MAX = 128;

/**
 * The part of a line that is hashed.
 * @param time - wall-clock milliseconds.
 * @param digest - of what is not kept.
 */
export function auditBody(
  entry: RecordLine,
  before: ChainHead,
  time: number,
  digest: Digest,
): string {
  const facts = isNote(entry) ? noteText(entry) : factsText(entry, digest);
  const sequence = before.sequence + 1;
  const when = timeText(time);
  return `${LINE_BEGINNING}${sequence},"time":"${when}",${facts},"previous":"${before.hash}"`;
}

/** What ends a line, behind its body. */
export function hashMember(digest: string): string {
  return `,"hash":"${digest}"}`;
}

export type LineFault = 'malformed' | 'changed' | 'out of place';

/** What a line proves: where the chain stands after it, or what is wrong with it. */
export function checkAuditLine(text: string, before: ChainHead | undefined): ChainHead | LineFault {
  const match = /^(\{"sequence":(\d+),.*"previous":"([\w-]*)"),"hash":"([\w-]{43})"\}$/s.exec(text);
  if (match === null) return 'malformed';
  const [, body = '', sequence, previous, digest = ''] = match;
  if (hash('sha256', body, 'base64url') !== digest) return 'changed';
  const head = { sequence: Number(sequence), hash: digest };
  if (before === undefined) return head;
  const isNext = before.hash === previous && before.sequence + 1 === head.sequence;
  return isNext ? head : 'out of place';
}

function isNote(entry: RecordLine): entry is Exclude<RecordLine, AuditEntry> {
  return 'count' in entry || !('server' in entry);
}

/** Members without braces. Who it was is told as of a call: without what we find him by. */
function noteText(note: Exclude<RecordLine, AuditEntry>): string {
  const isSomebody = 'principal' in note && note.principal !== undefined;
  const told = isSomebody ? { ...note, principal: { ...note.principal, key: undefined } } : note;
  return jsonText(told).slice(1, -1);
}

/** Members without braces. Written by hand: `JSON.stringify` of the same takes twice as long. */
function factsText(entry: AuditEntry, digest: Digest): string {
  const { params, target, policies, answerChars, durationMs } = entry;
  let text = `"event":"${entry.event}",${originText(entry)}${member('method', entry.method)}`;
  if (target !== undefined) text += `,${targetText(target, entry.method, digest)}`;
  if (policies !== undefined) text += `,"policies":${policiesText(policies)}`;
  text += member('refusal', entry.refusal) + member('why', entry.why);
  if (answerChars !== undefined) text += `,"answerChars":${answerChars}`;
  if (durationMs !== undefined) text += `,"durationMs":${durationMs}`;
  text += member('outcome', entry.outcome);
  if (params === undefined) return text;
  return `${text},"paramsChars":${params.length},"paramsDigest":"${digest(params)}"`;
}

const policiesTexts = new WeakMap<readonly string[], string>();

/** A verdict that is remembered has the same array each time. */
function policiesText(policies: readonly string[]): string {
  const known = policiesTexts.get(policies);
  if (known !== undefined) return known;
  const text = jsonText(policies);
  policiesTexts.set(policies, text);
  return text;
}

interface KnownOrigin {
  readonly address: string;
  readonly server: string;
  readonly credentialId: string | undefined;
  readonly era: string | undefined;
  readonly text: string;
}

const origins = new WeakMap<Principal, KnownOrigin>();

/** Who called what from where: the same for most calls of a principal, and written once. */
function originText({ principal, address, server, credentialId, era }: AuditEntry): string {
  const known = principal === undefined ? undefined : origins.get(principal);
  const isSame =
    known?.address === address &&
    known.server === server &&
    known.credentialId === credentialId &&
    known.era === era;
  if (isSame) return known.text;
  const place = `"address":${quoted(address)},"server":${quoted(server)}`;
  const how = member('credentialId', credentialId) + member('era', era);
  if (principal === undefined) return place + how;
  const who = `,"principal":${jsonText({ ...principal, key: undefined })}`;
  const text = place + how + who;
  origins.set(principal, { address, server, credentialId, era, text });
  return text;
}

function member(name: string, value: string | undefined): string {
  return value === undefined ? '' : `,"${name}":${quoted(value)}`;
}

/** Most texts need no escape, and asking costs less than escaping. */
function quoted(text: string): string {
  return PLAIN.test(text) ? `"${text}"` : jsonText(text);
}

const PLAIN = /^[\w .:/@+,=-]*$/;

/** JSON that moves no cursor and turns no text around when the record is shown on a terminal. */
function jsonText(value: unknown): string {
  return JSON.stringify(value).replace(UNSAFE, (character) => {
    return `\\u${character.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** What `JSON.stringify` leaves as it is: DEL and C1, line separators, controls of direction. */
const UNSAFE = /[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/gu;

let lastTime = { ms: 0, text: new Date(0).toISOString() };

/** Of calls that come in the same millisecond, the first asks the calendar. */
function timeText(ms: number): string {
  if (lastTime.ms !== ms) lastTime = { ms, text: new Date(ms).toISOString() };
  return lastTime.text;
}

/** A tool or a prompt goes by its name; a URI may hold anything, so only its scheme is kept. */
function targetText(target: string, method: string | undefined, digest: Digest): string {
  if (method?.startsWith('resources/') !== true) {
    return `"target":${quoted(target.slice(0, TARGET_CHARS_MAX))}`;
  }
  const scheme = /^[a-z][a-z0-9+.-]{0,31}:/i.exec(target)?.[0] ?? '';
  return `"target":"${scheme}…","targetDigest":"${digest(target)}"`;
}
