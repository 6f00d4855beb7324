import { exportJWK, generateKeyPair, type JWK } from 'jose';
import { beforeAll, describe, expect, it } from 'vitest';
import { VirtualClock } from '../../testing/virtual-clock.ts';
import type { GuardedFetch } from '../credentials/guarded-fetch.ts';
import { CredentialError } from '../credentials/credential-error.ts';
import { IssuerKeys } from './issuer-keys.ts';

const MINUTE = 60_000;
const HOUR = 3_600_000;

let published: Readonly<Record<'a' | 'b', JWK>>;

beforeAll(async () => {
  const make = async (kid: string): Promise<JWK> => {
    const { publicKey } = await generateKeyPair('ES256');
    return { ...(await exportJWK(publicKey)), kid, alg: 'ES256' };
  };
  published = { a: await make('a'), b: await make('b') };
});

class Stage {
  readonly clock = new VirtualClock();
  readonly failures: string[] = [];
  keys: readonly JWK[] = [published.a];
  fetches = 0;
  isDown = false;
  /** Settles fetches that wait; undefined: they do not. */
  gate: Promise<void> | undefined;
  readonly issuer: IssuerKeys;

  constructor() {
    const fetch: GuardedFetch = async () => {
      this.fetches += 1;
      await this.gate;
      if (this.isDown) throw new CredentialError('down');
      return new Response(JSON.stringify({ keys: this.keys }));
    };
    this.issuer = new IssuerKeys({
      issuer: 'https://idp.example',
      jwksUri: 'https://idp.example/jwks',
      fetch,
      clock: this.clock,
      onFailure: (detail) => void this.failures.push(detail),
    });
  }

  async ask(kid?: string): Promise<string> {
    const outcome = await this.issuer.keyFor({ alg: 'ES256', ...(kid !== undefined && { kid }) });
    return outcome.kind;
  }
}

describe('the keys of an issuer', () => {
  it('that are withdrawn, all of them, serve no more, and whoever runs this is told', async () => {
    const stage = new Stage();
    expect(await stage.ask('a')).toBe('key');
    for (const none of [[], [null as unknown as JWK], [{ ...published.a, use: 'enc' }]]) {
      stage.keys = none;
      stage.clock.advance(10 * MINUTE);
      expect(await stage.ask('a')).toBe('unknown');
      expect(stage.failures.splice(0)).toEqual(['None of the keys verifies signatures.']);
      stage.keys = [published.a];
      stage.clock.advance(10 * MINUTE);
      expect(await stage.ask('a')).toBe('key');
    }
    expect(stage.failures).toEqual([]);
  });

  it('are fetched once, however many wait for them', async () => {
    const stage = new Stage();
    const asked = Array.from({ length: 50 }, () => stage.ask('a'));
    expect(new Set(await Promise.all(asked))).toEqual(new Set(['key']));
    expect(stage.fetches).toBe(1);
  });

  it('are fetched at once when a token names a new one', async () => {
    const stage = new Stage();
    await stage.ask('a');
    stage.keys = [published.b];
    expect(await stage.ask('b')).toBe('key');
    expect(await stage.ask('a')).toBe('unknown');
    expect(stage.fetches).toBe(3);
  });

  it('are not asked for again by whoever invents keys', async () => {
    const stage = new Stage();
    await stage.ask('a');
    for (let i = 0; i < 5000; i += 1) expect(await stage.ask(`invented ${i}`)).toBe('unknown');
    expect(stage.fetches).toBe(2);
    // Those known go on to serve, and after the pause one more inventor is looked after.
    expect(await stage.ask('a')).toBe('key');
    stage.clock.advance(30_000);
    expect(await stage.ask('invented again')).toBe('unknown');
    expect(stage.fetches).toBe(3);
    stage.clock.advance(30_000);
    expect(await stage.ask('invented again')).toBe('unknown');
    expect(stage.fetches).toBe(3);
  });

  it('serve for an hour while they cannot be fetched, and not a moment longer', async () => {
    const stage = new Stage();
    await stage.ask('a');
    stage.isDown = true;
    for (let minutes = 0; minutes < 59; minutes += 1) {
      stage.clock.advance(MINUTE);
      expect(await stage.ask('a'), String(minutes)).toBe('key');
    }
    expect(stage.issuer.version).toBe(1);
    stage.clock.advance(MINUTE);
    expect(stage.issuer.version).toBeUndefined();
    expect(await stage.ask('a')).toBe('unavailable');
    expect(stage.failures[0]).toBe('down');
    // One fetch in 30 seconds at most.
    expect(stage.fetches).toBeLessThan(2 + HOUR / 30_000);
    stage.isDown = false;
    stage.clock.advance(MINUTE);
    expect(await stage.ask('a')).toBe('key');
  });

  it('are asked for in a while when they cannot be had at first', async () => {
    const stage = new Stage();
    stage.isDown = true;
    for (let i = 0; i < 100; i += 1) expect(await stage.ask('a')).toBe('unavailable');
    expect(stage.fetches).toBe(1);
    stage.isDown = false;
    stage.clock.advance(30_000);
    expect(await stage.ask('a')).toBe('key');
  });

  it('serve while newer ones are on their way, but not when they are old', async () => {
    const stage = new Stage();
    await stage.ask('a');
    let open = (): void => {};
    stage.gate = new Promise((resolve) => {
      open = resolve;
    });
    stage.clock.advance(5 * MINUTE);
    expect(await stage.ask('a')).toBe('key');
    expect(stage.fetches).toBe(2);
    stage.clock.advance(5 * MINUTE);
    stage.keys = [published.b];
    const waiting = stage.ask('a');
    open();
    expect(await waiting).toBe('unknown');
  });

  it('have another version only when they are others', async () => {
    const stage = new Stage();
    await stage.ask('a');
    stage.clock.advance(11 * MINUTE);
    await stage.ask('a');
    expect([stage.fetches, stage.issuer.version]).toEqual([2, 1]);
    stage.keys = [published.a, published.b];
    stage.clock.advance(11 * MINUTE);
    await stage.ask('a');
    expect(stage.issuer.version).toBe(2);
    // Without a name, a key must be the only one.
    expect(await stage.ask()).toBe('unknown');
  });

  it('are not taken from an answer that is none', async () => {
    for (const text of ['', '[]', '{"keys":{}}', '{}', 'null']) {
      const stage = new Stage();
      const issuer = new IssuerKeys({
        issuer: 'https://idp.example',
        jwksUri: 'https://idp.example/jwks',
        fetch: () => Promise.resolve(new Response(text)),
        clock: stage.clock,
        onFailure: () => {},
      });
      expect((await issuer.keyFor({ alg: 'ES256', kid: 'a' })).kind, text).toBe('unavailable');
    }
  });
});
