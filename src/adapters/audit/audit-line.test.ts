import { isVisit } from '../../core/access.ts';
import { hash } from 'node:crypto';
import { describe, expect, it } from 'vitest';
import type { AuditEntry } from '../../core/access.ts';
import { principalOf } from '../../core/principal.ts';
import {
  auditBody,
  CHAIN_START,
  type ChainHead,
  checkAuditLine,
  hashMember,
  type RecordLine,
} from './audit-line.ts';

const ANN = { tenant: 't', issuer: 'i', subject: 'ann', clientId: 'c' };
const ENTRY: AuditEntry = { event: 'call', address: '192.0.2.1', server: 'files' };
const BEFORE: ChainHead = { sequence: 41, hash: 'h' };

function digestOf(text: string): string {
  return hash('sha256', text, 'base64url');
}

function bodyOf(entry: RecordLine, before: ChainHead, time: number): string {
  return auditBody(entry, before, time, digestOf);
}

function lineOf(entry: RecordLine, before: ChainHead): string {
  const body = bodyOf(entry, before, 0);
  return body + hashMember(digestOf(body));
}

function told(entry: Partial<AuditEntry>): Record<string, unknown> {
  return JSON.parse(`${bodyOf({ ...ENTRY, ...entry }, BEFORE, 0)}}`) as Record<string, unknown>;
}

describe('a line of the record', () => {
  it('says when, what and by whom, behind which line, and nothing of what is not known', () => {
    expect(bodyOf(ENTRY, BEFORE, 1000)).toBe(
      '{"sequence":42,"time":"1970-01-01T00:00:01.000Z","event":"call",' +
        '"address":"192.0.2.1","server":"files","previous":"h"',
    );
    const params = '{"name":"read"}';
    const entry = {
      ...ENTRY,
      principal: principalOf(ANN),
      credentialId: 'key:1',
      era: '2025',
      method: 'tools/call',
      target: 'read',
      policies: ['p'],
      refusal: 'FORBIDDEN',
      why: 'none',
      params,
      answerChars: 0,
      durationMs: 0,
      outcome: 'ok',
    } as const;
    expect(bodyOf(entry, BEFORE, 0)).toBe(
      '{"sequence":42,"time":"1970-01-01T00:00:00.000Z","event":"call",' +
        '"address":"192.0.2.1","server":"files","credentialId":"key:1","era":"2025",' +
        `"principal":${JSON.stringify(ANN)},"method":"tools/call","target":"read",` +
        '"policies":["p"],"refusal":"FORBIDDEN","why":"none","answerChars":0,"durationMs":0,' +
        `"outcome":"ok","paramsChars":15,"paramsDigest":"${digestOf(params)}","previous":"h"`,
    );
  });

  it('says of the trail itself what it says', () => {
    expect(bodyOf({ event: 'dropped', count: 3 }, CHAIN_START, 0)).toBe(
      '{"sequence":1,"time":"1970-01-01T00:00:00.000Z","event":"dropped","count":3,"previous":""',
    );
  });

  it('says of one principal what is so each time', () => {
    const principal = principalOf(ANN);
    const first = { principal, address: '192.0.2.1', server: 'a', credentialId: 'k', era: '2025' };
    const others = [
      { address: '192.0.2.2' },
      { server: 'b' },
      { credentialId: 'l' },
      { era: '2026' },
    ];
    for (const other of others) {
      for (const entry of [first, { ...first, ...other }]) {
        expect(told(entry)).toMatchObject({ ...entry, principal: ANN });
      }
    }
    expect(told({ ...first, principal: undefined })).not.toHaveProperty('principal');
  });

  it('writes who called from where once, as long as it stays the same', () => {
    let reads = 0;
    const principal = {
      ...principalOf(ANN),
      get subject(): string {
        reads += 1;
        return 'ann';
      },
    };
    const lines = [1, 2, 3].map(() => told({ principal, credentialId: 'k', era: '2025' }));
    expect([new Set(lines.map((each) => JSON.stringify(each))).size, reads]).toEqual([1, 1]);
  });

  it.each(['quo"te', 'back\\slash', 'line\nbreak', '\u2028', '\u202e', '\u007f', '<ü>', ''])(
    'holds the name %j to the letter',
    (name) => {
      const text = bodyOf({ ...ENTRY, target: name, server: name, why: name }, BEFORE, 0);
      expect(JSON.parse(`${text}}`)).toMatchObject({ target: name, server: name, why: name });
      expect(text).not.toMatch(/[\p{Cc}\p{Zl}\p{Zp}\p{Bidi_Control}]/u);
    },
  );

  it('keeps so much of a name, and of a URI its scheme and a digest', () => {
    expect(told({ target: 'n'.repeat(129) })['target']).toBe('n'.repeat(128));
    const method = 'resources/read';
    for (const [target, kept] of [
      ['https://h/?t=CANARY', 'https:…'],
      ['UI+x.y-1:CANARY', 'UI+x.y-1:…'],
      ['no URI', '…'],
      ['1x:CANARY', '…'],
      [`${'s'.repeat(33)}:CANARY`, '…'],
    ] as const) {
      const line = told({ method, target });
      expect([line['target'], line['targetDigest']]).toEqual([kept, digestOf(target)]);
    }
    expect(told({ method: 'tools/call', target: 'a:b' })['target']).toBe('a:b');
  });

  it('tells of the time again when it is another', () => {
    const timeOf = (ms: number): string => bodyOf(ENTRY, BEFORE, ms).split('"')[5] ?? '';
    expect([5, 5, 6, 5].map(timeOf)).toEqual(
      ['005', '005', '006', '005'].map((ms) => `1970-01-01T00:00:00.${ms}Z`),
    );
  });
});

it.each([
  ['unauthenticated', true],
  ['refused', true],
  ['connected', false],
  ['disconnected', false],
  ['call', false],
  ['denied', false],
  ['administered', false],
  ['dropped', false],
])('%s tells of a visit and of nothing that was done: %s', (event, isOne) => {
  expect(isVisit({ event })).toBe(isOne);
});

describe('what a line proves', () => {
  const first = lineOf(ENTRY, CHAIN_START);
  const head = checkAuditLine(first, CHAIN_START) as ChainHead;

  it('is where the chain stands behind it', () => {
    expect(head).toEqual({ sequence: 1, hash: first.slice(-45, -2) });
    const second = lineOf(ENTRY, head);
    expect(checkAuditLine(second, head)).toMatchObject({ sequence: 2 });
    expect(checkAuditLine(second, undefined)).toMatchObject({ sequence: 2 });
  });

  it.each([
    ['behind another line', lineOf(ENTRY, { sequence: 1, hash: 'other' }), 'out of place'],
    ['with another number', lineOf(ENTRY, { sequence: 2, hash: head.hash }), 'out of place'],
    ['with the same number', lineOf(ENTRY, { sequence: 0, hash: head.hash }), 'out of place'],
    ['with another word', lineOf(ENTRY, head).replace('call', 'denied'), 'changed'],
    ['with something behind it', `${lineOf(ENTRY, head)} `, 'malformed'],
    ['with something before it', ` ${lineOf(ENTRY, head)}`, 'malformed'],
    ['without its hash', bodyOf(ENTRY, head, 0), 'malformed'],
    ['of nothing', '', 'malformed'],
  ])('is nothing %s', (_, line, fault) => {
    expect(checkAuditLine(line, head)).toBe(fault);
  });
});
