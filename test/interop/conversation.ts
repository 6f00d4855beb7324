/** One conversation, whole: what every client does with every harbour, each step a test. */
import { existsSync, readFileSync } from 'node:fs';
import { afterAll, beforeAll, describe, expect, it } from 'vitest';
import { gateOf, type Gate } from '../clients/gate.ts';
import type { Person } from '../clients/person.ts';
import { Signal } from '../wire/signal.ts';
import type { Guest } from './guests.ts';
import type { Harbour, Started } from './harbours.ts';
import { isReady } from './toolchains.ts';

const TIDE = 'test://tide';
const UPDATED = `notifications/resources/updated ${TIDE}`;

const TOOLS = ['count', 'echo', 'elicit', 'fail', 'log', 'roots', 'sample', 'touch', 'wait'];

/** What a client has in its hands when a test starts. */
interface Parties {
  readonly person: Person;
  /** Where the server writes down what became of its calls. */
  readonly log: string;
}

interface Traits {
  readonly serverName: string;
  readonly version: string | undefined;
  readonly tellsOfUpdates: boolean;
  readonly hasLogLevel: boolean;
}

/** Each guest converses with a harbour of its own. What this machine has no toolchain for is skipped. */
export function meetIn(harbour: Harbour, guests: readonly Guest[]): void {
  const isHere = harbour.toolchain === undefined || isReady(harbour.toolchain);
  describe.runIf(isHere)(harbour.name, () => {
    for (const guest of guests.filter(({ era }) => harbour.serves(era))) meet(harbour, guest);
  });
}

function meet(harbour: Harbour, guest: Guest): void {
  describe.runIf(guest.isReady)(`for the ${guest.name}`, () => {
    let started: Started | undefined;
    let gate: Gate | undefined;
    let person: Person | undefined;

    beforeAll(async () => {
      started = await harbour.start();
      gate = await gateOf({ upstream: started.upstream });
      person = await guest.connect(gate);
    });

    afterAll(async () => {
      await person?.close();
      await gate?.close();
      await started?.stop();
    });

    const parties = (): Parties => {
      if (person === undefined || started === undefined) throw new Error('They did not meet.');
      return { person, log: started.log };
    };
    holdConversation(parties, {
      serverName: harbour.serverName,
      version: guest.version,
      tellsOfUpdates: harbour.tellsOfUpdates(guest.era),
      hasLogLevel: harbour.hasLogLevel,
    });
  });
}

function holdConversation(parties: () => Parties, traits: Traits): void {
  it('connects, and agrees on a revision', () => {
    const { person } = parties();
    expect(person.serverName).toBe(traits.serverName);
    if (traits.version !== undefined) expect(person.version).toBe(traits.version);
  });

  it('lists tools, resources and prompts', async () => {
    const { person } = parties();
    expect([...(await person.tools())].sort()).toEqual(TOOLS);
    expect(await person.counts()).toEqual([1, 0, 1]);
  });

  it('calls a tool, and gets its words as they are', async () => {
    const text = 'fair wind — ⛵ "quoted"\n\u0000 end';
    expect(await parties().person.call('echo', { text })).toBe(text);
  });

  it('gets a large result whole', async () => {
    const text = 'ebb and flow '.repeat(40_000);
    expect(await parties().person.call('echo', { text })).toBe(text);
  });

  it('is told that a tool failed', async () => {
    await expect(parties().person.call('fail')).rejects.toThrow(/failed: .*fail/is);
  });

  it('is refused a resource that is not there', async () => {
    await expect(parties().person.read('test://nowhere')).rejects.toThrow();
  });

  it('hears the progress of its call, in order', async () => {
    const seen: number[] = [];
    const onProgress = (progress: number): void => void seen.push(progress);
    expect(await parties().person.call('count', {}, { onProgress })).toBe('counted to 3');
    // One SDK forgets a call over SSE the moment its result comes, with what came in the same piece.
    if (traits.version === undefined) expect([1, 2, 3].slice(0, seen.length)).toEqual(seen);
    else await expect.poll(() => seen).toEqual([1, 2, 3]);
  });

  it('hears what its call logs', async () => {
    const { person } = parties();
    if (traits.hasLogLevel) await person.hearLogs();
    expect(await person.call('log', {}, { logLevel: 'debug' })).toBe('logged');
    await person.told.until(({ logs }) => logs.includes('the harbour logs'), 'the log');
  });

  it.each([
    ['elicit', 'Hello, Ann!'],
    ['sample', 'Polly'],
    ['roots', 'file:///home/ann'],
  ])('answers a question in mid-call: %s', async (tool, words) => {
    expect(await parties().person.call(tool)).toBe(words);
  });

  it('reads a resource, gets a prompt, and has an argument completed', async () => {
    const { person } = parties();
    expect(await person.read(TIDE)).toBe('high');
    expect(await person.prompt('greet', { name: 'Ann' })).toContain('Greet Ann.');
    expect(await person.complete('greet', 'name', 'A')).toEqual(['Ann', 'Anton']);
  });

  it.runIf(traits.tellsOfUpdates)('hears that a resource it watches changed', async () => {
    const { person } = parties();
    await person.watch(TIDE);
    person.told.changes.length = 0;
    expect(await person.call('touch')).toBe('touched');
    await person.told.until(({ changes }) => changes.includes(UPDATED), UPDATED);
  });

  it('has its call cancelled at the server', async () => {
    const { person, log } = parties();
    await giveUpACall(person);
    const noted = (): string => (existsSync(log) ? readFileSync(log, 'utf8') : '');
    await expect.poll(noted, { timeout: 10_000 }).toBe('cancelled\n');
    expect(await person.call('echo', { text: 'still here' })).toBe('still here');
  });

  it('has twenty calls answered at once, each with its own', async () => {
    const { person } = parties();
    const texts = Array.from({ length: 20 }, (_, index) => `call ${index}`);
    const said = await Promise.all(texts.map((text) => person.call('echo', { text })));
    expect(said).toEqual(texts);
  });
}

async function giveUpACall(person: Person): Promise<void> {
  const canceller = new AbortController();
  const running = new Signal();
  let isRunning = false;
  const onProgress = (): void => {
    isRunning = true;
    running.fire();
  };
  const call = person.call('wait', { ms: 15_000 }, { onProgress, signal: canceller.signal });
  const refused = call.then(
    () => 'answered',
    () => 'given up',
  );
  await running.until(() => isRunning, 'the call to run');
  canceller.abort();
  // A client may wait for the server to say that it stopped.
  await Promise.race([refused, new Promise((resolve) => setTimeout(resolve, 1000).unref())]);
}
