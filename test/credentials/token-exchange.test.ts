/** A remote server called on behalf of each caller, with tokens exchanged for theirs. */
import { expect, it, onTestFinished } from 'vitest';
import { remote, SubjectTokens } from 'tidegate';
import type { Principal } from '../../src/core/ports.ts';
import { principalOf } from '../../src/core/principal.ts';
import { Message } from '../../src/core/protocol/message.ts';
import { Recorder, Sight } from '../upstreams/recorder.ts';
import { AuthorizationServer, CLIENT } from './authorization-server.ts';
import { GuardedServer } from './guarded-server.ts';

const ANN = person('ann');
const BOB = person('bob');

function person(subject: string): Principal {
  return principalOf({ tenant: 't', issuer: 'https://id.example', subject, clientId: 'app' });
}

interface Scene {
  readonly issuer: AuthorizationServer;
  readonly guarded: GuardedServer;
  readonly tokens: SubjectTokens;
  readonly sight: Sight;
  readonly connect: (caller?: Principal) => (id: number) => Promise<unknown>;
}

async function scene(): Promise<Scene> {
  const issuer = await AuthorizationServer.start();
  const guarded = await GuardedServer.start(issuer);
  const tokens = new SubjectTokens();
  const sight = new Sight();
  const upstream = remote(guarded.url, {
    telemetry: sight,
    credential: {
      kind: 'token-exchange',
      issuer: issuer.issuer,
      ...CLIENT,
      audience: 'files',
      subjectTokens: tokens,
    },
  });
  onTestFinished(() => upstream.close());
  const connect = (caller?: Principal) => {
    const recorder = new Recorder();
    const connection = upstream.connect('modern', recorder, caller);
    return async (id: number): Promise<unknown> => {
      connection.send(Message.request(String(id), 'tools/list', '{}'));
      const find = (): Message | undefined =>
        recorder.messages().find((each) => each.id === String(id));
      await recorder.until(() => find() !== undefined, `the answer to ${id}`);
      return find()?.value;
    };
  };
  return { issuer, guarded, tokens, sight, connect };
}

it('each caller has a token of its own, and none sees the one the caller came with', async () => {
  const { issuer, guarded, tokens, connect } = await scene();
  tokens.remember(ANN, 'subject-ann');
  tokens.remember(BOB, 'subject-bob');
  const [ann, bob] = [connect(ANN), connect(BOB)];
  await Promise.all([ann(1), ann(2), bob(1), ann(3)]);
  await connect(ANN)(4);
  const subjects = guarded.tokens().map((token) => issuer.issued.get(token)?.subject);
  expect(new Set(subjects)).toEqual(new Set(['subject-ann', 'subject-bob']));
  expect(subjects).toHaveLength(2);
  expect(issuer.tokenRequests).toHaveLength(2);
  expect(issuer.tokenRequests[0]?.params).toMatchObject({
    grant_type: 'urn:ietf:params:oauth:grant-type:token-exchange',
    subject_token: 'subject-ann',
    subject_token_type: 'urn:ietf:params:oauth:token-type:access_token',
    resource: guarded.url,
    audience: 'files',
  });
  expect(guarded.shown.join()).not.toContain('subject-');
});

it('an exchange that fails costs its caller, who is told why, and nobody else', async () => {
  const { issuer, tokens, sight, connect } = await scene();
  tokens.remember(ANN, 'subject-ann');
  tokens.remember(BOB, 'stolen-canary');
  const answer = await connect(BOB)(1);
  expect(answer).toMatchObject({
    code: -32010,
    message: 'upstream unavailable: The authorization server refused: invalid_grant.',
  });
  expect(await connect(ANN)(1)).toEqual({ of: 'tools/list' });
  const visible = JSON.stringify([answer, sight.logs]);
  for (const secret of issuer.secrets()) expect(visible).not.toContain(secret);
});

it('a caller without a token is told to sign in, and the authorization server is not asked', async () => {
  const { issuer, connect } = await scene();
  expect(await connect(ANN)(1)).toMatchObject({
    message: expect.stringContaining('sign in again') as string,
  });
  expect(issuer.tokenRequests).toEqual([]);
});

it('the newest token of a caller is the one that is exchanged', async () => {
  const { issuer, guarded, tokens, connect } = await scene();
  tokens.remember(ANN, 'subject-old');
  await connect(ANN)(1);
  tokens.remember(ANN, 'subject-new');
  guarded.revoked.add(guarded.tokens()[0] ?? '');
  expect(await connect(ANN)(2)).toEqual({ of: 'tools/list' });
  const subjects = issuer.tokenRequests.map(({ params }) => params['subject_token']);
  expect(subjects).toEqual(['subject-old', 'subject-new']);
});

it('what is nobody in particular goes without, and then with a token of the gate itself', async () => {
  const { issuer, guarded, connect } = await scene();
  expect(await connect()(1)).toEqual({ of: 'tools/list' });
  expect(guarded.shown[0]).toBeUndefined();
  expect(issuer.tokenRequests.map(({ params }) => params['grant_type'])).toEqual([
    'client_credentials',
  ]);
});

it("a caller's own token given back is refused, not sent on", async () => {
  const { issuer, guarded, tokens, connect } = await scene();
  issuer.answer = { access_token: 'subject-ann' };
  tokens.remember(ANN, 'subject-ann');
  expect(await connect(ANN)(1)).toMatchObject({ code: -32010 });
  expect(guarded.shown).toEqual([]);
});

it('is not begun without an authorization server of the operator', async () => {
  const { guarded } = await scene();
  const credential = { kind: 'token-exchange', issuer: undefined, ...CLIENT } as const;
  expect(() => remote(guarded.url, { credential })).toThrow('issuer');
});
