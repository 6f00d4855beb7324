/** Policies behind the merged endpoint: what a member refuses is refused as at its own URL. */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { GatewayConfig } from 'tidegate/gateway';
import { type GatewayHost, temporaryFolder } from '../gateway/gateway-host.ts';
import { listenTo } from '../wire/client-2026.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import {
  caller2025,
  caller2026,
  called,
  JSON_ALONE,
  listed,
  officeOf,
  type Outcome,
  policyHost,
  rulesOf,
} from './policy-gateway.ts';

const ANN = 'acme/ann';

function mergedHost(
  cedar: string,
  servers = ['one', 'two'],
  config: Partial<GatewayConfig> = {},
): Promise<GatewayHost> {
  const offices = servers.map((name) => [name, officeOf({}, { isolation: 'principal' })] as const);
  const all = { servers: undefined };
  return policyHost({ policy: rulesOf(cedar), all, ...config }, Object.fromEntries(offices));
}

function listen(host: GatewayHost, notifications: Json, token = ANN): WireReply {
  return host.send({ ...listenTo('l', notifications, { token }), path: '/all/mcp' });
}

function honouredOf(message: Json): unknown {
  return (message['params'] as Json)['notifications'];
}

describe('a listen to resources of which one is refused', () => {
  const [fine, secret] = ['file:///public/a', 'file:///secret/b'];
  const rules = `
    permit (principal, action == Action::"call", resource);
    permit (principal, action, resource) when { resource is Resource && resource.uri == "${fine}" };
  `;
  const touch = { uris: [fine, secret] };
  const updated = { method: 'notifications/resources/updated', params: { uri: fine } };

  it('hears of the others, and so do all who listened before', async () => {
    const host = await mergedHost(rules);
    const caller = caller2026(host, 'all', ANN);
    const before = listen(host, { resourceSubscriptions: [fine] });
    await before.message(0);
    const session = await caller2025(host, 'all', ANN);
    const stream = session.listen();
    expect((await session.send('resources/subscribe', { uri: fine })).answer.result).toEqual({});
    const refused = await session.send('resources/subscribe', { uri: secret });
    expect(refused.answer.error).toBeDefined();
    const both = listen(host, { resourceSubscriptions: [fine, secret] });
    expect(honouredOf(await both.message(0))).toEqual({ resourceSubscriptions: [fine] });
    expect((await called(caller, 'one__touch', touch)).status).toBe(200);
    for (const reply of [before, both]) expect(await reply.message(1)).toMatchObject(updated);
    await stream.until(() => stream.messages.some((each) => isLike(each, updated)), 'an update');
    expect(stream.text + before.text).not.toContain(secret);
  });

  it('is decided anew when the policies are others', async () => {
    const host = await mergedHost(rules);
    const wanted = { resourceSubscriptions: [fine, secret] };
    const first = listen(host, wanted);
    expect(honouredOf(await first.message(0))).toEqual({ resourceSubscriptions: [fine] });
    const policy = rulesOf('permit (principal, action, resource);');
    host.gateway.reload({ ...host.config, policy });
    const second = listen(host, wanted);
    expect(honouredOf(await second.message(0))).toEqual(wanted);
    await called(caller2026(host, 'all', ANN), 'one__touch', { uris: [secret, fine] });
    expect(await second.message(1)).toMatchObject({ params: { uri: secret } });
    expect(await first.message(1)).toMatchObject(updated);
  });
});

describe('clients of one principal that listen to the same', () => {
  it('V26 are each told what their own credential and era are allowed', async () => {
    const uri = 'file:///public/a';
    const host = await mergedHost(`
      permit (principal, action == Action::"call", resource);
      permit (principal, action == Action::"subscribe", resource)
        when { principal.scopes.contains("files") && context.era == "2026" };
    `);
    const [wide, narrow] = [`${ANN}//files`, ANN];
    const wanted = { resourceSubscriptions: [uri, 'file:///public/c'] };
    const heard = listen(host, { resourceSubscriptions: [uri] }, wide);
    expect(honouredOf(await heard.message(0))).toEqual({ resourceSubscriptions: [uri] });
    const other = listen(host, wanted, narrow);
    expect(honouredOf(await other.message(0))).toEqual({});
    const session = await caller2025(host, 'all', wide);
    expect((await session.send('resources/subscribe', { uri })).answer.error).toBeDefined();
    await called(caller2026(host, 'all', narrow), 'one__touch', { uris: [uri] });
    expect(await heard.message(1)).toMatchObject({ params: { uri } });
    await other.whole();
    expect(other.messages).toHaveLength(2);
  });
});

describe('how a client asked', () => {
  it('is what policies see and what is recorded, not how it goes on', async () => {
    const file = join(temporaryFolder(), 'audit.jsonl');
    const audit = { file, rotateBytes: 1_000_000, isRequired: false };
    const host = await mergedHost(
      `permit (principal, action, resource);
       forbid (principal, action == Action::"call", resource) unless { context.era == "2026" };
       forbid (principal, action == Action::"subscribe", resource)
         when { context.method == "resources/subscribe" };`,
      ['one'],
      { audit },
    );
    const uri = 'file:///public/a';
    const session = await caller2025(host, 'all', ANN);
    const caller = caller2026(host, 'all', ANN);
    expect((await called(session, 'one__wipe')).answer.error).toMatchObject({ code: -32600 });
    expect((await called(caller, 'one__wipe')).answer.result).toBeDefined();
    expect((await session.send('resources/subscribe', { uri })).answer.error).toBeDefined();
    const heard = listen(host, { resourceSubscriptions: [uri] });
    expect(honouredOf(await heard.message(0))).toEqual({ resourceSubscriptions: [uri] });
    await host.close();
    const lines = readFileSync(file, 'utf8').trimEnd().split('\n');
    const entries = lines.map((line) => JSON.parse(line) as Json);
    expect(entries.filter(({ event }) => event === 'denied')).toMatchObject([
      { server: 'one', era: '2025', method: 'tools/call', target: 'wipe' },
      { server: 'one', era: '2025', method: 'resources/subscribe' },
    ]);
  });
});

describe.each([
  ['2025-11-25', caller2025],
  ['2026-07-28', caller2026],
] as const)('what a server refuses a client of %s', (_era, open) => {
  it('is refused at /all with the same status and challenge', async () => {
    const host = await mergedHost(`
      permit (principal, action, resource in Server::"one")
        when { principal.scopes.contains("files:wipe") };
    `);
    const direct = await called(await open(host, 'one', ANN, JSON_ALONE), 'wipe');
    expect(direct.challenge).toContain('scope="files:wipe"');
    const merged = await called(await open(host, 'all', ANN, JSON_ALONE), 'one__wipe');
    expect([merged.status, merged.challenge]).toEqual([403, direct.challenge]);
    expect(merged.answer.error).toEqual(direct.answer.error);
    const full = await called(await open(host, 'all', 'acme/ann//files:wipe'), 'one__wipe');
    expect([full.status, full.challenge]).toEqual([200, undefined]);
  });

  it('is an empty list, of a server that is well', async () => {
    const host = await mergedHost(`
      permit (principal, action, resource);
      forbid (principal, action == Action::"list", resource == Server::"one");
      forbid (principal in Group::"guests", action == Action::"list", resource);
    `);
    const names = await listed(await open(host, 'all', ANN), 'tools/list');
    expect(names).toContain('two__wipe');
    expect(names).not.toContain('one__wipe');
    const guest = await open(host, 'all', `${ANN}/guests`);
    expect((await guest.send('tools/list')).answer.result).toMatchObject({ tools: [] });
    expect(host.log.filter(({ event }) => event === 'merged_server_left_out')).toEqual([]);
  });
});

describe('a resource that the first server refuses', () => {
  const permits = (...servers: string[]): string =>
    servers.map((name) => `permit (principal, action, resource in Server::"${name}");`).join('');

  it('is read from the next one that has it, listed or not, and refused if nobody does', async () => {
    const host = await mergedHost(permits('two'), ['one', 'two', 'three']);
    const caller = caller2026(host, 'all', ANN, JSON_ALONE);
    for (const uri of ['file:///public/a', 'file:///public/unlisted', 'other:x']) {
      const { answer } = await caller.send('resources/read', { uri });
      expect(answer.result).toMatchObject({ contents: [{ text: `of ${uri}` }] });
    }
    host.gateway.reload({ ...host.config, policy: rulesOf(permits()) });
    const refused = await caller.send('resources/read', { uri: 'file:///public/a' });
    expect(refused.status).toBe(403);
  });

  it('is found elsewhere when other policies count', async () => {
    const uri = 'file:///public/a';
    const canaries = { one: officeOf({ CANARY: 'one' }), two: officeOf({ CANARY: 'two' }) };
    const all = { servers: undefined };
    const host = await policyHost({ policy: rulesOf(permits('one', 'two')), all }, canaries);
    const caller = caller2026(host, 'all', ANN);
    const read = async (): Promise<string> =>
      JSON.stringify((await caller.send('resources/read', { uri })).answer.result);
    expect(await read()).toContain('one');
    host.gateway.reload({ ...host.config, policy: rulesOf(permits('two')) });
    for (let times = 0; times < 2; times += 1) expect(await read()).toContain('two');
  });
});

describe('headers that repeat arguments', () => {
  const regional = { one: officeOf({ REGIONAL: '1' }) };
  const all = { servers: undefined };

  function wipe(host: GatewayHost, name: string, regions: readonly string[]): Promise<Outcome> {
    const headers = { ...JSON_ALONE, 'mcp-param-region': regions };
    return called(caller2026(host, 'all', ANN, headers), name, { region: 'eu' });
  }

  it('tell nobody at /all that a tool is there which is kept from them', async () => {
    const policy = rulesOf('permit (principal, action, resource == Tool::"one/read_mail");');
    const host = await policyHost({ policy, all }, regional);
    const hidden = await wipe(host, 'one__wipe', []);
    expect(hidden).toMatchObject({ status: 403, answer: { error: { code: -32600 } } });
    expect((await wipe(host, 'one__nonesuch', [])).answer.error).toEqual(hidden.answer.error);
  });

  it('are checked by the server of the tool, as its client sent them', async () => {
    const host = await policyHost({ all }, regional);
    expect((await wipe(host, 'one__wipe', ['eu'])).answer.result).toBeDefined();
    for (const wrong of [[], ['us'], ['eu', 'eu']]) {
      const refused = await wipe(host, 'one__wipe', wrong);
      expect(refused).toMatchObject({ status: 400, answer: { error: { code: -32020 } } });
    }
    const session = await caller2025(host, 'all', ANN);
    const { answer } = await called(session, 'one__wipe', { region: 'eu' });
    expect(answer.result).toBeDefined();
  });
});

function isLike(message: Json, { method, params }: { method: string; params: Json }): boolean {
  const { uri } = (message['params'] ?? {}) as Json;
  return message['method'] === method && uri === params['uri'];
}
