/**
 * A remote server behind the gate that does wrong, forgets, or is many: what its clients notice of
 * it, and what those notice who only share the gate or the server.
 */
import { describe, expect, it, onTestFinished } from 'vitest';
import { remote, type EndpointOptions } from 'tidegate';
import { gateOf, type Gate } from '../../clients/gate.ts';
import { sdkV1OverHttp, sdkV1OverSse } from '../../clients/sdk-v1.ts';
import { sdkV2Stateless } from '../../clients/sdk-v2.ts';
import type { Person } from '../../clients/person.ts';
import { modern } from '../../wire/client-2026.ts';
import { people } from '../../wire/people.ts';
import { WireReply, type Json } from '../../wire/wire-reply.ts';
import { HandServer, type Asked } from './hand-server.ts';
import { MISDEEDS } from './misdeeds.ts';

const CAPABILITIES = { tools: { listChanged: true } };

/** A server of 2025 with sessions, which knows only those it gave out since it last forgot. */
class Remote {
  readonly held: Asked[] = [];
  opened = 0;
  #known = new Set<string>();
  readonly #misdeed: (asked: Asked) => void;

  constructor(misdeed: (asked: Asked) => void = () => {}) {
    this.#misdeed = misdeed;
  }

  start(): Promise<HandServer> {
    return HandServer.start((asked) => this.#answer(asked));
  }

  forget(): void {
    this.#known = new Set();
  }

  release(): void {
    for (const asked of this.held.splice(0)) said(asked, 'held');
  }

  #answer(asked: Asked): void {
    const { id, method, params } = asked.body;
    if (method === 'initialize') {
      this.opened += 1;
      this.#known.add(`session-${this.opened}`);
      const serverInfo = { name: 'remote', version: '1' };
      const result = { protocolVersion: '2025-11-25', capabilities: CAPABILITIES, serverInfo };
      asked.result(result, { 'mcp-session-id': `session-${this.opened}` });
    } else if (method === 'server/discover') asked.status(400);
    else if (asked.method === 'GET') asked.status(405);
    else if (asked.method === 'DELETE') asked.status(200);
    else if (!this.#known.has(asked.header('mcp-session-id') ?? '')) asked.status(404);
    else if (id === undefined) asked.status(202);
    else if (method === 'tools/list') asked.result({ tools: [] });
    else if (params?.['name'] === 'bad') this.#misdeed(asked);
    else if (params?.['name'] === 'held') this.held.push(asked);
    else said(asked, 'good');
  }
}

function said(asked: Asked, text: string): void {
  asked.result({ content: [{ type: 'text', text }] });
}

async function gateTo(server: HandServer, options: Partial<EndpointOptions> = {}): Promise<Gate> {
  const gate = await gateOf({ upstream: remote(server.url), ...options });
  onTestFinished(() => gate.close());
  return gate;
}

async function settled(call: Promise<unknown>): Promise<void> {
  await call.then(
    () => {},
    () => {},
  );
}

const CLIENTS = [sdkV1OverSse, sdkV1OverHttp, sdkV2Stateless] as const;

describe.each(['session', 'shared'] as const)('isolation %s', (isolation) => {
  it.each(MISDEEDS)('V55: %s costs one call, and nobody else’s', async (_name, misdeed) => {
    const own = new Remote(misdeed);
    const server = await own.start();
    const gate = await gateTo(server, { isolation });
    const persons: Person[] = await Promise.all(CLIENTS.map((connect) => connect(gate)));
    for (const victim of persons) {
      const bystanders = persons.filter((person) => person !== victim);
      const before = own.held.length;
      const held = bystanders.map((person) => person.call('held'));
      await expect.poll(() => own.held.length).toBe(before + 2);
      await settled(victim.call('bad'));
      for (const person of persons) expect(await person.call('good')).toBe('good');
      own.release();
      expect(await Promise.all(held)).toEqual(['held', 'held']);
    }
    await Promise.all(persons.map((person) => person.close()));
  });

  it('a reply that drips without end costs its call alone, and that no longer than a call may take', async () => {
    const own = new Remote((asked) => {
      asked.response.writeHead(200, { 'content-type': 'application/json' });
      const drip = setInterval(() => asked.response.write(' '), 10);
      asked.response.on('close', () => clearInterval(drip));
    });
    const gate = await gateTo(await own.start(), { isolation, limits: { callMsMax: 500 } });
    const persons: Person[] = await Promise.all(CLIENTS.map((connect) => connect(gate)));
    const victims = persons.map((person) => expect(person.call('bad')).rejects.toThrow());
    for (const person of persons) expect(await person.call('good')).toBe('good');
    await Promise.all(victims);
    await Promise.all(persons.map((person) => person.close()));
  });
});

it.each([
  ['the same era', sdkV1OverHttp],
  ['2024', sdkV1OverSse],
  ['2026', sdkV2Stateless],
] as const)(
  'a session it forgot is opened once more, and a client of %s sees nothing of it',
  async (_era, connect) => {
    const own = new Remote();
    const gate = await gateTo(await own.start());
    const person = await connect(gate);
    expect(await person.call('good')).toBe('good');
    const before = own.opened;
    own.forget();
    expect(await Promise.all([person.call('good'), person.call('good')])).toEqual(['good', 'good']);
    expect(own.opened).toBe(before + 1);
    expect(person.told.errors).toEqual([]);
    await person.close();
  },
);

it('2026 requests share a session upstream only of one principal, with one set of capabilities', async () => {
  const own = new Remote();
  const server = await own.start();
  const gate = await gateTo(server, { identity: people() });
  const port = Number(gate.direct.mcp.port);
  const call = async (token: string, clientCapabilities: Json): Promise<string | undefined> => {
    const params = { name: 'good', arguments: {} };
    const request = modern(1, 'tools/call', params, { token, meta: { clientCapabilities } });
    const before = server.of('tools/call').length;
    expect((await new WireReply(port, request).whole()).status).toBe(200);
    return server.of('tools/call')[before]?.header('mcp-session-id');
  };
  const sampling = { sampling: {} };
  const alice = await call('alice', {});
  expect(await call('alice', {})).toBe(alice);
  const asked = await call('alice', sampling);
  const bob = await call('bob', {});
  expect(new Set([alice, asked, bob]).size).toBe(3);
  expect(await call('alice', sampling)).toBe(asked);
  const declared = server
    .of('initialize')
    .map(({ body }) => body.params?.['capabilities'] as Json)
    .filter((capabilities) => 'sampling' in capabilities);
  expect(declared).toHaveLength(1);
});
