/**
 * Who may do what, by policies, before servers of a gateway: the same verdict hides an entry of a
 * list and refuses its call. V19, V20.
 */
import { describe, expect, it } from 'vitest';
import {
  type Caller,
  called,
  caller2025,
  caller2026,
  JSON_ALONE,
  listed,
  officeOf,
  policyHost,
  rulesOf,
} from './policy-gateway.ts';
import { eventually, type GatewayHost } from '../gateway/gateway-host.ts';
import { Issuer } from './issuer.ts';
import { hostOf, openAs, TokenSession, trusting } from './token-gateway.ts';
import { listenTo } from '../wire/client-2026.ts';
import type { Json } from '../wire/wire-reply.ts';

const READERS = rulesOf('', {
  sources: [],
  allow: [{ groups: ['readers'], servers: ['office'], tools: ['read_*'], readOnly: true }],
});

const ERAS: readonly (readonly [
  string,
  (host: GatewayHost, name: string, token: string) => Promise<Caller>,
])[] = [
  ['2025', caller2025],
  ['2026', async (host, name, token) => caller2026(host, name, token)],
];

describe.each(ERAS)('a policy before a client of %s', (_era, open) => {
  it('V19 V20 shows what it permits, and refuses the rest by name as it refuses what is not there', async () => {
    const host = await policyHost({ policy: READERS });
    const caller = await open(host, 'office', 'acme/ann/readers');
    expect(await listed(caller, 'tools/list')).toEqual(['read_file', 'read_mail']);
    expect((await called(caller, 'read_file')).answer.result).toBeDefined();
    const hidden = await called(caller, 'wipe');
    const unknown = await called(caller, 'nothing');
    expect(hidden.status).toBe(403);
    expect(hidden.answer.error).toEqual(unknown.answer.error);
  });

  it('knows what tools say of themselves before anybody lists them', async () => {
    const host = await policyHost({ policy: READERS });
    const caller = await open(host, 'office', 'acme/ann/readers');
    expect((await called(caller, 'read_mail')).status).toBe(200);
  });

  it('knows what tools say of themselves once they changed, before anybody lists them', async () => {
    const allow = [...READERS.allow, { tools: ['turn'] }];
    const host = await policyHost({ policy: { ...READERS, allow } });
    const caller = await open(host, 'office', 'acme/ann/readers');
    expect((await called(caller, 'read_mail')).status).toBe(200);
    expect((await called(caller, 'turn')).status).toBe(200);
    await eventually(async () => (await called(caller, 'read_mail')).status === 403, 'the change');
    expect((await called(caller, 'read_file')).status).toBe(200);
  });

  it('permits nothing to whom no policy names, and lets them in all the same', async () => {
    const host = await policyHost({ policy: READERS });
    const caller = await open(host, 'office', 'acme/eve/');
    expect(await listed(caller, 'tools/list')).toEqual([]);
    expect(await listed(caller, 'prompts/list')).toEqual([]);
    expect((await called(caller, 'read_file')).status).toBe(403);
  });

  it('decides about prompts, resources, templates and completions alike', async () => {
    const policy = rulesOf(`
      permit (principal, action == Action::"get", resource == Prompt::"office/greet");
      permit (principal, action in [Action::"read", Action::"complete"], resource is Resource)
        when { resource.uri like "file:///public/*" };
    `);
    const host = await policyHost({ policy });
    const caller = await open(host, 'office', 'acme/ann');
    expect(await listed(caller, 'prompts/list')).toEqual(['greet']);
    expect(await listed(caller, 'resources/list')).toEqual(['file:///public/a']);
    expect(await listed(caller, 'resources/templates/list')).toEqual(['file:///public/{name}']);
    expect((await caller.send('prompts/get', { name: 'insult' })).status).toBe(403);
    const read = (uri: string) => caller.send('resources/read', { uri });
    expect((await read('file:///public/a')).status).toBe(200);
    expect((await read('file:///secret/b')).status).toBe(403);
    const argument = { name: 'name', value: '' };
    const complete = (uri: string) =>
      caller.send('completion/complete', { ref: { type: 'ref/resource', uri }, argument });
    expect((await complete('file:///public/{name}')).status).toBe(200);
    expect((await complete('file:///secret/{name}')).status).toBe(403);
  });

  it('looks at the arguments it was given, and at no others', async () => {
    const policy = rulesOf(
      `permit (principal, action == Action::"call", resource == Tool::"office/write_file")
         when { context.arguments has path && context.arguments.path like "/tmp/*" };
       permit (principal, action == Action::"call", resource == Tool::"office/read_file")
         when { context.arguments has path };`,
      { arguments: { office: { write_file: ['path'] } } },
    );
    const host = await policyHost({ policy });
    const caller = await open(host, 'office', 'acme/ann');
    expect(await listed(caller, 'tools/list')).toEqual(['write_file']);
    expect((await called(caller, 'write_file', { path: '/tmp/x' })).status).toBe(200);
    expect((await called(caller, 'write_file', { path: '/etc/x' })).status).toBe(403);
    expect((await called(caller, 'write_file')).status).toBe(403);
    expect((await called(caller, 'read_file', { path: '/tmp/x' })).status).toBe(403);
  });

  it('names the scopes that are missing', async () => {
    const policy = rulesOf(`
      permit (principal, action, resource) when {
        resource is Tool && resource.name == "wipe" &&
        principal.scopes.containsAll(["files:write", "files:wipe"])
      };
    `);
    const host = await policyHost({ policy });
    const refused = await called(await open(host, 'office', 'acme/ann//files:write'), 'wipe');
    expect(refused.status).toBe(403);
    expect(refused.challenge).toContain('error="insufficient_scope"');
    expect(refused.challenge).toContain('scope="files:write files:wipe"');
    const full = await open(host, 'office', 'acme/ann//files:write,files:wipe');
    expect((await called(full, 'wipe')).status).toBe(200);
    expect((await called(full, 'read_mail')).challenge).toBeUndefined();
  });
});

describe('a client that asks for the scopes it is told', () => {
  it('gets in once it has those of the door, of a policy and of the one before together', async () => {
    const issuer = await Issuer.start();
    const policy = rulesOf('', {
      sources: [],
      allow: [
        { scopes: ['read'], servers: ['files'], tools: ['other'] },
        { scopes: ['read', 'write'], servers: ['files'], tools: ['now'] },
      ],
    });
    const host = await hostOf(trusting(issuer, { requiredScopes: ['mcp'] }, { policy }));
    const asked: (string | undefined)[] = [];
    const scopeOf = (challenge: string | undefined): string | undefined =>
      /scope="([^"]*)"/.exec(challenge ?? '')?.[1];
    asked.push(scopeOf((await openAs(host, {})).header('www-authenticate')));
    const first = await issuer.token({ scope: `${asked[0]} notes` });
    const session = await TokenSession.open(host, first);
    const refused = await session.call().whole();
    expect(refused.status).toBe(403);
    asked.push(scopeOf(refused.header('www-authenticate')));
    session.token = await issuer.token({ scope: asked[1] });
    expect((await session.call().whole()).status).toBe(200);
    expect(asked).toEqual(['mcp', 'mcp read write notes']);
  });
});

describe.each(ERAS)('the merged endpoint before a client of %s', (_era, open) => {
  const policy = rulesOf(`
    permit (principal, action, resource in Server::"one") when {
      principal.groups.contains("readers") && resource is Tool && resource.name like "read_*"
    };
    permit (principal, action == Action::"read", resource in Server::"two") when {
      principal.scopes.contains("files") && resource.uri like "file:///public/*"
    };
  `);
  const servers = { one: officeOf(), two: officeOf() };

  it('decides by the servers and their own names, with the credential of the request', async () => {
    const host = await policyHost({ policy, all: { servers: undefined } }, servers);
    const reader = await open(host, 'all', 'acme/ann/readers');
    const other = await open(host, 'all', 'acme/ann//files');
    expect(await listed(reader, 'tools/list')).toEqual(['one__read_file', 'one__read_mail']);
    expect(await listed(other, 'tools/list')).toEqual([]);
    expect((await called(reader, 'one__read_mail')).answer.result).toBeDefined();
    for (const [caller, tool] of [
      [other, 'one__read_mail'],
      [reader, 'two__read_mail'],
      [reader, 'one__wipe'],
    ] as const) {
      expect((await called(caller, tool)).answer.error).toMatchObject({ code: -32600 });
    }
    const uri = 'file:///public/a';
    expect(await listed(other, 'resources/list')).toEqual([uri]);
    expect((await other.send('resources/read', { uri })).answer.result).toBeDefined();
    expect((await reader.send('resources/read', { uri })).answer.error).toBeDefined();
  });
});

describe('updates of resources', () => {
  const policy = rulesOf(`
    permit (principal, action, resource is Tool);
    permit (principal, action, resource is Resource) when { resource.uri like "file:///public*" };
    forbid (principal, action, resource is Resource) when { resource.uri like "*/own" };
  `);
  const touched = ['file:///secret/b', 'file:///public/own', 'file:///public/../secret/b'];
  const told = ['file:///public/a', 'file:///public/last'];

  it('tell a session of none that it may not subscribe, whatever its server says', async () => {
    const host = await policyHost({ policy });
    const caller = await caller2025(host, 'office', 'acme/ann');
    const stream = await caller.listen().head();
    await called(caller, 'read_file', { touched: [...touched, ...told] });
    await stream.message(told.length - 1);
    expect(stream.messages.map(({ params }) => (params as Json)['uri'])).toEqual(told);
  });

  it('tell a listen of none below it that it may not name', async () => {
    const host = await policyHost({ policy }, { office: officeOf({}, { isolation: 'principal' }) });
    const token = 'acme/ann';
    const request = listenTo(1, { resourceSubscriptions: ['file:///public'] }, { token });
    const stream = await host.send({ ...request, path: '/office/mcp' }).head();
    await stream.message(0);
    await called(caller2026(host, 'office', token), 'read_file', {
      touched: [...touched, ...told],
    });
    await stream.message(told.length);
    const updates = stream.messages.slice(1);
    expect(updates.map(({ params }) => (params as Json)['uri'])).toEqual(told);
  });

  it('end with the permission, and a subscription without one may be given up', async () => {
    const host = await policyHost({ policy });
    const caller = await caller2025(host, 'office', 'acme/ann');
    const stream = await caller.listen().head();
    const uri = 'file:///public/a';
    expect((await caller.send('resources/subscribe', { uri })).status).toBe(200);
    const other = rulesOf(
      `permit (principal, action, resource) unless { resource == Resource::"office/${uri}" };`,
    );
    host.gateway.reload({ ...host.config, policy: other });
    await called(caller, 'read_file', { touched: [uri, 'file:///public/last'] });
    expect(await stream.message(0)).toMatchObject({ params: { uri: 'file:///public/last' } });
    expect((await caller.send('resources/subscribe', { uri })).status).toBe(403);
    expect((await caller.send('resources/unsubscribe', { uri })).status).toBe(200);
  });

  it('end on a listen, too, whose other resources go on', async () => {
    const host = await policyHost({ policy }, { office: officeOf({}, { isolation: 'principal' }) });
    const token = 'acme/ann';
    const uris = ['file:///public/a', 'file:///public/b'];
    const request = listenTo(1, { resourceSubscriptions: uris }, { token });
    const stream = await host.send({ ...request, path: '/office/mcp' }).head();
    await stream.message(0);
    const other = rulesOf(
      `permit (principal, action, resource) unless { resource == Resource::"office/${uris[0]}" };`,
    );
    host.gateway.reload({ ...host.config, policy: other });
    await called(caller2026(host, 'office', token), 'read_file', { touched: uris });
    expect(await stream.message(1)).toMatchObject({ params: { uri: uris[1] } });
    expect(stream.isEnded).toBe(false);
  });

  it('follow the credential that subscribed', async () => {
    const scoped = rulesOf(`
      permit (principal, action, resource is Tool);
      permit (principal, action, resource) when { principal.scopes.contains("files") };
    `);
    const host = await policyHost({ policy: scoped });
    const caller = await caller2025(host, 'office', 'acme/ann');
    const stream = await caller.listen().head();
    const uri = 'file:///public/a';
    expect((await caller.send('resources/subscribe', { uri })).status).toBe(403);
    const more = await caller.as('acme/ann//files').send('resources/subscribe', { uri });
    expect(more.status).toBe(200);
    await called(caller, 'read_file', { touched: [uri] });
    expect(await stream.message(0)).toMatchObject({ params: { uri } });
  });
});

describe('another version of a policy', () => {
  it('is told what tools say of themselves, if it is the first to ask', async () => {
    const host = await policyHost({ all: { servers: undefined } });
    const token = 'acme/ann/readers';
    const caller = await caller2025(host, 'office', token);
    const merged = await caller2025(host, 'all', token, JSON_ALONE);
    expect((await called(caller, 'wipe')).status).toBe(200);
    host.gateway.reload({ ...host.config, policy: READERS });
    const outcomes = await Promise.all([
      ...[caller, caller2026(host, 'office', token)].flatMap((each) => [
        called(each, 'read_mail'),
        called(each, 'wipe'),
      ]),
      ...[merged, caller2026(host, 'all', token, JSON_ALONE)].flatMap((each) => [
        called(each, 'office__read_mail'),
        called(each, 'office__wipe'),
      ]),
    ]);
    expect(outcomes.map(({ status }) => status)).toEqual([200, 403, 200, 403, 200, 403, 200, 403]);
  });

  it('counts from the next request on, and ends nothing', async () => {
    const servers = { office: officeOf() };
    const host = await policyHost({ policy: READERS }, servers);
    const caller = await caller2025(host, 'office', 'acme/ann/readers');
    expect((await called(caller, 'read_file')).status).toBe(200);
    const { config } = host;
    const policy = rulesOf('permit (principal, action, resource == Tool::"office/wipe");');
    expect(host.gateway.reload({ ...config, policy })).toMatchObject({ kind: 'applied', kept: 1 });
    expect((await called(caller, 'read_file')).status).toBe(403);
    expect((await called(caller, 'wipe')).status).toBe(200);
    expect(await listed(caller, 'tools/list')).toEqual(['wipe']);
    const broken = host.gateway.reload({ ...config, policy: rulesOf('permit (') });
    expect(broken).toMatchObject({ kind: 'refused' });
    expect((await called(caller, 'wipe')).status).toBe(200);
    host.gateway.reload({ ...config, policy: undefined });
    expect((await called(caller, 'read_file')).status).toBe(200);
  });
});
