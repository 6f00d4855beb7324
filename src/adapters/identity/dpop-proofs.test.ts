import { createHash } from 'node:crypto';
import {
  calculateJwkThumbprint,
  type CryptoKey,
  exportJWK,
  generateKeyPair,
  type JWK,
  SignJWT,
} from 'jose';
import { beforeAll, describe, expect, it, onTestFinished, vi } from 'vitest';
import type { RequestHead } from '../../core/ports.ts';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import { DPOP_ALGORITHMS, DpopProofs } from './dpop-proofs.ts';
import { ReplayCache } from './replay-cache.ts';

const URL_OF = 'https://mcp.example/files/mcp';
const TOKEN = 'token';
const NOW_S = 1_800_000_000;

let key: CryptoKey;
let jwk: JWK;
let jkt: string;
let others: CryptoKey;

beforeAll(async () => {
  const pair = await generateKeyPair('ES256');
  key = pair.privateKey;
  jwk = await exportJWK(pair.publicKey);
  jkt = await calculateJwkThumbprint(jwk);
  others = (await generateKeyPair('ES256')).privateKey;
});

const CLAIMS = {
  htm: 'POST',
  htu: URL_OF,
  iat: NOW_S,
  ath: createHash('sha256').update(TOKEN).digest('base64url'),
};
let ids = 0;

function proofOf(claims: object = {}, header: object = {}, signer = key): Promise<string> {
  ids += 1;
  return new SignJWT({ ...CLAIMS, jti: `${ids}`, ...claims })
    .setProtectedHeader({ alg: 'ES256', typ: 'dpop+jwt', jwk, ...header })
    .sign(signer);
}

/** Base64url has no text of every length, so that head and claims are made longer by turns. */
async function proofOfLength(chars: number): Promise<string> {
  for (let kid = 0; kid < 4; kid += 1) {
    const made = (pad: number): Promise<string> =>
      proofOf({ pad: 'x'.repeat(pad) }, { kid: 'x'.repeat(kid) });
    const about = Math.floor(((chars - (await made(0)).length) * 3) / 4);
    for (let pad = about - 2; pad <= about + 2; pad += 1) {
      const proof = await made(pad);
      if (proof.length === chars) return proof;
    }
  }
  throw new Error(`No proof has ${chars} characters.`);
}

function head(...proofs: readonly string[]): RequestHead {
  const lines = (name: string): readonly string[] => (name === 'dpop' ? proofs : []);
  return {
    method: 'POST',
    path: '/files/mcp',
    query: '',
    remoteAddress: '127.0.0.1',
    header: (name) => lines(name)[0],
    headerCount: (name) => lines(name).length,
    headerNames: () => proofs.map(() => 'dpop'),
  };
}

class Stage {
  now = NOW_S * 1000;
  readonly clock = new VirtualClock(10_000_000);
  readonly proofs: DpopProofs;

  constructor(isNonceNeeded = false) {
    this.proofs = new DpopProofs({ clock: this.clock, now: () => this.now, isNonceNeeded });
  }

  check(...proofs: readonly string[]): Promise<string> {
    return this.proofs.check(head(...proofs), URL_OF, { token: TOKEN, jkt, tenant: 't' });
  }

  /** Time that goes on for both clocks. */
  wait(ms: number): void {
    this.now += ms;
    this.clock.advance(ms);
  }
}

describe('a proof', () => {
  it('counts for its request, once', async () => {
    const stage = new Stage();
    const proof = await proofOf();
    expect(await stage.check(proof)).toBe('proved');
    expect(await stage.check(proof)).toBe('invalid');
  });

  it.each([
    ['query and fragment', `${URL_OF}?a=b#c`],
    ['a slash at its end', `${URL_OF}/`],
    ['another spelling of scheme and host', 'HTTPS://MCP.example:443/files/mcp'],
  ])('counts for its URL with %s', async (_, htu) => {
    expect(await new Stage().check(await proofOf({ htu }))).toBe('proved');
  });

  it.each([
    ['another method', { htm: 'GET' }],
    ['another method in small letters', { htm: 'post' }],
    ['another path', { htu: 'https://mcp.example/mail/mcp' }],
    ['two slashes at its end', { htu: `${URL_OF}//` }],
    ['another host', { htu: 'https://evil.example/files/mcp' }],
    ['another scheme', { htu: 'http://mcp.example/files/mcp' }],
    ['a URL that is none', { htu: '/files/mcp' }],
    ['no URL', { htu: 7 }],
    ['another token', { ath: 'x' }],
    ['no token', { ath: undefined }],
    ['no id', { jti: undefined }],
    ['an empty id', { jti: '' }],
    ['a number for an id', { jti: 7 }],
    ['a long id', { jti: 'x'.repeat(257) }],
    ['no time', { iat: undefined }],
    ['a time too long ago', { iat: NOW_S - 91 }],
    ['a time just too long ago', { iat: NOW_S - 90.0005 }],
    ['a time to come', { iat: NOW_S + 31 }],
    ['a beginning to come', { nbf: NOW_S + 31 }],
    ['an end that is past', { exp: NOW_S - 31 }],
  ])('with %s is worth nothing', async (_, claims) => {
    expect(await new Stage().check(await proofOf(claims))).toBe('invalid');
  });

  it.each([
    { jti: 'x'.repeat(256) },
    { iat: NOW_S - 90 },
    { iat: NOW_S + 30 },
    { nbf: NOW_S + 30 },
  ])('counts up to its bounds: %j', async (claims) => {
    expect(await new Stage().check(await proofOf(claims))).toBe('proved');
  });

  it('is signed with the key that the token is bound to, which it holds', async () => {
    expect(await new Stage().check(await proofOf({}, {}, others))).toBe('invalid');
    const theirs = await exportJWK((await generateKeyPair('ES256')).publicKey);
    expect(await new Stage().check(await proofOf({}, { jwk: theirs }))).toBe('invalid');
    const pair = await generateKeyPair('ES256');
    const own = await proofOf({}, { jwk: await exportJWK(pair.publicKey) }, pair.privateKey);
    expect(await new Stage().check(own)).toBe('invalid');
    expect(await new Stage().check(await proofOf({}, { typ: 'JWT' }))).toBe('invalid');
  });

  it.each(DPOP_ALGORITHMS)('may be signed with %s', async (alg) => {
    const pair = await generateKeyPair(alg);
    const own = await exportJWK(pair.publicKey);
    const proof = await proofOf({}, { alg, jwk: own }, pair.privateKey);
    const thumbprint = await calculateJwkThumbprint(own);
    const { proofs } = new Stage();
    expect(
      await proofs.check(head(proof), URL_OF, { token: TOKEN, jkt: thumbprint, tenant: 't' }),
    ).toBe('proved');
  });

  it('may not be signed with an algorithm that is not on the list', async () => {
    const pair = await generateKeyPair('ES512');
    const own = await exportJWK(pair.publicKey);
    const proof = await proofOf({}, { alg: 'ES512', jwk: own }, pair.privateKey);
    const thumbprint = await calculateJwkThumbprint(own);
    const { proofs } = new Stage();
    expect(
      await proofs.check(head(proof), URL_OF, { token: TOKEN, jkt: thumbprint, tenant: 't' }),
    ).toBe('invalid');
  });

  it('is one header of a bounded length', async () => {
    const stage = new Stage();
    const proof = await proofOf();
    expect(await stage.check()).toBe('invalid');
    expect(await stage.check(proof, proof)).toBe('invalid');
    expect(await stage.check(`${proof}${'x'.repeat(4096)}`)).toBe('invalid');
    expect(await stage.check('')).toBe('invalid');
    expect(await stage.check(proof)).toBe('proved');
    expect(await stage.check(await proofOfLength(4096))).toBe('proved');
    expect(await stage.check(await proofOfLength(4097))).toBe('invalid');
  });

  it('is remembered for as long as it would be taken', async () => {
    const stage = new Stage();
    const proof = await proofOf({ iat: NOW_S + 30 });
    expect(await stage.check(proof)).toBe('proved');
    stage.wait(119_999);
    expect(await stage.check(proof)).toBe('invalid');
    stage.wait(1);
    expect(await stage.check(proof)).toBe('invalid');
  });

  it('is not taken where no other can be remembered, and may come again', async () => {
    const use = vi.spyOn(ReplayCache.prototype, 'use').mockReturnValue('full');
    onTestFinished(() => use.mockRestore());
    const stage = new Stage();
    expect(await stage.check(await proofOf())).toBe('unavailable');
    expect(use).toHaveBeenCalledWith({ tenant: 't', owner: jkt }, `${ids}`, stage.clock.now());
  });
});

describe('a nonce', () => {
  it('is asked for where it is needed, and counts', async () => {
    const stage = new Stage(true);
    expect(await stage.check(await proofOf())).toBe('nonce-needed');
    for (const nonce of ['', 7, 'x'.repeat(43), `${stage.proofs.nonce()}x`]) {
      expect(await stage.check(await proofOf({ nonce }))).toBe('nonce-needed');
    }
    expect(await stage.check(await proofOf({ nonce: stage.proofs.nonce() }))).toBe('proved');
    expect(await new Stage().check(await proofOf({ nonce: 'x' }))).toBe('proved');
  });

  it('is nobody else’s, and another every two minutes', async () => {
    const stage = new Stage(true);
    expect(new Stage(true).proofs.nonce()).not.toBe(stage.proofs.nonce());
    const first = stage.proofs.nonce();
    const ask = async (): Promise<string> =>
      stage.check(await proofOf({ nonce: first, iat: Math.floor(stage.now / 1000) }));
    // The clock began within a window.
    stage.wait(120_000 - (stage.clock.now() % 120_000));
    expect(stage.proofs.nonce()).not.toBe(first);
    expect(await ask()).toBe('proved');
    stage.wait(119_999);
    expect(await ask()).toBe('proved');
    stage.wait(1);
    expect(await ask()).toBe('nonce-needed');
  });
});
