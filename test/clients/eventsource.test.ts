/**
 * The `eventsource` package with no SDK around it: it comes back by itself with the id of the last
 * event, into the session it was in.
 * @see https://html.spec.whatwg.org/multipage/server-sent-events.html#the-last-event-id-header
 */
import { EventSource } from 'eventsource';
import { expect, it, onTestFinished } from 'vitest';
import { initialize, note, rpc } from '../wire/conversation.ts';
import { Signal } from '../wire/signal.ts';
import type { Json } from '../wire/wire-reply.ts';
import { gateTo, type Gate } from './gate.ts';
import type { ServerName } from './servers.ts';

/** A client of 2024 in thirty lines, as people write them. */
class SmallClient {
  readonly endpoints: string[] = [];
  readonly messages: Json[] = [];
  readonly source: EventSource;
  readonly #signal = new Signal();

  constructor(url: URL) {
    this.source = new EventSource(url);
    this.source.addEventListener('endpoint', ({ data }) => {
      this.endpoints.push(new URL(String(data), url).href);
      this.#signal.fire();
    });
    this.source.addEventListener('message', ({ data }) => {
      this.messages.push(JSON.parse(String(data)) as Json);
      this.#signal.fire();
    });
  }

  async until(condition: () => boolean, what: string): Promise<void> {
    await this.#signal.until(condition, what, () => JSON.stringify(this.messages));
  }

  async post(body: Json): Promise<number> {
    const headers = { 'content-type': 'application/json' };
    const url = this.endpoints.at(-1) ?? '';
    return (await fetch(url, { method: 'POST', headers, body: JSON.stringify(body) })).status;
  }

  async ask(id: string, method: string, params: Json = {}): Promise<Json> {
    expect(await this.post(rpc(id, method, params))).toBe(202);
    await this.until(() => this.#answers(id).length > 0, `the answer to ${id}`);
    return this.#answers(id)[0] as Json;
  }

  #answers(id: string): Json[] {
    return this.messages.filter((message) => message['id'] === id);
  }
}

async function opened(server: ServerName): Promise<{ client: SmallClient; gate: Gate }> {
  const gate = await gateTo(server);
  const client = new SmallClient(gate.sse);
  onTestFinished(async () => {
    client.source.close();
    await gate.close();
  });
  await client.until(() => client.endpoints.length === 1, 'the endpoint');
  await client.post(initialize('2024-11-05'));
  await client.until(() => client.messages.length === 1, 'the handshake');
  await client.post(note('notifications/initialized'));
  return { client, gate };
}

it.each(['server-everything', 'v1', 'v2'] as const)(
  'comes back to its session of %s after each cut, and goes on calling',
  async (server) => {
    const { client, gate } = await opened(server);
    for (let cut = 1; cut <= 3; cut += 1) {
      gate.relay.cut();
      await client.until(() => client.endpoints.length === cut + 1, 'the endpoint again');
      expect(await client.ask(`after ${cut}`, 'tools/list')).toHaveProperty('result.tools');
    }
    expect(new Set(client.endpoints).size).toBe(1);
    expect(gate.endpoint.status.sessions).toBe(1);
    const resumes = gate.relay.heads.filter((head) => /^last-event-id: /im.test(head));
    expect(resumes).toHaveLength(3);
  },
);

it('is given the answer, and all progress once, of a call that was in flight', async () => {
  const { client, gate } = await opened('v2');
  const params = { name: 'slow', arguments: { name: 'in flight', ms: 1000 } };
  await client.post(rpc('c', 'tools/call', { ...params, _meta: { progressToken: 'p' } }));
  const progress = (): unknown[] =>
    client.messages
      .filter(({ method }) => method === 'notifications/progress')
      .map((message) => (message['params'] as Json)['progress']);
  await client.until(() => progress().length >= 3, 'progress');
  gate.relay.cut();
  await client.until(() => client.messages.some(({ id }) => id === 'c'), 'the answer');
  expect(progress()).toEqual(Array.from({ length: 20 }, (_, index) => (index + 1) * 50));
  expect(client.messages.at(-1)).toMatchObject({ id: 'c', result: {} });
});
