/** Targets that read bytes of connections: each character of an input is one byte. */
import { expect } from 'vitest';
import { certificateName } from '../../src/adapters/http/certificate-name.ts';
import { RevocationLists } from '../../src/adapters/http/revocation-lists.ts';
import { ReplyReader } from '../../src/adapters/outbound/reply-reader.ts';

interface Seen {
  status: number | undefined;
  body: string;
  /** `whole`, `more` while it is not, or what is wrong. */
  end: string;
  announced: number;
}

/** A reply is the same however it is cut, and what is not whole when it ends was never whole. */
export function reply(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const whole = seenOf([bytes]);
  const half = bytes.length >> 1;
  const single = Array.from(bytes, (_, i) => bytes.subarray(i, i + 1));
  for (const pieces of [[bytes.subarray(0, half), bytes.subarray(half)], single]) {
    const cut = seenOf(pieces);
    expect(cut.end).toBe(whole.end);
    if (whole.end === 'whole') expect(cut).toEqual(whole);
  }
  if (whole.end === 'whole') expect(text).toContain('\r\n\r\n');
  return `${whole.end} ${whole.status} ${Math.min(whole.body.length, 3)} ${whole.announced > 0}`;
}

function seenOf(pieces: readonly Buffer[]): Seen {
  const seen: Seen = { status: undefined, body: '', end: 'more', announced: 0 };
  const reader = new ReplyReader();
  reader.begin({
    onInformational: () => (seen.announced += 1),
    onHead: ({ status }) => (seen.status = status),
    onBytes: (data) => (seen.body += Buffer.from(data).toString('latin1')),
    onWhole: () => (seen.end = 'whole'),
  });
  for (const piece of pieces) {
    if (seen.end !== 'more') break;
    const fault = reader.push(piece);
    if (fault !== undefined) seen.end = fault;
  }
  return seen;
}

/** What a client shows, and what an operator's authority publishes: read or refused, never more. */
export function certificates(text: string): string {
  const bytes = Buffer.from(text, 'latin1');
  const name = readOr('no certificate', () => {
    const { issuer, serial } = certificateName(bytes);
    expect(serial).toMatch(/^[0-9a-f]*$/);
    return `certificate ${issuer.length > 2}`;
  });
  const list = readOr('no list', () => {
    const block = `-----BEGIN X509 CRL-----\n${bytes.toString('base64')}\n-----END X509 CRL-----`;
    const { size, untilMs } = new RevocationLists(block);
    expect(Number.isNaN(untilMs)).toBe(false);
    return `list ${Math.min(size, 2)}`;
  });
  return `${name}, ${list}`;
}

function readOr(otherwise: string, read: () => string): string {
  try {
    return read();
  } catch (error) {
    if (!(error instanceof RangeError)) throw error;
    return otherwise;
  }
}
