import { describe, expect, it } from 'vitest';
import type { AccessRequest } from '../../core/access.ts';
import { BARE_GRANT, type Grant } from '../../core/grant.ts';
import { principalOf } from '../../core/principal.ts';
import { Message } from '../../core/protocol/message.ts';
import type { PolicyAnswer, PolicyQuestion, PolicySet } from './policy-set.ts';
import { UNKNOWN_TOOL } from './tool-book.ts';
import { type Matter, Verdicts } from './verdicts.ts';

const ALLOW: PolicyAnswer = { decision: 'allow', policies: ['p'], failures: [] };
const DEFAULT: PolicyAnswer = { decision: 'default', policies: [], failures: [] };

/** Policies that say what a test says, and remember what they were asked. */
class Stage {
  readonly asked: PolicyQuestion[] = [];
  readonly open: unknown[] = [];
  readonly logged: unknown[] = [];
  answer: PolicyAnswer | ((question: PolicyQuestion) => PolicyAnswer) = ALLOW;
  couldAllow = true;
  closed = 0;
  now = 0;
  readonly verdicts: Verdicts;

  constructor(named: readonly string[] = [], scopesNamed: readonly (readonly string[])[] = []) {
    const policies = {
      names: (attribute: string) => named.includes(attribute),
      scopesNamed,
      decide: (question: PolicyQuestion) => {
        this.asked.push(question);
        return typeof this.answer === 'function' ? this.answer(question) : this.answer;
      },
      couldAllow: (question: PolicyQuestion, open: unknown) => {
        this.open.push([question.context, open]);
        return this.couldAllow;
      },
      close: () => {
        this.closed += 1;
      },
    } as unknown as PolicySet;
    const telemetry = {
      log: (...line: unknown[]) => void this.logged.push(line),
      count() {},
      request() {},
      streamClosed() {},
    };
    const chosen = { files: { write: ['path'] } };
    this.verdicts = new Verdicts(policies, chosen, telemetry, () => this.now);
  }
}

function requestOf(grant: Partial<Grant> = {}, address = '192.0.2.1', tenant = 't'): AccessRequest {
  return {
    principal: principalOf({ tenant, issuer: 'i', subject: 'ann', clientId: '' }),
    grant: { ...BARE_GRANT, ...grant },
    server: 'files',
    era: '2025',
    address,
    message: Message.request('1', 'tools/call', '{}'),
  };
}

function toolMatter(name: string, args: Matter['arguments'] = { given: {} }): Matter {
  const thing = { server: 'files', target: { kind: 'tool', name }, facts: UNKNOWN_TOOL } as const;
  return { action: 'call', thing, arguments: args };
}

/** With arguments that are not known. */
function openMatter(name: string): Matter {
  return { ...toolMatter(name), arguments: undefined };
}

const READ = toolMatter('read');
const writeOf = (path: unknown): Matter => toolMatter('write', { given: { path, more: 1 } });

describe('a verdict', () => {
  it('is what the policies say, and is asked for once', () => {
    const stage = new Stage();
    const verdict = stage.verdicts.of(requestOf(), READ);
    expect(verdict).toEqual({ isAllowed: true, policies: ['p'], isByDefault: false });
    expect(stage.verdicts.of(requestOf({}, '192.0.2.2'), READ)).toBe(verdict);
    expect(stage.asked).toHaveLength(1);
    expect(stage.asked[0]?.context).toEqual({ era: '2025', method: 'tools/call', arguments: {} });
    stage.answer = DEFAULT;
    expect(stage.verdicts.of(requestOf(), toolMatter('other'))).toEqual({
      isAllowed: false,
      policies: [],
      isByDefault: true,
    });
    stage.answer = { decision: 'forbid', policies: ['f'], failures: [] };
    expect(stage.verdicts.of(requestOf({ scopes: ['s'] }), READ)).toEqual({
      isAllowed: false,
      policies: ['f'],
      isByDefault: false,
    });
  });

  it('is another one for other arguments that policies look at, and for no others', () => {
    const stage = new Stage();
    for (const path of ['a', 'b', 'a']) stage.verdicts.of(requestOf(), writeOf(path));
    expect(stage.asked.map(({ context }) => context['arguments'])).toEqual([
      { path: 'a' },
      { path: 'b' },
    ]);
    for (const more of [1, 2]) {
      stage.verdicts.of(requestOf(), toolMatter('read', { given: { more } }));
    }
    expect(stage.asked).toHaveLength(3);
  });

  it('about arguments that are not known is whether any would do', () => {
    const stage = new Stage();
    const unknown = openMatter('write');
    const verdict = stage.verdicts.of(requestOf(), unknown);
    expect(verdict).toEqual({ isAllowed: true, policies: [], isByDefault: false });
    expect(stage.verdicts.of(requestOf(), unknown)).toBe(verdict);
    const context = { era: '2025', method: 'tools/call', arguments: {} };
    expect([stage.open, stage.asked]).toEqual([[[context, ['arguments']]], []]);
    stage.couldAllow = false;
    expect(stage.verdicts.of(requestOf({ scopes: ['s'] }), unknown).isAllowed).toBe(false);
    // Where none is looked at there is nothing to know.
    stage.verdicts.of(requestOf(), openMatter('read'));
    expect([stage.open.length, stage.asked.length]).toEqual([2, 1]);
  });

  it('follows the address where policies name it', () => {
    const stage = new Stage(['address']);
    for (const address of ['192.0.2.1', '192.0.2.2', '192.0.2.1']) {
      stage.verdicts.of(requestOf({}, address), READ);
    }
    stage.verdicts.of(requestOf(), openMatter('write'));
    const ip = { __extn: { fn: 'ip', arg: '192.0.2.1' } };
    expect(stage.asked).toHaveLength(2);
    expect(stage.asked[0]?.context).toMatchObject({ address: ip });
    expect(stage.open).toMatchObject([[{ address: ip }, ['arguments']]]);
    expect(stage.asked[0]?.context).not.toHaveProperty('time');
  });

  it('follows the time by the second where policies name it', () => {
    const stage = new Stage(['time']);
    for (const now of [1000, 1999, 2000]) {
      stage.now = now;
      stage.verdicts.of(requestOf(), READ);
    }
    expect(stage.asked.map(({ context }) => context['time'])).toEqual(
      ['01', '02'].map((s) => ({ __extn: { fn: 'datetime', arg: `1970-01-01T00:00:${s}.000Z` } })),
    );
    expect(stage.asked[0]?.context).not.toHaveProperty('address');
  });

  it('is none that anybody makes of what cannot be shown, and is logged once for each kind', () => {
    const stage = new Stage();
    const refused = { isAllowed: false, policies: [], isByDefault: false };
    for (let i = 0; i < 2; i += 1) {
      expect(stage.verdicts.of(requestOf(), writeOf('\ud83d'))).toEqual(refused);
      const claims = { role: '\ud83d' };
      expect(stage.verdicts.of(requestOf({ claims }), READ)).toEqual(refused);
    }
    const why = 'it holds what policies cannot be shown';
    expect(stage.asked).toEqual([]);
    expect(stage.logged).toEqual([
      ['error', 'policy_failed', { policy: 'argument', why }],
      ['error', 'policy_failed', { policy: 'claim', why }],
    ]);
  });

  it('tells once of each policy that fails', () => {
    const stage = new Stage();
    const failures = ['p', 'q', 'p'].map((policy) => ({ policy, why: `${policy} fails` }));
    stage.answer = { ...ALLOW, failures };
    for (const name of ['a', 'b']) stage.verdicts.of(requestOf(), toolMatter(name));
    expect(stage.logged).toEqual(
      ['p', 'q'].map((policy) => ['error', 'policy_failed', { policy, why: `${policy} fails` }]),
    );
  });

  it('is remembered among so many, unless it says too much', () => {
    const stage = new Stage();
    const ask = (name: string): number => {
      const before = stage.asked.length;
      stage.verdicts.of(requestOf(), toolMatter(name));
      return stage.asked.length - before;
    };
    for (let i = 0; i < 20_000; i += 1) ask(`${i}`);
    expect([ask('0'), ask('one more'), ask('0'), ask('2')]).toEqual([0, 1, 1, 0]);
    expect(ask('1')).toBe(1);
    const around = 'x'.repeat(1990);
    const isKept = Array.from({ length: 60 }, (_, more) => {
      ask(around + 'x'.repeat(more));
      return ask(around + 'x'.repeat(more)) === 0;
    });
    const kept = isKept.indexOf(false);
    expect(kept).toBeGreaterThan(0);
    expect(isKept.slice(kept)).not.toContain(true);
    // `1 2025 call tool 0101 10:tools/call5:files<chars>:` and the name.
    const prefix = '1 2025 call tool 0101 10:tools/call5:files2000:'.length;
    expect(around.length + kept + prefix).toBe(2049);
  });

  it('of one tenant is pushed out by no other, whatever that asks', () => {
    const stage = new Stage();
    const neighbour = requestOf({}, undefined, 'quiet');
    stage.verdicts.of(neighbour, READ);
    for (let i = 0; i < 20_001; i += 1) stage.verdicts.of(requestOf(), writeOf(`${i}`));
    const before = stage.asked.length;
    stage.verdicts.of(neighbour, READ);
    expect(stage.asked.length).toBe(before);
    stage.verdicts.of(requestOf(), writeOf('0'));
    expect(stage.asked.length).toBe(before + 1);
  });

  it('is forgotten with its policies', () => {
    const stage = new Stage();
    stage.verdicts.of(requestOf(), READ);
    stage.verdicts.close();
    expect(stage.closed).toBe(1);
    stage.verdicts.of(requestOf(), READ);
    expect(stage.asked).toHaveLength(2);
  });
});

describe('scopes that would do', () => {
  const scopesIn = ({ entities }: PolicyQuestion): readonly string[] =>
    (entities[0]?.attrs['scopes'] ?? []) as readonly string[];

  it('are those of the first way that leads in, beside those there are', () => {
    const stage = new Stage([], [['x'], ['y', 'a'], ['z']]);
    stage.answer = (question) => (scopesIn(question).includes('y') ? ALLOW : DEFAULT);
    expect(stage.verdicts.scopesFor(requestOf({ scopes: ['a'] }), READ)).toEqual(['y', 'a']);
    expect(stage.asked.map(scopesIn)).toEqual([
      ['a', 'x', 'y', 'z'],
      ['a', 'x'],
      ['a', 'y'],
    ]);
  });

  it('are none, as one question tells, where all of them together do not lead in', () => {
    const stage = new Stage([], [['x'], ['y', 'a'], ['z']]);
    stage.answer = DEFAULT;
    expect(stage.verdicts.scopesFor(requestOf({ scopes: ['a'] }), READ)).toBeUndefined();
    expect(stage.asked.map(scopesIn)).toEqual([['a', 'x', 'y', 'z']]);
  });

  it('are looked for where there is one way, and where there is none nobody is asked', () => {
    const one = new Stage([], [['x']]);
    one.answer = (question) => (scopesIn(question).includes('x') ? ALLOW : DEFAULT);
    expect(one.verdicts.scopesFor(requestOf(), READ)).toEqual(['x']);
    const none = new Stage();
    none.answer = DEFAULT;
    expect(none.verdicts.scopesFor(requestOf(), READ)).toBeUndefined();
    expect(none.asked).toEqual([]);
  });

  it('are found beside others that are forbidden, among sixteen ways', () => {
    const ways = Array.from({ length: 20 }, (_, i) => [`s${i}`]);
    const stage = new Stage([], ways);
    const forbid: PolicyAnswer = { ...DEFAULT, decision: 'forbid' };
    stage.answer = (question) => (scopesIn(question).length > 1 ? forbid : DEFAULT);
    expect(stage.verdicts.scopesFor(requestOf(), READ)).toBeUndefined();
    expect(stage.asked).toHaveLength(17);
    const leading = toolMatter('leading');
    stage.answer = (question) => {
      if (scopesIn(question).length > 1) return forbid;
      return scopesIn(question).includes('s15') ? ALLOW : DEFAULT;
    };
    expect(stage.verdicts.scopesFor(requestOf(), leading)).toEqual(['s15']);
  });
});

it('what tools say of themselves matters where a policy names any of it', () => {
  for (const fact of Object.keys(UNKNOWN_TOOL)) {
    expect(new Stage([fact]).verdicts.looksAtTools).toBe(true);
  }
  expect(new Stage(['address', 'time']).verdicts.looksAtTools).toBe(false);
});
