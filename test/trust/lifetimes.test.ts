import { rmSync } from 'node:fs';
import { join } from 'node:path';
import { makeApiKey } from '../../src/adapters/identity/api-key.ts';
import { writeKeyFile } from '../../src/adapters/identity/key-file.ts';
import { describe, expect, it } from 'vitest';
import { temporaryFolder } from '../gateway/gateway-host.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { behind, hostOf, open, openAs, TokenSession, trusting } from './token-gateway.ts';

const AUDIENCES = ['files', 'other'].map((name) => `${PUBLIC_URL}/${name}/mcp`);

describe('how long a token counts', () => {
  it('V31: a stream ends with it, a reconnect needs a fresh one, and that keeps the session', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const token = await issuer.token({ endsIn: 3 });
    const ends = performance.now() + 3000;
    const session = await TokenSession.open(host, token);
    const stream = await session.listen().head();
    expect(stream.status).toBe(200);
    await stream.whole();
    // A token's end is in whole seconds.
    expect(performance.now()).toBeLessThan(ends + 1000);
    session.token = await issuer.token({ endsIn: -60 });
    for (const reply of [session.listen(), session.call()]) {
      expect((await reply.whole()).status).toBe(401);
    }
    session.token = await issuer.token({ jti: 'fresh' });
    expect((await session.listen().head()).status).toBe(200);
    expect((await session.call().whole()).status).toBe(200);
    // The same person with another client is somebody else.
    session.token = await issuer.token({ client_id: 'another' });
    expect((await session.call().whole()).status).toBe(404);
  });

  it('a clock that jumps forward ends it, and one that jumps back does not bring it back', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer));
    const token = await issuer.token({ endsIn: 600 });
    expect((await open(host, token)).status).toBe(200);
    const { now } = Date;
    const shifted = async (ms: number): Promise<number> => {
      Date.now = () => now() + ms;
      try {
        return (await open(host, token)).status;
      } finally {
        Date.now = now;
      }
    };
    expect(await shifted(3_600_000)).toBe(401);
    expect(await shifted(0)).toBe(200);
    const begun = await issuer.token({ nbf: Math.floor(now() / 1000) - 60 });
    expect((await open(host, begun)).status).toBe(200);
    Date.now = () => now() - 3_600_000;
    try {
      expect((await open(host, begun)).status).toBe(401);
    } finally {
      Date.now = now;
    }
  });
});

describe('a machine that slept', () => {
  it('ends the streams of credentials that end some day, and they come back', async () => {
    const issuer = await Issuer.start();
    const { auth } = trusting(issuer);
    const token = 'a-token-of-some-length';
    const host = await hostOf(behind({ kind: 'several', ways: [{ kind: 'token', token }, auth] }));
    const endless = await TokenSession.open(host, token);
    const session = await TokenSession.open(host, await issuer.token({ endsIn: 7200 }));
    const stays = await endless.listen().head();
    const stream = await session.listen().head();
    const { now } = Date;
    Date.now = () => now() + 3_600_000;
    try {
      await stream.whole();
      expect(stays.isEnded).toBe(false);
      expect((await session.listen().head()).status).toBe(200);
      expect(host.log.filter(({ event }) => event === 'clock_leapt')).toHaveLength(1);
    } finally {
      Date.now = now;
    }
  });
});

describe('who is denied', () => {
  it('is out at every server at once, and others are not disturbed', async () => {
    const issuer = await Issuer.start();
    const host = await hostOf(trusting(issuer, { tenant: { claim: 'org' } }));
    const token = (words: object) => issuer.token({ aud: AUDIENCES, org: 'acme', ...words });
    const said = {
      byToken: await token({ sub: 'a', jti: 'stolen' }),
      bySubject: await token({ sub: 'eve' }),
      byTenant: await token({ sub: 'b', org: 'globex' }),
      spared: await token({ sub: 'ada' }),
    };
    const opened = await Promise.all(
      Object.entries(said).map(async ([name, text], index) => {
        const path = index % 2 === 0 ? '/files/mcp' : '/other/mcp';
        const session = await TokenSession.open(host, text, path);
        return { name, text, session, stream: await session.listen().head() };
      }),
    );
    const began = performance.now();
    host.gateway.revoke({ credentials: ['jti:stolen'], subjects: ['eve'], tenants: ['globex'] });
    for (const { name, text, session, stream } of opened) {
      if (name === 'spared') continue;
      await stream.whole();
      expect((await session.call().whole()).status, name).toBe(401);
      expect((await open(host, text)).status, name).toBe(401);
    }
    expect(performance.now() - began).toBeLessThan(2000);
    const spared = opened.at(-1);
    expect(spared?.stream.isEnded).toBe(false);
    expect((await spared?.session.call().whole())?.status).toBe(200);
    // Another token of the same person is not the one that was stolen.
    expect((await open(host, await token({ sub: 'a', jti: 'new' }))).status).toBe(200);
    host.gateway.reinstate({ subjects: ['eve'] });
    expect((await open(host, said.bySubject)).status).toBe(200);
  });

  it('is out when a config says so, and in again when another does not', async () => {
    const issuer = await Issuer.start();
    const config = trusting(issuer);
    const host = await hostOf(config);
    const session = await TokenSession.open(host, await issuer.token());
    const stream = await session.listen().head();
    host.gateway.revoke({ subjects: ['bob'] });
    host.gateway.reload({ ...config, denied: { subjects: ['ada'] } });
    await stream.whole();
    const refused = await session.call().whole();
    expect(refused.status).toBe(401);
    expect(refused.header('www-authenticate')).toMatch(/error="invalid_token", resource_metadata=/);
    host.gateway.reload(config);
    expect((await open(host, await issuer.token())).status).toBe(200);
    // What a program said, no config takes back.
    expect((await open(host, await issuer.token({ sub: 'bob' }))).status).toBe(401);
  });

  it('a key that is gone from its file closes what it opened, and no other', async () => {
    const path = join(temporaryFolder(), 'keys.json');
    const made = ['ada', 'bob'].map((subject) => {
      const { key, id, digest } = makeApiKey();
      const created = new Date().toISOString();
      const facts = { tenant: 't', scopes: [], groups: [], expires: undefined, created };
      return { key, entry: { id, digest, subject, ...facts } };
    });
    const [ada, bob] = made;
    writeKeyFile(
      path,
      made.map(({ entry }) => entry),
    );
    const host = await hostOf(behind({ kind: 'keys', path }));
    const first = await TokenSession.open(host, ada!.key);
    const second = await TokenSession.open(host, bob!.key, '/other/mcp');
    const streams = [await first.listen().head(), await second.listen().head()];
    writeKeyFile(path, [ada!.entry]);
    await streams[1]!.whole();
    expect(streams[0]!.isEnded).toBe(false);
    expect((await second.call().whole()).status).toBe(401);
    expect((await first.call().whole()).status).toBe(200);
    rmSync(path);
  });
});

describe('several ways to come in', () => {
  it('are tried in order, and a refusal says what each has to say', async () => {
    const issuer = await Issuer.start();
    const path = join(temporaryFolder(), 'keys.json');
    const { key, id, digest } = makeApiKey();
    const facts = { tenant: 't', subject: 's', scopes: [], groups: [], expires: undefined };
    writeKeyFile(path, [{ id, digest, ...facts, created: new Date().toISOString() }]);
    const token = 'a-token-of-some-length';
    const { auth: jwt } = trusting(issuer);
    const ways = [{ kind: 'token', token }, { kind: 'keys', path }, jwt] as const;
    const host = await hostOf(behind({ kind: 'several', ways }));
    for (const credential of [token, key, await issuer.token()]) {
      expect((await open(host, credential)).status).toBe(200);
    }
    const refused = await openAs(host, { authorization: 'Bearer nobody' });
    expect(refused.status).toBe(401);
    const challenges = refused.header('www-authenticate') ?? '';
    expect(challenges).toContain(`${PUBLIC_URL}/.well-known/oauth-protected-resource/files/mcp`);
    // What says less than another is left out.
    expect(challenges.match(/Bearer /g)).toHaveLength(1);
  });
});
