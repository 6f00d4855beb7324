/** A remote server that forgets sessions: who was asked on an old one answers nobody on the next. */
import { expect, it, onTestFinished } from 'vitest';
import { createEndpoint, remote, type EndpointOptions } from 'tidegate';
import { serve } from 'tidegate/node';
import { Message } from '../../../src/core/protocol/message.ts';
import { note, rpc, type Headers, postOf, initialize } from '../../wire/conversation.ts';
import { eventually } from '../../wire/signal.ts';
import { WireReply } from '../../wire/wire-reply.ts';
import { type Asked, dialSession, HandServer, server2025 } from './hand-server.ts';

const CAPABILITIES = { elicitation: { form: {} } };
const CONSENT = { action: 'accept', content: {} };

/** As the SDK does, it numbers its questions from 0 in each session, and asks in each call. */
class Forgetful {
  #opened = 0;
  readonly #answer = server2025((asked) => this.#special(asked));

  async start(): Promise<HandServer> {
    return HandServer.start(this.#answer);
  }

  /** As after a restart. */
  forget(): void {
    this.#opened += 1;
  }

  #special(asked: Asked): boolean {
    const { method, id } = asked.body;
    const current = `session-${this.#opened}`;
    if (method === 'initialize') {
      const result = { protocolVersion: '2025-11-25', capabilities: {} };
      asked.result(result, { 'mcp-session-id': current });
    } else if (method === 'server/discover') {
      asked.json({ jsonrpc: '2.0', id, error: { code: -32601, message: 'Unknown.' } }, {}, 400);
    } else if (asked.method === 'POST' && asked.header('mcp-session-id') !== current) {
      asked.status(404);
    } else if (method === 'tools/call') {
      const params = { message: asked.body.params?.['name'], requestedSchema: {} };
      asked.event({ jsonrpc: '2.0', id: 0, method: 'elicitation/create', params });
    } else {
      return false;
    }
    return true;
  }
}

/** What the server was answered, and on which session. */
/** Not those that only say that the call of a question is over. */
function answersAt(server: HandServer): unknown[] {
  return server
    .of('POST')
    .filter(({ body }) => 'result' in body)
    .map((asked) => [asked.header('mcp-session-id'), asked.body.id]);
}

async function gateway(url: string, options: Partial<EndpointOptions>): Promise<number> {
  const endpoint = createEndpoint({ upstream: remote(url), ...options });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  onTestFinished(() => served.close());
  return served.port;
}

class Person {
  readonly #port: number;
  readonly #headers: Headers;

  private constructor(port: number, headers: Headers) {
    this.#port = port;
    this.#headers = headers;
  }

  static async meet(port: number): Promise<Person> {
    const opening = new WireReply(port, postOf('/mcp', initialize('2025-11-25', CAPABILITIES)));
    const id = (await opening.whole()).header('mcp-session-id');
    const person = new Person(port, { 'mcp-session-id': id });
    await person.post(note('notifications/initialized')).whole();
    return person;
  }

  post(body: unknown): WireReply {
    const reply = new WireReply(this.#port, postOf('/mcp', body, this.#headers));
    onTestFinished(() => reply.leave());
    return reply;
  }

  /** @returns the id of the question that the call leads to. */
  async call(name: string): Promise<unknown> {
    const reply = this.post(rpc(name, 'tools/call', { name }));
    const question = await reply.message(0);
    expect(question).toMatchObject({ method: 'elicitation/create', params: { message: name } });
    return question['id'];
  }

  async consent(id: unknown): Promise<void> {
    await this.post({ jsonrpc: '2.0', id, result: CONSENT }).whole();
  }
}

it.each(['session', 'shared'] as const)(
  'V25 V26 consent to what a forgotten session asked is no consent to what the next asks: %s',
  async (isolation) => {
    const hand = new Forgetful();
    const server = await hand.start();
    const port = await gateway(server.url, { isolation });
    const ann = await Person.meet(port);
    const bob = isolation === 'shared' ? await Person.meet(port) : ann;
    const weather = await ann.call('Show the weather?');
    if (isolation === 'shared') server.of('tools/call')[0]?.response.destroy();
    hand.forget();
    const deletion = await bob.call('Delete everything?');
    await ann.consent(weather);
    await bob.consent(deletion);
    await eventually(() => answersAt(server).length > 0, 'an answer');
    await ann.post(rpc('list', 'tools/list')).whole();
    expect(answersAt(server)).toEqual([['session-1', 0]]);
  },
);

it('V26 a question that was asked on a forgotten session is taken back, and asked no more', async () => {
  const hand = new Forgetful();
  const server = await hand.start();
  const { answerTo, connection, recorder } = await dialSession(server.url);
  const questions = (): Message[] => recorder.messages().filter(({ kind }) => kind === 'request');
  connection.send(Message.request('1', 'tools/call', '{"name":"one"}'));
  await recorder.until(() => questions().length === 1, 'the first question');
  hand.forget();
  connection.send(Message.request('2', 'tools/call', '{"name":"two"}'));
  await recorder.until(() => questions().length === 2, 'the second question');
  const [first, second] = questions();
  const taken = recorder.messages().filter(({ method }) => method === 'notifications/cancelled');
  expect(taken.map(({ value }) => value)).toMatchObject([{ requestId: Number(first?.id) }]);
  const [old] = server.of('tools/call');
  old?.event({ jsonrpc: '2.0', id: 0, method: 'roots/list' });
  old?.event({ jsonrpc: '2.0', method: 'notifications/cancelled', params: { requestId: 0 } });
  old?.event({ jsonrpc: '2.0', id: 1, result: {} });
  await answerTo(1);
  connection.send(Message.result(first?.id ?? '', '{}'));
  connection.send(Message.result(second?.id ?? '', '{}'));
  await eventually(() => answersAt(server).length > 0, 'an answer');
  expect(answersAt(server)).toEqual([['session-1', 0]]);
  expect(questions()).toHaveLength(2);
});
