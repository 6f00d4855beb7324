import fc from 'fast-check';
import { describe, expect, it, onTestFinished, vi } from 'vitest';
import type { AccessRequest, AccessVerdict } from '../../core/access.ts';
import { BARE_GRANT, type Grant, UNKNOWN_GRANT } from '../../core/grant.ts';
import type { LogFields, Telemetry } from '../../core/ports.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import { cedarOfAllow } from './allow-rules.ts';
import { PolicyAccess } from './policy-access.ts';
import type { AllowRule, PolicyRules } from './policy-rules.ts';
import { Verdicts } from './verdicts.ts';

class Log implements Telemetry {
  readonly lines: LogFields[] = [];

  log(_level: string, event: string, fields: LogFields): void {
    this.lines.push({ event, ...fields });
  }

  count(): void {}
  request(): void {}
  streamClosed(): void {}
}

interface Built {
  readonly access: PolicyAccess;
  readonly log: Log;
  now: number;
}

function accessOf(rules: Partial<PolicyRules> | string): Built {
  const log = new Log();
  const built: Built = {
    log,
    now: 0,
    access: new PolicyAccess({ telemetry: log, wallMs: () => built.now }),
  };
  use(built.access, rules);
  return built;
}

function use(access: PolicyAccess, rules: Partial<PolicyRules> | string): void {
  const given = typeof rules === 'string' ? { sources: [{ name: 'p', text: rules }] } : rules;
  access.prepare({ sources: [], allow: [], arguments: {}, ...given })();
}

function requestOf(
  method: string,
  params: object = {},
  { grant = {}, ...more }: Partial<Omit<AccessRequest, 'grant'>> & { grant?: Partial<Grant> } = {},
): AccessRequest {
  return {
    principal: principalOf({ tenant: 't', issuer: 'i', subject: 'ann', clientId: 'c' }),
    grant: { ...BARE_GRANT, ...grant },
    server: 'files',
    era: '2025',
    address: '10.1.2.3',
    message: Message.request('1', method, JSON.stringify(params)),
    ...more,
  };
}

function isAllowed({ refusal }: AccessVerdict): boolean {
  return refusal === undefined;
}

function callOf(name: string, given: unknown = {}): AccessRequest {
  return requestOf('tools/call', { name, arguments: given });
}

const ALL = 'permit (principal, action, resource);';

describe('without policies', () => {
  const list = Message.result('1', '{"tools":[{"name":"a"}]}');

  it('all is allowed, and nothing is looked at', () => {
    const access = new PolicyAccess({ telemetry: new Log(), wallMs: () => 0 });
    expect([access.isIdle, access.learn]).toEqual([true, undefined]);
    expect(access.decide(callOf('a'))).toEqual({ refusal: undefined, policies: [] });
    expect(access.filter(requestOf('tools/list'), list)).toBe(list);
  });

  it('it is again once they are taken away, and those of before decide nothing', () => {
    const { access } = accessOf('forbid (principal, action, resource);');
    expect([access.isIdle, isAllowed(access.decide(callOf('a')))]).toEqual([false, false]);
    const closed = vi.spyOn(Verdicts.prototype, 'close');
    onTestFinished(() => closed.mockRestore());
    access.prepare(undefined)();
    expect([access.isIdle, isAllowed(access.decide(callOf('a')))]).toEqual([true, true]);
    expect(closed).toHaveBeenCalledTimes(1);
  });
});

describe('policies that come later', () => {
  it('decide about tasks that began before there were any', () => {
    const access = new PolicyAccess({ telemetry: new Log(), wallMs: () => 0 });
    const made = Message.result('1', '{"task":{"taskId":"t1"}}');
    access.filter(requestOf('tools/call', { name: 'a', task: {} }), made);
    use(access, 'permit (principal, action, resource == Tool::"files/a");');
    expect(isAllowed(access.decide(requestOf('tasks/get', { taskId: 't1' })))).toBe(true);
    expect(isAllowed(access.decide(requestOf('tasks/get', { taskId: 't2' })))).toBe(false);
    const other = Message.result('1', '{"task":{"taskId":"t2"}}');
    access.filter(requestOf('prompts/get', { name: 'a' }), other);
    expect(isAllowed(access.decide(requestOf('tasks/get', { taskId: 't2' })))).toBe(false);
  });
});

describe('what tools say of themselves', () => {
  const SAFE =
    'permit (principal, action, resource) when { resource has readOnly && resource.readOnly };';
  const tools = [{ name: 'safe', annotations: { readOnlyHint: true } }, { name: 'bold' }, {}, 7];

  it('is learned where policies look at it, and nowhere else', () => {
    const { access } = accessOf(SAFE);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(false);
    access.learn?.('files', tools);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(true);
    expect(isAllowed(access.decide(callOf('bold')))).toBe(false);
    const unread = { ...callOf('safe'), tools: new Map() };
    expect(isAllowed(access.decide(unread))).toBe(false);
    expect(accessOf(ALL).access.learn).toBeUndefined();
  });

  it('is replaced when they change, for whom they changed', () => {
    const { access } = accessOf(SAFE);
    const bold = [{ name: 'safe' }];
    access.learn?.('files', tools);
    access.relearn('files', 'other', bold);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(true);
    const { tenant } = callOf('safe').principal;
    access.relearn('files', tenant, bold);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(false);
    access.relearn('files', undefined, tools);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(true);
    access.forget('files', undefined);
    expect(isAllowed(access.decide(callOf('safe')))).toBe(false);
  });

  it('is forgotten for whom it is forgotten, and of the server it was said of', () => {
    const { access } = accessOf(SAFE);
    const { tenant } = callOf('safe').principal;
    const isSafe = (): boolean => isAllowed(access.decide(callOf('safe')));
    access.relearn('files', tenant, tools);
    for (const [server, of] of [
      ['files', 'other'],
      ['mail', undefined],
      ['file', undefined],
    ] as const) {
      access.forget(server, of);
      expect(isSafe()).toBe(true);
    }
    access.forget('files', tenant);
    expect(isSafe()).toBe(false);
    access.learn?.('files', tools);
    access.forget('files', tenant);
    expect(isSafe()).toBe(true);
  });

  it('is of a tool that has a name, and of no other', () => {
    const nameless = { annotations: { readOnlyHint: true } };
    for (const learn of ['learn', 'relearn'] as const) {
      const { access } = accessOf(SAFE);
      if (learn === 'learn') access.learn?.('files', [nameless, { ...nameless, name: 7 }]);
      else access.relearn('files', undefined, [nameless, { ...nameless, name: 7 }]);
      for (const name of ['undefined', '7']) {
        expect(isAllowed(access.decide(callOf(name)))).toBe(false);
      }
    }
  });

  it('is learned from lists that pass by, for their tenant alone', () => {
    const { access } = accessOf(SAFE);
    const list = Message.result('1', JSON.stringify({ tools: tools.slice(0, 2) }));
    const { value } = access.filter(requestOf('tools/list'), list);
    expect(value).toEqual({ tools: [tools[0]] });
    expect(isAllowed(access.decide(callOf('safe')))).toBe(true);
    const other = principalOf({ tenant: 'u', issuer: 'i', subject: 'ann', clientId: 'c' });
    expect(isAllowed(access.decide({ ...callOf('safe'), principal: other }))).toBe(false);
  });
});

describe('what tools say where a call goes', () => {
  const SAFE = 'permit (principal, action, resource) when { resource.readOnly };';
  const safe = [{ name: 'a', annotations: { readOnlyHint: true } }];
  const bold = [{ name: 'a' }];

  it.each([
    ['safe where both say so', safe, safe, true],
    ['not safe where its own conversation says so', bold, safe, false],
    ['not safe where it was heard of last', safe, bold, false],
    ['not safe where its own conversation has no such tool', [], safe, false],
    ['not safe where nothing was heard of it', safe, [], false],
  ])('a tool is %s', (_, there, heard, isSafe) => {
    const { access } = accessOf(SAFE);
    access.learn?.('files', heard);
    const tools = access.factsOf('files', there);
    expect(isAllowed(access.decide({ ...callOf('a'), tools }))).toBe(isSafe);
  });

  it('a tool that is not there may do anything, and is forbidden what such a tool is', () => {
    const { access } = accessOf(
      `${ALL} forbid (principal, action, resource)
         when { resource has destructive && resource.destructive };`,
    );
    const mild = [{ name: 'a', annotations: { destructiveHint: false } }];
    access.learn?.('files', mild);
    const allowed = [mild, []].map((there) => {
      const tools = access.factsOf('files', there);
      return isAllowed(access.decide({ ...callOf('a'), tools }));
    });
    expect(allowed).toEqual([true, false]);
  });

  it.each([
    ['permits no tool', 'permit (principal, action, resource is Resource);', true],
    ['permits another', 'permit (principal, action, resource == Tool::"files/b");', true],
    ['permits all', ALL, false],
    ['looks at readOnly', SAFE, false],
    [
      'looks at all',
      `${ALL} forbid (principal, action, resource) unless
       { !resource.readOnly && !resource.destructive && resource.idempotent && !resource.openWorld };`,
      false,
    ],
    [
      'asks for what no tool is',
      `${ALL} forbid (principal, action, resource) unless
       { resource.readOnly && resource.destructive };`,
      true,
    ],
    [
      'would do with a scope',
      `permit (principal, action, resource)
       when { resource.readOnly && principal.scopes.contains("s") };`,
      false,
    ],
  ])(
    'a refusal is foregone, whatever the tool says, where a policy %s: %#',
    (_, text, isForegone) => {
      const { access } = accessOf(text);
      const verdict = access.foregone(callOf('a'));
      expect(verdict?.refusal).toEqual(isForegone ? { error: 'FORBIDDEN' } : undefined);
      expect(access.foregone({ ...callOf('a'), grant: UNKNOWN_GRANT })).toBeUndefined();
      access.prepare(undefined)();
      expect(access.foregone(callOf('a'))).toBeUndefined();
    },
  );

  it('it is of tools that have a name, and shared while it stays the same', () => {
    const { access } = accessOf(SAFE);
    const tools = access.factsOf('files', [...safe, {}, 7, { name: 7 }]);
    expect([...tools.keys()]).toEqual(['a']);
    expect(access.factsOf('files', safe)).toBe(tools);
    expect(access.factsOf('files', bold)).not.toBe(tools);
  });

  it('what no conversation says more of is asked about once', () => {
    const { access } = accessOf(ALL);
    const tools = access.factsOf('files', safe);
    const of = vi.spyOn(Verdicts.prototype, 'of');
    onTestFinished(() => of.mockRestore());
    access.decide(callOf('a'));
    access.decide({ ...requestOf('resources/read', { uri: 'f:a' }), tools });
    expect(of).toHaveBeenCalledTimes(2);
    access.decide({ ...callOf('a'), tools });
    expect(of).toHaveBeenCalledTimes(4);
  });
});

describe('lists of other kinds', () => {
  const rules = [
    'permit (principal, action == Action::"get", resource) when { resource.name == "a" };',
    'permit (principal, action == Action::"read", resource) when { resource.uri == "f:a" };',
  ].join('\n');

  it.each([
    ['prompts/list', 'prompts', 'name', 'a', 'b'],
    ['resources/list', 'resources', 'uri', 'f:a', 'f:b'],
    ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'f:a', 'f:{x}'],
  ])('%s holds what may be had of it, as its own kind', (method, member, key, shown, hidden) => {
    const { access } = accessOf(rules);
    const items = [{ [key]: shown }, { [key]: hidden }];
    const list = Message.result('1', JSON.stringify({ [member]: items }));
    expect(access.filter(requestOf(method), list).value).toEqual({ [member]: [items[0]] });
    expect(isAllowed(access.decide(requestOf(method)))).toBe(true);
  });

  it.each([
    ['tools/list', 'tools', 'name', 'tools/call'],
    ['prompts/list', 'prompts', 'name', 'prompts/get'],
    ['resources/list', 'resources', 'uri', 'resources/read'],
    ['resources/templates/list', 'resourceTemplates', 'uriTemplate', 'resources/read'],
  ])('%s is judged by the method its entries are used by', (method, member, key, use) => {
    const { access } = accessOf(
      `permit (principal, action, resource) when { context.method == "${use}" };
       forbid (principal, action, resource)
         when { context.method == "${use}" && (resource has name && resource.name == "b:" ||
           resource has uri && resource.uri == "b:") };`,
    );
    const items = [{ [key]: 'a:' }, { [key]: 'b:' }];
    const list = Message.result('1', JSON.stringify({ [member]: items }));
    expect(access.filter(requestOf(method), list).value).toEqual({ [member]: [items[0]] });
  });

  it('prompts/list holds prompts by their names alone, though one looks like a URI', () => {
    const { access } = accessOf(
      'permit (principal, action, resource) when { resource.name == "A:/../b" };',
    );
    const list = Message.result('1', '{"prompts":[{"name":"A:/../b"}]}');
    expect(access.filter(requestOf('prompts/list'), list)).toBe(list);
  });

  it('tasks/list holds tasks of tools that may be called, and none that nobody began', () => {
    const rule =
      'permit (principal, action == Action::"call", resource) when { resource.name == "a" };';
    const { access } = accessOf(rule);
    const made = Message.result('1', '{"task":{"taskId":"t1"}}');
    access.filter(requestOf('tools/call', { name: 'a', task: {} }), made);
    const tasks = [{ taskId: 't1' }, { taskId: 't2' }];
    const list = Message.result('1', JSON.stringify({ tasks }));
    expect(access.filter(requestOf('tasks/list'), list).value).toEqual({ tasks: [tasks[0]] });
  });

  it('is not given where a policy forbids lists, or changed for nobody and for an error', () => {
    const { access } = accessOf('forbid (principal, action == Action::"list", resource);');
    expect(isAllowed(access.decide(requestOf('tools/list')))).toBe(false);
    const list = Message.result('1', '{"prompts":[{"name":"b"}]}');
    const nobody = { ...requestOf('prompts/list'), grant: UNKNOWN_GRANT };
    expect(access.filter(nobody, list)).toBe(list);
    const error = '{"code":1,"message":"m","prompts":[{"name":"b"}]}';
    const failed = new Message('response', '1', undefined, true, error);
    expect(access.filter(requestOf('prompts/list'), failed)).toBe(failed);
  });

  it('a request that asks several questions names the policies of all, each once', () => {
    const { access } = accessOf(
      [
        'permit (principal, action, resource) when { resource.uri == "f:a" };',
        'permit (principal, action, resource) when { resource.uri like "f:*" };',
      ].join('\n'),
    );
    const notifications = { resourceSubscriptions: ['f:a', 'f:b'] };
    const verdict = access.decide(requestOf('subscriptions/listen', { notifications }));
    expect([isAllowed(verdict), [...verdict.policies].toSorted()]).toEqual([true, ['p:1', 'p:2']]);
    const one = requestOf('resources/read', { uri: 'f:b' });
    expect(access.decide(one).policies).toBe(access.decide(one).policies);
    expect(access.decide(one).policies).toEqual(['p:2']);
  });

  it('without a credential we may ask for tools and for what a server is, and for nothing else', () => {
    const { access } = accessOf('forbid (principal, action, resource);');
    const asked = (method: string): boolean =>
      isAllowed(access.decide({ ...requestOf(method), grant: UNKNOWN_GRANT }));
    expect(['tools/list', 'ping', 'prompts/list'].map(asked)).toEqual([true, true, false]);
  });
});

describe('what is asked', () => {
  it('is nothing of what tells nothing, and everything of the rest', () => {
    const { access } = accessOf('forbid (principal, action, resource);');
    for (const method of ['initialize', 'ping', 'server/discover', 'logging/setLevel']) {
      expect(isAllowed(access.decide(requestOf(method)))).toBe(true);
    }
    const refused: readonly (readonly [string, object])[] = [
      ['tools/list', {}],
      ['tools/call', { name: 'x' }],
      ['prompts/get', { name: 'x' }],
      ['resources/read', { uri: 'x:' }],
      ['resources/subscribe', { uri: 'x:' }],
      ['completion/complete', { ref: { type: 'ref/prompt', name: 'x' } }],
      ['subscriptions/listen', { notifications: { resourceSubscriptions: ['x:'] } }],
      ['tasks/get', { taskId: 'x' }],
      ['tasks/list', {}],
    ];
    for (const [method, params] of refused) {
      expect([method, isAllowed(access.decide(requestOf(method, params)))]).toEqual([
        method,
        false,
      ]);
    }
  });

  it('is refused where policies have no words for it, even if all is permitted', () => {
    const { access } = accessOf(ALL);
    for (const [method, params] of [
      ['files/own', {}],
      ['tools/call', { name: 7 }],
      ['tools/call', {}],
      ['prompts/get', { name: '\ud800' }],
      ['completion/complete', { ref: { type: 'ref/else' } }],
    ] as const) {
      expect([method, isAllowed(access.decide(requestOf(method, params)))]).toEqual([
        method,
        false,
      ]);
    }
  });

  it('is every URI of a listen', () => {
    const { access } = accessOf(
      'permit (principal, action == Action::"subscribe", resource) when { resource.uri like "a:*" };',
    );
    const listen = (...uris: string[]) =>
      isAllowed(
        access.decide(
          requestOf('subscriptions/listen', { notifications: { resourceSubscriptions: uris } }),
        ),
      );
    expect([listen(), listen('a:1'), listen('a:1', 'b:1')]).toEqual([true, true, false]);
  });

  it('is forbidden however its URI is encoded, and permitted as it is written', () => {
    const { access } = accessOf(
      `permit (principal, action, resource) when { resource.uri like "file:///*%20*" };
       permit (principal, action, resource) when { resource.uri like "file:///public/*" };
       forbid (principal, action, resource) when { resource.uri like "file:///public/own*" };`,
    );
    const isRead = (uri: string): boolean =>
      isAllowed(access.decide(requestOf('resources/read', { uri })));
    expect(isRead('file:///a%20b')).toBe(true);
    expect(isRead('file:///a b')).toBe(false);
    for (const own of ['own', '%6Fwn', 'x/..%2fown', '..%2Fsecret', '..%2F..%2Fetc']) {
      expect(isRead(`file:///public/${own}`)).toBe(false);
    }
    expect(isRead('file:///public/x%2F..%2Fa')).toBe(true);
    const resources = ['a%2Fb', 'own', '%6fwn', 'o%77n/x'].map((each) => ({
      uri: `file:///public/${each}`,
    }));
    const list = Message.result('1', JSON.stringify({ resources }));
    const shown = access.filter(requestOf('resources/list'), list);
    expect(shown.value).toEqual({ resources: [{ uri: 'file:///public/a%2Fb' }] });
  });

  it('is a URI in every form a server may read it in, of lists too', () => {
    const { access } = accessOf(
      `permit (principal, action, resource) when { resource.uri like "file:///public/*" };
       forbid (principal, action, resource) when { resource.uri == "file:///public/own" };`,
    );
    const uris = ['a', '../secret/b', '%2e%2e/secret/b', 'x/../own', 'x/../a'].map(
      (path) => `file:///public/${path}`,
    );
    const asked = (method: string, paramsOf: (uri: string) => object): readonly boolean[] =>
      uris.map((uri) => isAllowed(access.decide(requestOf(method, paramsOf(uri)))));
    const expected = [true, false, false, false, true];
    for (const method of ['resources/read', 'resources/subscribe']) {
      expect(asked(method, (uri) => ({ uri }))).toEqual(expected);
    }
    const refOf = (uri: string) => ({ ref: { type: 'ref/resource', uri } });
    expect(asked('completion/complete', refOf)).toEqual(expected);
    const listenTo = (uri: string) => ({ notifications: { resourceSubscriptions: [uri] } });
    expect(asked('subscriptions/listen', listenTo)).toEqual(expected);
    const list = Message.result('1', JSON.stringify({ resources: uris.map((uri) => ({ uri })) }));
    expect(access.filter(requestOf('resources/list'), list).value).toEqual({
      resources: [{ uri: uris[0] }, { uri: uris[4] }],
    });
  });

  it('is of no use to who comes with no known credential', () => {
    const { access } = accessOf(ALL);
    const asked = { ...callOf('x'), grant: UNKNOWN_GRANT };
    expect(isAllowed(access.decide(asked))).toBe(false);
    const list = { ...requestOf('tools/list'), grant: UNKNOWN_GRANT };
    expect(isAllowed(access.decide(list))).toBe(true);
  });
});

describe('V43 what policies see', () => {
  const rules = (text: string): Partial<PolicyRules> => ({
    sources: [{ name: 'p', text }],
    arguments: { files: { write: ['path', 'options.mode'] } },
  });

  it('is the value of the message that is sent on', () => {
    const { access } = accessOf(
      rules('permit (principal, action, resource) when { context.arguments.path == "/a" };'),
    );
    const escaped = Message.request(
      '1',
      'tools/call',
      '{"name":"wr\\u0069te","arguments":{"pa\\u0074h":"\\u002fa"}}',
    );
    expect(isAllowed(access.decide({ ...callOf('write'), message: escaped }))).toBe(true);
    expect(isAllowed(access.decide(callOf('write', { Path: '/a' })))).toBe(false);
    expect(isAllowed(access.decide(callOf('write', { path: '/b', Path: '/a' })))).toBe(false);
  });

  it('cannot be made an entity, a function or anything else by how keys are named', () => {
    const { access } = accessOf(rules(ALL));
    for (const path of [
      { __entity: { type: 'User', id: 'root' } },
      { __extn: { fn: 'ip', arg: '10.0.0.1' } },
      { __expr: '1' },
      [[{ deep: { __entity: {} } }]],
      'half \ud800',
    ]) {
      expect(isAllowed(access.decide(callOf('write', { path })))).toBe(false);
    }
    for (const path of ['x', 7, 1.5, true, null, ['a', 1], { a: { b: 'c' } }]) {
      expect(isAllowed(access.decide(callOf('write', { path })))).toBe(true);
    }
  });

  it('holds inner arguments by their paths', () => {
    const { access } = accessOf(
      rules(
        'permit (principal, action, resource) when { context.arguments["options.mode"] == 1 };',
      ),
    );
    expect(isAllowed(access.decide(callOf('write', { options: { mode: 1 } })))).toBe(true);
    expect(isAllowed(access.decide(callOf('write', { 'options.mode': 1 })))).toBe(true);
    const both = { options: { mode: 2 }, 'options.mode': 1 };
    expect(isAllowed(access.decide(callOf('write', both)))).toBe(false);
  });
});

describe('an error', () => {
  it('of a permit permits nothing, of a forbid forbids, and each is logged once', () => {
    const { access, log } = accessOf(
      `@id("bad permit") permit (principal, action, resource) when { principal.nothing == 1 };
       @id("good permit") permit (principal, action, resource == Tool::"files/a");
       @id("bad forbid") forbid (principal, action, resource == Tool::"files/b")
         when { principal.claims.dept == "x" };
       permit (principal, action, resource == Tool::"files/b");`,
    );
    expect(access.decide(callOf('a'))).toEqual({ refusal: undefined, policies: ['good permit'] });
    const refused = access.decide(callOf('b'));
    expect(refused).toMatchObject({ refusal: { error: 'FORBIDDEN' }, policies: ['bad forbid'] });
    access.decide(callOf('c'));
    expect(log.lines.map(({ event, policy }) => [event, policy])).toEqual([
      ['policy_failed', 'bad permit'],
      ['policy_failed', 'bad forbid'],
    ]);
  });

  it('of a claim that lies too deep for its text to be made denies, too', () => {
    const { access } = accessOf(ALL);
    const depth = 100_000;
    const deep: unknown = JSON.parse('['.repeat(depth) + ']'.repeat(depth));
    const grant = { claims: { deep } };
    expect(isAllowed(access.decide(requestOf('tools/call', { name: 'a' }, { grant })))).toBe(false);
  });

  it('of a claim that cannot be shown denies, and is logged once; null is as if absent', () => {
    const { access, log } = accessOf(
      `permit (principal, action, resource);
       forbid (principal, action, resource)
         when { principal.claims has roles && principal.claims.roles.contains("guest") };`,
    );
    const rolesOf = (roles: unknown): AccessRequest =>
      requestOf('tools/call', { name: 'a' }, { grant: { claims: { roles } } });
    const many = Array.from({ length: 300 }, (_, index) => `r${index}`);
    const asked = [['a'], ['guest'], ['guest', ...many], ['guest', null], ['a', null], null, many];
    const allowed = [true, false, false, false, true, true, false];
    expect(asked.map((each) => isAllowed(access.decide(rolesOf(each))))).toEqual(allowed);
    expect(log.lines).toEqual([
      { event: 'policy_failed', policy: 'claim', why: 'it holds what policies cannot be shown' },
    ]);
  });

  it('of an argument that cannot be shown denies, and is logged once', () => {
    const { access, log } = accessOf({
      sources: [{ name: 'p', text: ALL }],
      arguments: { files: { write: ['ids'] } },
    });
    const idsOf = (length: number): AccessRequest =>
      callOf('write', { ids: Array.from({ length }, (_, index) => index) });
    expect([256, 257, 300].map((each) => isAllowed(access.decide(idsOf(each))))).toEqual([
      true,
      false,
      false,
    ]);
    expect(isAllowed(access.decide(callOf('write', { ids: [1, null] })))).toBe(true);
    expect(log.lines.map(({ policy }) => policy)).toEqual(['argument']);
  });

  it('of the text leaves what counted before', () => {
    const { access } = accessOf(ALL);
    expect(() => use(access, 'permit (')).toThrow('p:1');
    const sources = ['a', 'b'].map((name) => ({ name, text: 'permit (' }));
    expect(() => use(access, { sources })).toThrow(/^The policies cannot be read: a:1: .* b:1: /);
    expect(isAllowed(access.decide(callOf('a')))).toBe(true);
  });
});

describe('a verdict', () => {
  it('is remembered for one version of the policies', () => {
    const { access } = accessOf(ALL);
    expect(isAllowed(access.decide(callOf('a')))).toBe(true);
    use(access, 'forbid (principal, action, resource);');
    expect(isAllowed(access.decide(callOf('a')))).toBe(false);
    use(access, ALL);
    expect(isAllowed(access.decide(callOf('a')))).toBe(true);
  });

  it('follows the time and the address where policies name them', () => {
    const built = accessOf(
      `permit (principal, action, resource) when {
         context.time < datetime("1970-01-02") && context.address.isInRange(ip("10.0.0.0/8")) };`,
    );
    const decide = (address?: string) =>
      isAllowed(
        built.access.decide({ ...callOf('a'), ...(address === undefined ? {} : { address }) }),
      );
    expect([decide(), decide('::ffff:10.0.0.1'), decide('11.0.0.1'), decide('?')]).toEqual([
      true,
      true,
      false,
      false,
    ]);
    built.now = 2 * 86_400_000;
    expect(decide()).toBe(false);
  });

  it('names what the credential lacks, and only what it could have', () => {
    const { access } = accessOf(
      `permit (principal, action, resource == Tool::"files/a") when {
         principal.scopes.contains("x") };
       permit (principal, action, resource == Tool::"files/b") when {
         principal.scopes.containsAll(["y", "z"]) && principal.groups.contains("g") };`,
    );
    expect(access.decide(callOf('a')).refusal?.scopes).toEqual(['x']);
    expect(access.decide(callOf('b')).refusal?.scopes).toBeUndefined();
    const grant = { groups: ['g'] };
    const b = requestOf('tools/call', { name: 'b' }, { grant });
    expect(access.decide(b).refusal?.scopes).toEqual(['y', 'z']);
  });

  it('names no scopes where a policy forbids: whoever wrote it meant no', () => {
    const { access } = accessOf(
      `permit (principal, action, resource) when { principal.scopes.contains("x") };
       forbid (principal, action, resource) unless { principal.scopes.contains("x") };`,
    );
    expect(access.decide(callOf('a')).refusal).toEqual({ error: 'FORBIDDEN' });
  });

  it('about a task is that of its tool, for whoever began it', () => {
    const { access } = accessOf('permit (principal, action, resource == Tool::"files/a");');
    const begun = (task: object) => Message.result('1', JSON.stringify(task));
    access.filter(callOf('a'), begun({ task: { taskId: 'ours' } }));
    access.filter(callOf('b'), begun({ resultType: 'task', taskId: 'hidden' }));
    const get = (taskId: string, subject = 'ann') =>
      isAllowed(
        access.decide(
          requestOf(
            'tasks/get',
            { taskId },
            { principal: principalOf({ tenant: 't', issuer: 'i', subject, clientId: 'c' }) },
          ),
        ),
      );
    expect([get('ours'), get('hidden'), get('none'), get('ours', 'bob')]).toEqual([
      true,
      false,
      false,
      false,
    ]);
  });
});

const NAMES = ['a', 'ab', 'b', 'read_a', 'read_b', '*', 'a"b', 'é'];
const names = fc.uniqueArray(fc.constantFrom(...NAMES), { minLength: 1, maxLength: 3 });
const patterns = fc.uniqueArray(fc.constantFrom('a', 'b', 'read_*', '*b', '*'), {
  minLength: 1,
  maxLength: 2,
});
const some = <T>(value: fc.Arbitrary<T>): fc.Arbitrary<T | undefined> =>
  fc.option(value, { nil: undefined });
const rule: fc.Arbitrary<AllowRule> = fc.record({
  groups: some(names),
  scopes: some(names),
  tenants: some(fc.constant(['t'])),
  servers: some(patterns),
  tools: some(patterns),
  prompts: some(patterns),
  readOnly: some(fc.boolean()),
});
const tool = fc.record({
  name: fc.constantFrom(...NAMES),
  annotations: fc.record({ readOnlyHint: fc.boolean() }, { requiredKeys: [] }),
});
const world = fc.record({
  rules: fc.array(rule, { maxLength: 4 }),
  forbidden: some(fc.constantFrom(...NAMES)),
  groups: names,
  scopes: names,
  server: fc.constantFrom('a', 'read_b', 'x'),
  tools: fc.uniqueArray(tool, { maxLength: 6, selector: ({ name }) => name }),
});

describe('V20 a list', () => {
  it('holds what may be called and nothing else, whatever the policies and the tools', () => {
    fc.assert(
      fc.property(world, ({ rules, forbidden, groups, scopes, server, tools }) => {
        const text =
          forbidden === undefined
            ? ''
            : `forbid (principal, action, resource) when { resource has name && resource.name == ${JSON.stringify(forbidden)} };`;
        const { access } = accessOf({ allow: rules, sources: [{ name: 'p', text }] });
        const more = { server, grant: { groups, scopes } };
        const payload = JSON.stringify({ tools, nextCursor: 'n', big: 1 });
        const answer = Message.result('1', payload.replace('"big":1', '"big":1e400'));
        const list = access.filter(requestOf('tools/list', {}, more), answer);
        const shown = (list.value as { tools: { name: string }[] }).tools.map(({ name }) => name);
        const callable = tools
          .map(({ name }) => name)
          .filter((name) => isAllowed(access.decide(requestOf('tools/call', { name }, more))));
        expect(shown).toEqual(callable);
        expect(list.payload).toContain('"big":1e400');
      }),
      { numRuns: 150 },
    );
  });

  it('is the same message when nothing is taken out, and nobody else may keep it', () => {
    const { access } = accessOf(ALL);
    const answer = Message.result('1', '{"tools":[{"name":"a"}]}');
    expect(access.filter(requestOf('tools/list'), answer)).toBe(answer);
    const open = Message.result('1', '{"tools":[{"name":"a"}],"cacheScope":"public"}');
    expect(access.filter(requestOf('tools/list'), open).value).toEqual({
      tools: [{ name: 'a' }],
      cacheScope: 'private',
    });
  });

  it('shows a tool whose arguments decide, if any could be allowed', () => {
    const { access } = accessOf({
      sources: [
        {
          name: 'p',
          text: `permit (principal, action, resource == Tool::"files/w")
                   when { context.arguments has path && context.arguments.path like "/tmp/*" };
                 permit (principal, action, resource == Tool::"files/never")
                   when { principal.tenant == "u" && context.arguments.path == "x" };`,
        },
      ],
      arguments: { files: { w: ['path'], never: ['path'] } },
    });
    const answer = Message.result('1', '{"tools":[{"name":"w"},{"name":"never"}]}');
    expect(access.filter(requestOf('tools/list'), answer).value).toEqual({
      tools: [{ name: 'w' }],
    });
    expect(isAllowed(access.decide(callOf('w', { path: '/tmp/a' })))).toBe(true);
    expect(isAllowed(access.decide(callOf('w', { path: '/etc/a' })))).toBe(false);
  });
});

describe('the short form', () => {
  it('spells whatever names hold', () => {
    fc.assert(
      fc.property(fc.string({ unit: 'binary', maxLength: 20 }), (name) => {
        const plain = name.replaceAll('*', '');
        const { access } = accessOf({ allow: [{ groups: [name], tools: [plain] }] });
        const grant = { groups: [name] };
        const call = (called: string): boolean =>
          isAllowed(access.decide(requestOf('tools/call', { name: called }, { grant })));
        expect([call(plain), call(`${plain}.`)]).toEqual([true, false]);
      }),
      { numRuns: 100 },
    );
  });

  it('is one permit of Cedar', () => {
    expect(cedarOfAllow({ groups: ['dev'], tools: ['read_*'], readOnly: true })).toBe(
      [
        'permit (principal, action, resource) when {',
        '  principal.groups.containsAny(["dev"]) &&',
        '  ((resource is Tool && (resource.name like "read_*"))) &&',
        '  (!(resource is Tool) || resource.readOnly)',
        '};',
      ].join('\n'),
    );
    expect(cedarOfAllow({})).toBe('permit (principal, action, resource);');
  });
});
