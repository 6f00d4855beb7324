/**
 * Networks fail. Each client comes back in its own way, with nothing of ours in it: what was in
 * flight is answered, and the conversation goes on.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import type { EndpointOptions } from 'tidegate';
import { Signal } from '../wire/signal.ts';
import { slowCalls, WATCHED } from './busy-servers.ts';
import { gateTo, type Gate } from './gate.ts';
import type { Person } from './person.ts';
import { sdkV1OverHttp, sdkV1OverSse } from './sdk-v1.ts';
import { sdkV2OverHttp, sdkV2OverSse, sdkV2Stateless } from './sdk-v2.ts';
import type { ServerName } from './servers.ts';

const OVER_HTTP = [
  ['SDK v1 over Streamable HTTP', sdkV1OverHttp],
  ['SDK v2 over Streamable HTTP', sdkV2OverHttp],
] as const;
const OVER_SSE = [
  ['SDK v1 over SSE', sdkV1OverSse],
  ['SDK v2 over SSE', sdkV2OverSse],
] as const;

async function gate(server: ServerName, options?: Partial<EndpointOptions>): Promise<Gate> {
  const opened = await gateTo(server, options);
  onTestFinished(() => opened.close());
  return opened;
}

/** That something may have changed, since the last time this was asked. */
async function heard({ told }: Person, change: string): Promise<void> {
  await told.until(({ changes }) => changes.includes(change), change);
  told.changes.length = 0;
}

async function untilStreams({ endpoint }: Gate, count: number): Promise<void> {
  await expect.poll(() => endpoint.status.streams, { timeout: 10_000, interval: 5 }).toBe(count);
}

describe.each(OVER_HTTP)('%s', (client, connect) => {
  async function connected(to: Gate): Promise<Person> {
    const person = await connect(to);
    await untilStreams(to, 1);
    return person;
  }

  it('gets the answer of a call in flight when its connection was cut, and all progress once', async () => {
    const to = await gate('v2');
    const person = await connected(to);
    const name = `cut under ${client}`;
    const values: number[] = [];
    const signal = new Signal();
    const onProgress = (progress: number): void => {
      values.push(progress);
      signal.fire();
    };
    const call = person.call('slow', { name, ms: 1000 }, { onProgress });
    await signal.until(() => values.length >= 3, 'progress');
    expect(to.relay.cut()).toBeGreaterThan(0);
    expect(await call).toBe(`slow ${name}`);
    await slowCalls.until(name, 'finished');
    expect(values).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 50));
    expect(to.relay.heads.some((head) => /^last-event-id: /im.test(head))).toBe(true);
    expect(to.endpoint.status.sessions).toBe(1);
    await person.close();
  });

  it('hears once of what changed while it was away', async () => {
    const to = await gate('v2', { isolation: 'shared' });
    const person = await connected(to);
    const other = await connect({ ...to, ...to.direct });
    await untilStreams(to, 2);
    await person.watch(WATCHED);
    to.relay.cut();
    await untilStreams(to, 1);
    await other.call('touch');
    const updated = `notifications/resources/updated ${WATCHED}`;
    await person.told.until(({ changes }) => changes.includes(updated), 'the update');
    await person.call('test_simple_text');
    expect(person.told.changes.filter((change) => change === updated)).toHaveLength(1);
    await Promise.all([person.close(), other.close()]);
  });

  it('goes on after ten cuts, in one session', async () => {
    const to = await gate('v1');
    const person = await connected(to);
    for (let cut = 0; cut < 10; cut += 1) {
      to.relay.cut();
      await untilStreams(to, 0);
      await untilStreams(to, 1);
      expect(await person.call('test_simple_text')).toContain('simple');
    }
    expect(to.endpoint.status.sessions).toBe(1);
    await person.close();
  });

  it('does not come back again and again for an answer that was an error, or is none', async () => {
    // Version 1 takes only a result for the end of its stream.
    const to = await gate('v1', { limits: { retryMs: 20 } });
    const person = await connected(to);
    const gets = (): number => to.relay.heads.filter((head) => head.startsWith('GET')).length;
    await expect(person.prompt('fails_slowly')).rejects.toThrow(/slowly/);
    const before = gets();
    await person.call('slow', { name: `after an error of ${client}`, ms: 500 });
    expect(gets() - before).toBeLessThanOrEqual(1);
    const canceller = new AbortController();
    const name = `cancelled, then not asked for, by ${client}`;
    const call = person.call('slow', { name, ms: 20_000 }, { signal: canceller.signal });
    const refused = expect(call).rejects.toThrow();
    await slowCalls.until(name, 'running');
    await untilStreams(to, 2);
    canceller.abort();
    await refused;
    await slowCalls.until(name, 'cancelled');
    await person.call('slow', { name: `after a cancellation by ${client}`, ms: 500 });
    expect(gets() - before).toBeLessThanOrEqual(2);
    expect(person.told.errors).toEqual([]);
    await person.close();
  });
});

describe.each(OVER_SSE)('%s', (_, connect) => {
  it('goes on after five cuts, although it forgets where it was', async () => {
    // The SDK puts headers of its own in place of those of the EventSource, Last-Event-ID among
    // them, and does
    // not initialize again.
    const to = await gate('v1');
    const person = await connect(to);
    await untilStreams(to, 1);
    for (let cut = 0; cut < 5; cut += 1) {
      const before = person.endpoint;
      to.relay.cut();
      await expect.poll(() => person.endpoint, { interval: 5 }).not.toBe(before);
      expect(await person.call('test_simple_text')).toContain('simple');
      expect(await person.tools()).toContain('slow');
      await heard(person, 'notifications/tools/list_changed');
    }
    await person.close();
  });
});

describe('SDK v2, stateless', () => {
  it('has a call that was cut refused, and calls again', async () => {
    const to = await gate('v2');
    const person = await sdkV2Stateless(to);
    const name = 'cut under the stateless client';
    const call = person.call('slow', { name, ms: 20_000 });
    const refused = expect(call).rejects.toThrow();
    await slowCalls.until(name, 'running');
    to.relay.cut();
    await refused;
    await slowCalls.until(name, 'cancelled');
    expect(await person.call('test_simple_text')).toContain('simple');
    await person.close();
  });
});
