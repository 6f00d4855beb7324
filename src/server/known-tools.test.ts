/** When a server's tools are read, how long what they say counts, and what counts meanwhile. */
import { describe, expect, it } from 'vitest';
import type { Access, ToolFacts, ToolsThere } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import { Message } from '../core/protocol/message.ts';
import { VirtualClock } from '../testing/virtual-clock.ts';
import type { Instance } from './instance.ts';
import type { CallOwner, UpstreamCall } from './upstream-call.ts';
import { KnownTools } from './known-tools.ts';
import { OUR_ENVELOPE } from './our-envelope.ts';

const CHANGED = Message.notification('notifications/tools/list_changed');
const BUSY: Refusal = { error: 'UPSTREAM_BUSY' };
const KEPT_MS = 60_000;

interface Asked {
  readonly call: UpstreamCall;
  readonly owner: CallOwner;
  readonly message: Message;
}

/** A server that answers when the test does. */
class Server {
  readonly clock = new VirtualClock(1000);
  readonly asked: Asked[] = [];
  readonly aside: unknown[] = [];
  readonly cancelled: unknown[] = [];
  refusal: Refusal | undefined;
  starts = 1;
  state: string;
  readonly era: string;
  readonly ports: object;
  readonly pending = { setAside: (call: unknown) => void this.aside.push(call) };

  constructor(state = 'ready', era = 'legacy', toolFactsMsMax = KEPT_MS) {
    this.state = state;
    this.era = era;
    this.ports = { clock: this.clock, limits: { toolFactsMsMax }, tenant: 'acme' };
  }

  get instance(): Instance {
    return this as unknown as Instance;
  }

  request(owner: CallOwner, message: Message): UpstreamCall | Refusal {
    if (this.refusal !== undefined) return this.refusal;
    const call = { number: this.asked.length } as UpstreamCall;
    this.asked.push({ call, owner, message });
    return call;
  }

  cancel(call: UpstreamCall, reason: string): void {
    this.cancelled.push([call, reason]);
  }

  answer(value: object): void {
    this.#newest.owner.answered(this.#newest.call, Message.result('0', JSON.stringify(value)));
  }

  fail(): void {
    const error = new Message('response', '0', undefined, true, '{"code":-32603,"message":"m"}');
    this.#newest.owner.answered(this.#newest.call, error);
  }

  lose(): void {
    this.#newest.owner.lost(this.#newest.call, BUSY);
  }

  get #newest(): Asked {
    const newest = this.asked.at(-1);
    if (newest === undefined) throw new Error('Nothing was asked.');
    return newest;
  }
}

/** Remembers what it is told; facts are the tools themselves. */
class Told {
  readonly steps: unknown[] = [];
  learn: Access['learn'] = () => {};
  relearn = (...told: unknown[]): void => void this.steps.push(['relearn', ...told]);
  forget = (...told: unknown[]): void => void this.steps.push(['forget', ...told]);

  factsOf(server: string, tools: readonly unknown[]): ToolsThere {
    return new Map(tools.map((tool) => [`${server}/${String(tool)}`, {} as ToolFacts]));
  }
}

interface Built {
  readonly server: Server;
  readonly told: Told;
  readonly known: KnownTools;
  /** What counts now, by names. */
  readonly now: () => readonly string[] | 'due' | undefined;
  /** Reads the tools. @returns how many were told that it is over. */
  readonly read: () => () => number;
}

function knownOf(server = new Server()): Built {
  const told = new Told();
  const known = new KnownTools(told as unknown as Access, 'files');
  const now = (): readonly string[] | 'due' | undefined => {
    const tools = known.of(server.instance);
    return tools === undefined || tools === 'due' ? tools : [...tools.keys()];
  };
  const read = (): (() => number) => {
    let count = 0;
    expect(known.read(server.instance, () => (count += 1))).toBe(true);
    return () => count;
  };
  return { server, told, known, now, read };
}

describe('the tools of a server', () => {
  it.each([
    ['starting', 'due'],
    ['ready', 'due'],
    ['waiting', undefined],
    ['closed', undefined],
  ])('that is %s are %s, before they were read', (state, expected) => {
    expect(knownOf(new Server(state)).now()).toBe(expected);
  });

  it('are read once for all that wait, beside what is in flight, and told to verdicts', () => {
    const { server, told, now, read } = knownOf();
    const over = [read(), read()];
    expect(server.asked.map(({ message }) => [message.method, message.payload])).toEqual([
      ['tools/list', '{}'],
    ]);
    expect(server.aside).toEqual([server.asked[0]?.call]);
    expect([now(), over.map((count) => count())]).toEqual(['due', [0, 0]]);
    server.answer({ tools: ['a', 'b'] });
    expect([now(), over.map((count) => count())]).toEqual([
      ['files/a', 'files/b'],
      [1, 1],
    ]);
    expect(told.steps).toEqual([['relearn', 'files', 'acme', ['a', 'b']]]);
    expect([server.asked.length, server.cancelled, server.clock.pending]).toEqual([1, [], 0]);
    expect(knownOf(server).now()).toBe('due');
  });

  it('are asked for as the server’s protocol has it', () => {
    const { server, read } = knownOf(new Server('ready', 'modern'));
    read();
    expect(server.asked[0]?.message.value).toEqual({ _meta: OUR_ENVELOPE });
  });

  it('are on all pages, of which a hundred are read', () => {
    const { server, now, read } = knownOf();
    const over = read();
    for (let page = 1; page < 100; page += 1) {
      server.answer({ tools: [page], nextCursor: `${page}` });
      expect(server.asked.at(-1)?.message.value).toEqual({ cursor: `${page}` });
      expect(over()).toBe(0);
    }
    server.answer({ tools: [100], nextCursor: 'more' });
    expect([over(), server.asked.length, server.aside.length]).toEqual([1, 100, 100]);
    expect(now()).toHaveLength(100);
  });

  it('may be as many as a message holds', () => {
    const { server, now, read } = knownOf();
    read();
    server.answer({ tools: Array.from({ length: 300_000 }, () => 'a') });
    expect(now()).toEqual(['files/a']);
  });

  it.each([{}, { tools: 7 }, { tools: [], nextCursor: 7 }])(
    'are none where it says %j',
    (value) => {
      const { server, told, now, read } = knownOf();
      const over = read();
      server.answer(value);
      expect([now(), over(), server.asked.length]).toEqual([[], 1, 1]);
      expect(told.steps).toEqual([['relearn', 'files', 'acme', []]]);
    },
  );

  it('are not waited for by more than a thousand', () => {
    const { server, known, read } = knownOf();
    const over = Array.from({ length: 1000 }, () => read());
    let isToo = false;
    expect(known.read(server.instance, () => (isToo = true))).toBe(false);
    server.answer({ tools: [] });
    expect([over.every((count) => count() === 1), isToo]).toEqual([true, false]);
    read();
    expect(server.asked).toHaveLength(2);
  });

  it('are others once it was started anew', () => {
    const { server, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    server.starts = 2;
    expect(now()).toBe('due');
    read();
    server.fail();
    expect(now()).toEqual([]);
  });

  it('are undefined where nobody asks what they say', () => {
    const { server, told, now, read } = knownOf();
    Object.assign(told, { factsOf: undefined, relearn: undefined });
    read();
    expect(now()).toBe('due');
    server.answer({ tools: ['a'] });
    expect(now()).toBeUndefined();
  });
});

describe('what tools say', () => {
  it.each([
    [KEPT_MS, KEPT_MS],
    [1, 1],
    [0, 1],
  ])('counts where at most %i ms may pass for %i', (max, keptMs) => {
    const { server, now, read } = knownOf(new Server('ready', 'legacy', max));
    read();
    server.answer({ tools: ['a'] });
    server.clock.advance(keptMs - 1);
    expect(now()).toEqual(['files/a']);
    server.clock.advance(1);
    expect(now()).toBe('due');
  });

  it.each([
    ['fails', (server: Server) => server.fail()],
    ['is lost', (server: Server) => server.lose()],
    ['takes three seconds', (server: Server) => server.clock.advance(3000)],
  ])('is nothing where reading it %s, and is asked for again after five seconds', (_, fail) => {
    const { server, told, now, read } = knownOf();
    const over = read();
    fail(server);
    expect([now(), over(), told.steps, server.clock.pending]).toEqual([[], 1, [], 0]);
    server.clock.advance(4999);
    expect(now()).toEqual([]);
    server.clock.advance(1);
    expect(now()).toBe('due');
    read();
    server.answer({ tools: ['a'] });
    expect(now()).toEqual(['files/a']);
  });

  it('is nothing of a page before one that fails', () => {
    const { server, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'], nextCursor: 'n' });
    server.fail();
    expect(now()).toEqual([]);
  });

  it('is given up after three seconds, and the server is told so', () => {
    const { server, read } = knownOf();
    const over = read();
    server.answer({ tools: ['a'], nextCursor: 'n' });
    server.clock.advance(2999);
    expect([over(), server.cancelled]).toEqual([0, []]);
    server.clock.advance(1);
    expect(over()).toBe(1);
    expect(server.cancelled).toEqual([[server.asked[1]?.call, 'it took too long']]);
  });

  it('is nothing of a server that takes no request, and nobody is told before they wait', async () => {
    const { server, now, read } = knownOf();
    server.refusal = BUSY;
    const over = read();
    expect([now(), over()]).toEqual(['due', 0]);
    await Promise.resolve();
    expect([now(), over(), server.clock.pending, server.aside]).toEqual([[], 1, 0, []]);
  });

  it('is waited for while the server starts, and three seconds after', () => {
    const { server, read } = knownOf(new Server('starting'));
    const over = read();
    server.clock.advance(6500);
    server.state = 'ready';
    server.clock.advance(5499);
    expect([over(), server.cancelled.length]).toEqual([0, 0]);
    server.clock.advance(1);
    expect([over(), server.cancelled.length, server.clock.pending]).toEqual([1, 1, 0]);
  });

  it('counts on for as long again where it cannot be read once more, and no longer', () => {
    const { server, told, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    server.clock.advance(2 * KEPT_MS - 1);
    read();
    server.fail();
    expect(now()).toEqual(['files/a']);
    server.clock.advance(5000);
    expect(now()).toBe('due');
    read();
    server.fail();
    expect([now(), told.steps.length]).toEqual([[], 1]);
  });

  it('is nothing at the end of that while', () => {
    const { server, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    server.clock.advance(2 * KEPT_MS);
    read();
    server.fail();
    expect(now()).toEqual([]);
  });
});

describe('tools that changed', () => {
  it('are read at once, and those of before count no more', () => {
    const { server, told, known, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    known.listChanged(server.instance, Message.notification('notifications/prompts/list_changed'));
    expect(server.asked).toHaveLength(1);
    known.listChanged(server.instance, CHANGED);
    expect([server.asked.length, now()]).toEqual([2, 'due']);
    const over = read();
    expect(server.asked).toHaveLength(2);
    server.answer({ tools: ['b'] });
    expect([now(), over()]).toEqual([['files/b'], 1]);
    expect(told.steps.at(-1)).toEqual(['relearn', 'files', 'acme', ['b']]);
  });

  it('say nothing where they cannot be read: what was known counts no more', () => {
    const { server, told, known, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    known.listChanged(server.instance, CHANGED);
    server.fail();
    expect(now()).toEqual([]);
    expect(told.steps.at(-1)).toEqual(['relearn', 'files', 'acme', []]);
    server.clock.advance(5000);
    read();
    server.fail();
    expect([now(), told.steps.length]).toEqual([[], 2]);
  });

  it('while they are read are read once more', () => {
    const { server, known, now, read } = knownOf();
    const over = read();
    for (let i = 0; i < 2; i += 1) known.listChanged(server.instance, CHANGED);
    expect(server.asked).toHaveLength(1);
    server.answer({ tools: ['a'] });
    expect([over(), now(), server.asked.length]).toEqual([1, 'due', 2]);
    const after = read();
    server.answer({ tools: ['b'] });
    expect([over(), after(), now(), server.asked.length]).toEqual([1, 1, ['files/b'], 2]);
    expect(server.clock.pending).toBe(0);
  });

  it('whenever they are asked for are read once a second, and count never', () => {
    const { server, known, now, read } = knownOf();
    read();
    for (let i = 0; i <= 5; i += 1) {
      known.listChanged(server.instance, CHANGED);
      server.answer({ tools: ['a'] });
      expect(now()).toBe('due');
      // The first change was the first, and did not wait.
      if (i > 0) {
        const asked = server.asked.length;
        const over = read();
        known.listChanged(server.instance, CHANGED);
        server.clock.advance(999);
        expect([server.asked.length, over(), now()]).toEqual([asked, 0, 'due']);
        server.clock.advance(1);
        expect([server.asked.length, over(), now()]).toEqual([asked + 1, 0, 'due']);
      }
    }
    server.answer({ tools: ['b'] });
    expect([now(), server.clock.pending]).toEqual([['files/b'], 0]);
  });

  it('are read without a pause where they were read a while ago', () => {
    const { server, known, now } = knownOf();
    for (let i = 1; i <= 3; i += 1) {
      known.listChanged(server.instance, CHANGED);
      expect(server.asked).toHaveLength(i);
      server.answer({ tools: ['a'] });
      expect(now()).toEqual(['files/a']);
      server.clock.advance(i < 3 ? 1000 : 999);
    }
    known.listChanged(server.instance, CHANGED);
    expect([server.asked.length, now()]).toEqual([3, 'due']);
    server.clock.advance(1);
    expect(server.asked).toHaveLength(4);
  });

  it('while they are read are not read once more where no verdict looks any more', () => {
    const { server, told, known, now, read } = knownOf();
    read();
    told.learn = undefined;
    known.listChanged(server.instance, CHANGED);
    server.answer({ tools: ['a'] });
    expect([now(), server.asked.length, server.clock.pending]).toEqual(['due', 1, 0]);
  });

  it.each([
    ['the conversation is over', ({ server }: Built) => (server.state = 'waiting'), undefined],
    ['it is another one', ({ server }: Built) => (server.starts = 2), 'due'],
    ['no verdict looks any more', ({ told }: Built) => (told.learn = undefined), 'due'],
  ])('are not read after the pause where %s, and nobody waits', (_, end, expected) => {
    const built = knownOf();
    const { server, known, now, read } = built;
    for (let i = 0; i < 2; i += 1) {
      known.listChanged(server.instance, CHANGED);
      if (i === 0) server.answer({ tools: ['a'] });
    }
    const over = read();
    end(built);
    server.clock.advance(1000);
    expect([over(), server.asked.length, now()]).toEqual([1, 1, expected]);
    expect(server.clock.pending).toBe(0);
  });

  it('that could not be read are asked for every five seconds until they can, whoever calls', () => {
    const { server, told, known, now } = knownOf();
    known.listChanged(server.instance, CHANGED);
    server.fail();
    expect([now(), told.steps.length]).toEqual([[], 1]);
    for (let i = 2; i <= 4; i += 1) {
      server.clock.advance(4999);
      expect(server.asked).toHaveLength(i - 1);
      server.clock.advance(1);
      expect([server.asked.length, now()]).toEqual([i, 'due']);
      if (i < 4) server.fail();
    }
    // Others may have said something better meanwhile: it is told that nobody knows once.
    expect(told.steps).toEqual([['relearn', 'files', 'acme', []]]);
    server.answer({ tools: ['a'] });
    expect([now(), told.steps.at(-1)]).toEqual([['files/a'], ['relearn', 'files', 'acme', ['a']]]);
    expect(server.clock.pending).toBe(0);
  });

  it('that could not be read are asked for once by a call and by the clock', () => {
    const { server, known, read } = knownOf();
    known.listChanged(server.instance, CHANGED);
    server.fail();
    server.clock.advance(4000);
    known.listChanged(server.instance, CHANGED);
    server.fail();
    expect([server.asked.length, server.clock.pending]).toEqual([2, 1]);
    server.clock.advance(5000);
    expect(server.asked).toHaveLength(3);
    const over = read();
    server.answer({ tools: ['a'] });
    expect([over(), server.asked.length, server.clock.pending]).toEqual([1, 3, 0]);
  });

  it.each([
    ['the conversation is over', ({ server }: Built) => (server.state = 'closed')],
    ['it is another one', ({ server }: Built) => (server.starts = 2)],
    ['no verdict looks any more', ({ told }: Built) => (told.learn = undefined)],
  ])('that could not be read are asked for no more where %s', (_, end) => {
    const built = knownOf();
    const { server, known } = built;
    known.listChanged(server.instance, CHANGED);
    server.fail();
    end(built);
    server.clock.advance(60_000);
    expect([server.asked.length, server.clock.pending]).toEqual([1, 0]);
  });

  it.each([
    ['over', (server: Server) => (server.state = 'waiting')],
    ['another one', (server: Server) => (server.starts = 2)],
  ])('are nothing to other conversations where the one that said so is %s', (_, end) => {
    const { server, told, known } = knownOf();
    known.listChanged(server.instance, CHANGED);
    end(server);
    server.lose();
    expect([told.steps, server.clock.pending]).toEqual([[], 0]);
  });

  it.each([0, 1])('while they are read say nothing where the reading after %i fails', (good) => {
    const { server, told, known, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    server.clock.advance(KEPT_MS);
    read();
    known.listChanged(server.instance, CHANGED);
    if (good === 1) server.answer({ tools: ['b'] });
    else server.fail();
    expect(now()).toBe('due');
    server.fail();
    expect(now()).toEqual([]);
    expect(told.steps.at(-1)).toEqual(['relearn', 'files', 'acme', []]);
  });

  it('are forgotten where no verdict looks at them now, and read when one does', () => {
    const { server, told, known, now, read } = knownOf();
    read();
    server.answer({ tools: ['a'] });
    told.learn = undefined;
    known.listChanged(server.instance, CHANGED);
    expect([now(), server.asked.length]).toEqual(['due', 1]);
    expect(told.steps.at(-1)).toEqual(['forget', 'files', 'acme']);
    Object.assign(told, { forget: undefined });
    known.listChanged(server.instance, CHANGED);
    told.learn = () => {};
    read();
    server.fail();
    expect(now()).toEqual([]);
  });
});
