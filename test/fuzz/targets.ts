/**
 * What reads bytes of peers and files of operators, and what must hold of it for any input. Each
 * target says in a few words what it made of one: an input that is told of in new words is worth
 * keeping.
 */
import { isIP } from 'node:net';
import { expect } from 'vitest';
import { readChallenge } from '../../src/adapters/credentials/challenge.ts';
import { forwardedHops } from '../../src/adapters/http/forwarded-hops.ts';
import { readProxyHeader } from '../../src/adapters/http/proxy-header.ts';
import { DEFAULT_LIMITS } from '../../src/core/limits.ts';
import type { RequestHead } from '../../src/core/ports.ts';
import { classify } from '../../src/core/protocol/classify.ts';
import { decodeHeaderValue, encodeHeaderValue } from '../../src/core/protocol/header-value.ts';
import { scanJson } from '../../src/core/protocol/json-scan.ts';
import { checkParamHeaders, paramHeadersOf } from '../../src/core/protocol/param-headers.ts';
import type { Span } from '../../src/core/protocol/message.ts';
import { clientBounds, readMessage } from '../../src/core/protocol/read-message.ts';
import { SseParser, type SseEvent } from '../../src/core/protocol/sse-parser.ts';
import { checkStandardHeaders } from '../../src/core/protocol/standard-headers.ts';
import { formatCursor, parseCursor, splitSessionCursor } from '../../src/core/sessions/cursor.ts';
import { readConfig } from '../../src/gateway/config/read-config.ts';
import { certificates, reply } from './wire-targets.ts';

export interface Target {
  readonly name: string;
  /** Throws when something does not hold; says in a few words what the input was taken for. */
  readonly run: (text: string) => string;
}

const BOUNDS = clientBounds({ ...DEFAULT_LIMITS, jsonDepthMax: 8, jsonKeysMax: 40 });
const SECRET = 'qvx9-canary-zw7k';
const SALT = 0x1234_5678;
const SERVED = { legacy: true, modern: true, supported: ['2026-07-28', '2025-11-25'] };

export const TARGETS: readonly Target[] = [
  { name: 'pre-scan', run: preScan },
  { name: 'message', run: message },
  { name: 'classifier', run: classifier },
  { name: 'sse', run: sse },
  { name: 'cursor', run: cursor },
  { name: 'header-value', run: headerValue },
  { name: 'mirrored-headers', run: mirroredHeaders },
  { name: 'config', run: config },
  { name: 'challenge', run: challenge },
  { name: 'forwarded', run: forwarded },
  { name: 'proxy-header', run: proxyHeader },
  { name: 'reply', run: reply },
  { name: 'certificates', run: certificates },
];

function preScan(text: string): string {
  const outcome = scanJson(text, BOUNDS);
  const isJson = parsed(text) !== undefined;
  // The scan may let through what is no JSON; it must not refuse as malformed what is.
  if (outcome.kind === 'malformed') expect(isJson).toBe(false);
  if (!isJson || outcome.kind === 'refused') return `${outcome.kind} ${isJson}`;
  const value = parsed(text)?.value;
  const isContainer = typeof value === 'object' && value !== null;
  expect(outcome.kind).toBe(isContainer ? (Array.isArray(value) ? 'array' : 'object') : 'scalar');
  return `${outcome.kind} ${text.length > 40}`;
}

function message(text: string): string {
  const read = readMessage(text, BOUNDS);
  if (read.kind === 'refused') return `refused ${read.refusal.error} ${read.refusal.detail}`;
  const entries = read.kind === 'batch' ? read.entries : [read.message];
  for (const entry of entries) {
    if (!('kind' in entry)) continue;
    // What goes on is what was read: nothing is authorised that is not sent.
    if (entry.payload !== undefined) expect(JSON.parse(entry.payload)).toEqual(entry.value);
    const spans: readonly (Span | undefined)[] = Object.values(entry.spans);
    for (const span of spans) {
      if (span !== undefined) JSON.parse((entry.payload ?? '').slice(span.start, span.end));
    }
  }
  const [first] = entries;
  if (first === undefined || !('kind' in first)) return `${read.kind} of none`;
  const spans = Object.entries(first.spans).filter(([, span]) => span !== undefined);
  return `${read.kind} ${first.kind} ${spans.map(([name]) => name).join()} ${first.isError}`;
}

/** The first line is the version header, the rest the body. */
function classifier(text: string): string {
  const [version = '', ...rest] = text.split('\n');
  const read = readMessage(rest.join('\n'), BOUNDS);
  const headers = { 'mcp-protocol-version': version, 'mcp-method': 'tools/call', 'mcp-name': 'a' };
  const classified = classify(read, headOf(headers), SERVED);
  const again = classify(read, headOf(headers), SERVED);
  expect(again).toEqual(classified);
  if (classified.kind === 'refused') return `refused ${classified.refusal.error}`;
  // What is of no revision with envelopes must have been readable as one of the others.
  if (read.kind === 'refused') throw new Error('What could not be read was classified.');
  return classified.kind === 'legacy' ? `legacy ${classified.isBatch}` : classified.kind;
}

function sse(text: string): string {
  const whole = eventsOf([text]);
  const half = text.length >> 1;
  expect(eventsOf([text.slice(0, half), text.slice(half)])).toEqual(whole);
  expect(eventsOf(text.split(''))).toEqual(whole);
  const names = new Set(whole.events.map(({ event }) => event === 'message'));
  const ids = new Set(whole.events.map(({ id }) => typeof id));
  return [
    Math.min(whole.events.length, 3),
    [...names].join(),
    [...ids].join(),
    whole.retries.length > 0,
    whole.comments > 0,
    whole.overflows > 0,
  ].join(' ');
}

function eventsOf(chunks: readonly string[]): {
  readonly events: readonly SseEvent[];
  readonly retries: readonly number[];
  readonly comments: number;
  readonly overflows: number;
  readonly last: string;
} {
  const events: SseEvent[] = [];
  const retries: number[] = [];
  let comments = 0;
  let overflows = 0;
  const parser = new SseParser(
    {
      onEvent: (event) => void events.push(event),
      onRetry: (ms) => void retries.push(ms),
      onComment: () => void (comments += 1),
      onOverflow: () => void (overflows += 1),
    },
    { lineCharsMax: 60, eventCharsMax: 90 },
  );
  for (const chunk of chunks) parser.push(chunk);
  for (const { data, id } of events) {
    expect(data.length).toBeLessThanOrEqual(90);
    expect(id ?? '').not.toMatch(/[\r\n\0]/);
  }
  return { events, retries, comments, overflows, last: parser.lastEventId };
}

function cursor(text: string): string {
  const read = parseCursor(text, SALT);
  if (read !== undefined) expect(formatCursor(read, SALT)).toBe(text);
  const split = splitSessionCursor(text);
  if (split !== undefined) expect(`${split.session}.${split.cursor}`).toBe(text);
  return `${read === undefined} ${split === undefined}`;
}

function headerValue(text: string): string {
  const decoded = decodeHeaderValue(text);
  const encoded = encodeHeaderValue(text);
  expect(encoded).toMatch(/^[\t\u0020-\u007e]*$/);
  expect(decodeHeaderValue(encoded)).toBe(text.toWellFormed());
  if (decoded !== undefined) expect(decodeHeaderValue(encodeHeaderValue(decoded))).toBe(decoded);
  return `${decoded === undefined} ${decoded === text.trim()} ${encoded === text}`;
}

/** The first line is a header, the rest the arguments. */
function mirroredHeaders(text: string): string {
  const [header = '', ...rest] = text.split('\n');
  const args = parsed(rest.join('\n'))?.value ?? {};
  const properties = {
    a: { type: 'string', 'x-mcp-header': 'A' },
    b: { type: 'integer', 'x-mcp-header': 'B' },
    c: { type: 'boolean', 'x-mcp-header': 'C' },
  };
  const found = paramHeadersOf({ type: 'object', properties });
  if (found.kind !== 'headers') throw new Error(found.reason);
  const told = ['a', 'b', 'c'].map((name) => {
    const head = headOf({ [`mcp-param-${name}`]: header });
    return checkParamHeaders(found.headers, args, head)?.error ?? 'fits';
  });
  const read = readMessage(
    JSON.stringify({
      jsonrpc: '2.0',
      id: 1,
      method: 'tools/call',
      params: { name: rest.join('\n') },
    }),
    BOUNDS,
  );
  if (read.kind !== 'message') return told.join();
  const head = headOf({
    'mcp-protocol-version': '2026-07-28',
    'mcp-method': 'tools/call',
    'mcp-name': header,
  });
  const fault = checkStandardHeaders(read.message, '2026-07-28', head);
  const isEqual = decodeHeaderValue(header) === rest.join('\n');
  if (fault === undefined) expect(isEqual).toBe(true);
  return `${told.join()} ${fault?.error}`;
}

function config(text: string): string {
  const outcome = readConfig(text, {
    path: '/etc/tidegate/tidegate.yaml',
    env: { SECRET, TIDEGATE_TOKEN: 'a-token-of-this-test-0123456789' },
    readFile: () => ({ kind: 'unreadable', fault: 'does not exist' }),
  });
  if (outcome.kind === 'config') return `config ${Object.keys(outcome.config).join()}`;
  expect(outcome.problems.length).toBeGreaterThan(0);
  expect(JSON.stringify(outcome.problems)).not.toContain(SECRET);
  for (const { line, column } of outcome.problems) {
    expect(line).toBeGreaterThan(0);
    expect(line).toBeLessThanOrEqual(text.split(/\r\n|\r|\n/).length + 1);
    expect(column).toBeGreaterThan(0);
  }
  return (
    outcome.problems.map((each) => each.message.replaceAll(/[^A-Za-z ]+/g, '').slice(0, 20))[0] ??
    ''
  );
}

function challenge(text: string): string {
  const { metadataUrl, scope } = readChallenge(text);
  if (metadataUrl !== undefined) expect(URL.canParse(metadataUrl)).toBe(true);
  return `${metadataUrl === undefined} ${scope === undefined}`;
}

function forwarded(text: string): string {
  const told = (['forwarded', 'x-forwarded-for'] as const).map((header) => {
    const hops = forwardedHops(text, header);
    if (hops === undefined) return 'none';
    for (const hop of hops) if (hop !== undefined) expect(isIP(hop)).not.toBe(0);
    return Math.min(hops.length, 3);
  });
  return told.join();
}

/** Characters are bytes. */
function proxyHeader(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const read = readProxyHeader(bytes);
  if (read.kind !== 'header') return read.kind;
  expect(read.bytes).toBeLessThanOrEqual(bytes.length);
  if (read.source !== undefined) expect(isIP(read.source)).not.toBe(0);
  // A header that arrives in parts is waited for, and read as the same.
  for (let i = 1; i < read.bytes; i += 1) {
    expect(readProxyHeader(bytes.subarray(0, i)).kind).toBe('partial');
  }
  expect(readProxyHeader(bytes.subarray(0, read.bytes))).toEqual(read);
  return `header ${read.source === undefined}`;
}

function parsed(text: string): { readonly value: unknown } | undefined {
  try {
    return { value: JSON.parse(text) };
  } catch {
    return undefined;
  }
}

function headOf(headers: Readonly<Record<string, string>>): RequestHead {
  return {
    method: 'POST',
    path: '/mcp',
    query: '',
    remoteAddress: '127.0.0.1',
    header: (name) => headers[name],
    headerCount: (name) => (name in headers ? 1 : 0),
    headerNames: () => Object.keys(headers),
  };
}
