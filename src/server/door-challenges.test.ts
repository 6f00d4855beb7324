/** No 401 leaves without a challenge, whatever refuses and wherever the request was. */
import { describe, expect, it } from 'vitest';
import { listFiles, readText } from '../../test/source-files.ts';
import { ERRORS, type ErrorCode } from '../core/errors.ts';
import { BARE_GRANT } from '../core/grant.ts';
import type { HttpExchange, RequestHead } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import type { AuthorizationFacts } from '../core/resource-door.ts';
import { Connection } from './connection.ts';
import type { Connections } from './connections.ts';
import {
  type ChallengeSource,
  doorChallenges,
  hasChallenge,
  stepUpChallenges,
} from './door-challenges.ts';
import { refuseExchange, type RefusalContext } from './inbound.ts';

const PRINCIPAL = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const HEAD = {
  path: '/files/mcp',
  remoteAddress: '192.0.2.1',
  header: (name: string) => (name === 'authorization' ? 'Bearer x' : undefined),
} as RequestHead;
const METADATA = 'https://gate.test/.well-known/oauth-protected-resource/files/mcp';
const CODES = (Object.keys(ERRORS) as ErrorCode[]).filter(
  (code) => ERRORS[code].httpStatus === 401,
);

const FACTS: AuthorizationFacts = {
  issuers: ['https://idp.test'],
  scopes: ['mcp'],
  dpopAlgorithms: [],
  isDpopRequired: false,
};

function sourceOf(more: Partial<ChallengeSource> = {}): ChallengeSource & RefusalContext {
  return {
    identity: { verify() {} },
    telemetry: { log() {}, count() {}, request() {}, streamClosed() {} },
    random: { sessionId: () => 's', fraction: () => 0 },
    ...more,
  };
}

interface Sent {
  status: number;
  headers: readonly string[];
}

function exchangeOf(sent: Sent): HttpExchange {
  const respond = (status: number, headers: readonly string[]): void =>
    void Object.assign(sent, { status, headers });
  return { head: HEAD, respond, onClientGone() {} } as unknown as HttpExchange;
}

/** A reply that waits, of a door that says no more than this. */
function waiting(sent: Sent, headers: readonly string[]): Connection {
  const connections = {
    now: () => 0,
    trustedUntil: () => 0,
    began() {},
    decided() {},
    sent() {},
    challenges: (head: RequestHead) => doorChallenges(sourceOf(), head),
  } as unknown as Connections;
  const owner = { drain() {}, connectionLost() {} };
  const facts = { kind: 'reply', era: '2026', principal: PRINCIPAL, grant: BARE_GRANT } as const;
  return new Connection(connections, owner, exchangeOf(sent), { ...facts, headers });
}

describe('W42 a 401', () => {
  it.each(CODES)('by %s carries a challenge, before admission and after it', (error) => {
    const challenges: string[] = [];
    const sent: Sent = { status: 0, headers: [] };
    refuseExchange(sourceOf(), exchangeOf(sent), ['Vary', 'Origin'], { error });
    challenges.push(...sent.headers);
    waiting(sent, ['Access-Control-Expose-Headers', 'WWW-Authenticate']).json(401, '{}');
    expect(sent.headers.slice(-2)).toEqual(challenges.slice(-2));
    expect(sent.headers.slice(-2)).toEqual([
      'WWW-Authenticate',
      'Bearer realm="tidegate", error="invalid_token"',
    ]);
  });

  it('of a credential that is revoked while its request waits carries one', () => {
    const sent: Sent = { status: 0, headers: [] };
    waiting(sent, []).revoke();
    expect(sent.status).toBe(401);
    expect(sent.headers).toContain('WWW-Authenticate');
  });

  it('keeps the challenge it has', () => {
    const sent: Sent = { status: 0, headers: [] };
    const headers = ['www-authenticate', 'Custom realm="x"'];
    refuseExchange(sourceOf(), exchangeOf(sent), [], { error: 'UNAUTHORIZED', headers });
    expect(sent.headers.slice(-2)).toEqual(headers);
    waiting(sent, headers).json(401, '{}');
    expect(sent.headers.slice(-2)).toEqual(headers);
  });

  it('has two senders: others name their status, pass one on or choose of 200 and 503', () => {
    const senders = ['src/server', 'src/gateway']
      .flatMap((folder) => listFiles(folder))
      .filter((path) => !path.endsWith('.test.ts'))
      .filter((path) => /\.respond\(\s*(?!\d{3},)|\.respond\(\s*401/.test(readText(path)));
    expect(senders).toEqual([
      'src/server/begun-exchange.ts',
      'src/server/connection.ts',
      'src/server/inbound.ts',
      'src/server/routes/health.ts',
    ]);
  });
});

describe('the challenges of a door', () => {
  it('are those its identity names', () => {
    const headers = ['WWW-Authenticate', 'Bearer realm="own"'];
    const refusalOf = (): { error: 'UNAUTHORIZED'; headers: string[] } => ({
      error: 'UNAUTHORIZED',
      headers,
    });
    const identity = { verify() {}, refusalOf };
    expect(doorChallenges(sourceOf({ identity }), HEAD)).toEqual(headers);
  });

  it('name scopes, metadata and proofs, where tokens are those of others', () => {
    const said = (facts: Partial<AuthorizationFacts>): readonly string[] =>
      doorChallenges(
        sourceOf({
          publicUrl: 'https://gate.test/files',
          metadataAt: () => '{}',
          authorization: () => ({ ...FACTS, ...facts }),
        }),
        HEAD,
      );
    const parameters = `realm="tidegate", error="invalid_token", scope="mcp", resource_metadata="${METADATA}"`;
    const bearer = ['WWW-Authenticate', `Bearer ${parameters}`];
    const proof = ['WWW-Authenticate', `DPoP ${parameters}, algs="ES256"`];
    expect(said({})).toEqual(bearer);
    expect(said({ dpopAlgorithms: ['ES256'] })).toEqual([...bearer, ...proof]);
    expect(said({ dpopAlgorithms: ['ES256'], isDpopRequired: true })).toEqual(proof);
  });

  it('name no error to whoever brought no credential', () => {
    const head = { ...HEAD, header: () => undefined };
    expect(doorChallenges(sourceOf(), head)).toEqual([
      'WWW-Authenticate',
      'Bearer realm="tidegate"',
    ]);
  });

  it('are its own only where it names one', () => {
    const refusalOf = () => ({ error: 'UNAUTHORIZED', headers: ['Retry-After', '1'] });
    const identity = { verify() {}, refusalOf };
    expect(doorChallenges(sourceOf({ identity }), HEAD)).toEqual([
      'WWW-Authenticate',
      'Bearer realm="tidegate", error="invalid_token"',
    ]);
  });

  it('name the scopes of what somebody lacks, and no error of the credential', () => {
    expect(stepUpChallenges(sourceOf(), HEAD, ['read', 'write'])).toEqual([
      'WWW-Authenticate',
      'Bearer realm="tidegate", error="insufficient_scope", scope="read write"',
    ]);
  });

  it('are found by the names of headers, wherever they stand', () => {
    expect(hasChallenge(undefined)).toBe(false);
    expect(hasChallenge(['Vary', 'WWW-Authenticate'])).toBe(false);
    expect(hasChallenge(['Vary', 'Origin', 'Www-Authenticate', 'Bearer'])).toBe(true);
  });

  it('name no metadata where there is none', () => {
    const nowhere = sourceOf({ metadataAt: () => '{}', authorization: () => FACTS });
    expect(doorChallenges(nowhere, HEAD)[1]).not.toContain('resource_metadata');
    const source = sourceOf({ publicUrl: 'https://gate.test/files', authorization: () => FACTS });
    expect(doorChallenges(source, HEAD)[1]).not.toContain('resource_metadata');
  });
});
