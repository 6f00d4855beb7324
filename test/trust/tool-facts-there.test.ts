/**
 * Which tools a call of 2026 is judged by where a server of the handshake revisions has several
 * sessions with one client: those of the session that it is made in, which another may differ from.
 */
import { describe, expect, it } from 'vitest';
import { PolicyAccess } from '../../src/adapters/policy/policy-access.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import type { AdministrativeAct, AuditEntry, AuditTrail } from '../../src/core/access.ts';
import type { Gate } from '../../src/core/gate.ts';
import { answerTo, asked, CAN_ALL, elicit, retry, YES, type Asked } from '../bridge/asking.ts';
import { errorOf, metaOf, modern, modernText, textOf } from '../wire/client-2026.ts';
import type { HandCall } from '../wire/hand-upstream.ts';
import { eventually } from '../wire/signal.ts';
import type { Json, WireReply, WireRequest } from '../wire/wire-reply.ts';
import { type TimedServer, timedServer, type WireOptions } from '../wire/wire-server.ts';

const LIMITS = { toolFactsMsMax: 600_000, bridgedSessionsPerOwnerMax: 3 };
/** It cannot say for which call it asks. */
const HAND = { kind: 'stdio', capabilities: { tools: { listChanged: true } } } as const;
const TOOLS = ['later', 'other'];

class Trail implements AuditTrail {
  readonly entries: AuditEntry[] = [];

  fault(): undefined {
    return undefined;
  }

  record(entry: AuditEntry | AdministrativeAct): void {
    if (entry.event === 'denied' || entry.event === 'call') this.entries.push(entry);
  }
}

/** Counts the places that are taken and not given back. */
class Places implements Gate {
  readonly taken = { stream: 0, session: 0, call: 0, instance: 0 };

  arrive(_: string, done: (refusal: undefined) => void): void {
    done(undefined);
  }

  enter(_: unknown, done: (refusal: undefined) => void): void {
    done(undefined);
  }

  open(_: unknown, done: (refusal: undefined) => void): void {
    done(undefined);
  }

  spend(): void {}

  take(_: unknown, holding: keyof Places['taken']): undefined {
    this.taken[holding] += 1;
  }

  full(): undefined {
    return undefined;
  }

  hasPlace(): boolean {
    return true;
  }

  giveBack(_: unknown, holding: keyof Places['taken']): void {
    this.taken[holding] -= 1;
  }
}

/** The retry of the parked call, which goes on where it was made. */
async function joined(timed: TimedServer, question: Asked): Promise<string> {
  const [key = ''] = Object.keys(question.inputRequests);
  const reply = timed.server.send(retry('again', question, { [key]: YES }));
  const first = await timed.server.upstream.call(0, 'tools/call');
  await answerTo(first.connection, '"q"');
  first.say('done');
  return textOf(reply);
}

interface Stage extends TimedServer {
  readonly trail: Trail;
  readonly places: Places;
}

/** Permits tools while they say that they change nothing. */
async function stage(options: WireOptions = {}): Promise<Stage> {
  const access = new PolicyAccess({ telemetry: silent, wallMs: () => 0 });
  const allow = [{ tools: [...TOOLS, 'missing'], readOnly: true }];
  access.prepare({ sources: [], allow, arguments: {} })();
  const [trail, places] = [new Trail(), new Places()];
  const ports = { access, audit: trail, gate: places, hand: HAND, limits: LIMITS, ...options };
  const timed = await timedServer(ports);
  await list(timed, 0, TOOLS);
  return { ...timed, trail, places };
}

/** Answers the list at this place: these say that they change nothing, the others are not there. */
async function list(
  { server }: TimedServer,
  index: number,
  readers: readonly string[],
): Promise<void> {
  const tools = readers.map((name) => ({
    name,
    inputSchema: { type: 'object' },
    annotations: { readOnlyHint: true },
  }));
  (await server.upstream.call(index, 'tools/list')).answer({ tools });
}

/** Those for verdicts, and for headers, of a session that was opened for a call. */
async function lists(timed: TimedServer, index: number, readers: readonly string[]): Promise<void> {
  for (const at of [index, index + 1]) await list(timed, at, readers);
}

function call(id: unknown, name = 'later', params: Json = {}): WireRequest {
  const meta = { clientCapabilities: CAN_ALL };
  return modern(id, 'tools/call', { name, arguments: {}, ...params }, { meta });
}

function callsOf({ server }: TimedServer): readonly HandCall[] {
  return server.upstream.calls.filter(({ method }) => method === 'tools/call');
}

/** As many wait for an answer. */
function pendingIs({ server }: TimedServer, pending: number): Promise<void> {
  return eventually(() => server.endpoint.status.pending === pending, `${pending} pending`);
}

/** The first session is given a call, and parked on its question. */
async function parked(timed: TimedServer, readers: readonly string[] = TOOLS): Promise<Asked> {
  const question = asked(timed.server, call(1));
  await lists(timed, 1, readers);
  elicit(await timed.server.upstream.call(0, 'tools/call'));
  await timed.pass(1000);
  return question;
}

async function heard(reply: WireReply): Promise<Json> {
  await reply.whole();
  const { status, text } = reply;
  const names = ['content-type', 'www-authenticate', 'cache-control'];
  return { status, body: JSON.parse(text), headers: names.map((name) => reply.header(name)) };
}

function deniedOf({ trail }: Stage): readonly Json[] {
  const denied = trail.entries.filter(({ event }) => event === 'denied');
  return denied.map((entry) => ({ ...entry, params: undefined }));
}

describe('a call in a second session, while the first waits for people', () => {
  it('is judged by what the tools say there, and refused as if it had just come', async () => {
    const timed = await stage();
    const question = await parked(timed);
    const held = { ...timed.places.taken };
    const second = timed.server.send(call(2));
    await list(timed, 3, ['other']);
    const refused = await heard(second);
    expect(refused).toMatchObject({ status: 403, body: { id: 2, error: { code: -32600 } } });
    expect(callsOf(timed)).toHaveLength(1);
    // Nothing is left of it: no place, no session.
    expect(timed.places.taken).toEqual(held);
    expect(timed.server.upstream.open).toHaveLength(1);
    expect(timed.server.endpoint.status).toMatchObject({ pending: 0, upstreamInstances: 1 });
    // What never was there is refused in the same words, and what is refused when it comes as well.
    const unknown = timed.server.send(call(2, 'missing'));
    await list(timed, 4, TOOLS);
    expect(await heard(unknown)).toEqual(refused);
    expect(await joined(timed, question)).toBe('done');
    expect(await heard(timed.server.send(call(2, 'missing')))).toEqual(refused);
    const [late, never, early] = deniedOf(timed);
    expect(never).toEqual({ ...late, target: 'missing' });
    expect(early).toEqual(never);
    expect(timed.places.taken).toMatchObject({ call: 0 });
  });

  it('is refused at once when nothing the tool could say would change it', async () => {
    const timed = await stage();
    await parked(timed);
    const refused = await heard(timed.server.send(call(2, 'never')));
    expect(refused).toMatchObject({ status: 403, body: { id: 2, error: { code: -32600 } } });
    expect(timed.server.upstream.open).toHaveLength(1);
    expect(deniedOf(timed)).toMatchObject([{ target: 'never', refusal: 'FORBIDDEN' }]);
  });

  it('is made there when the tools are allowed there, whatever they say in the first', async () => {
    const timed = await stage();
    await parked(timed, ['later']);
    const text = ' {"a" : [1e2,"\\u0041"] } ';
    const params = `{"name":"other","arguments":${text},"_meta":${JSON.stringify(metaOf({ clientCapabilities: CAN_ALL }))}}`;
    const body = `{"jsonrpc":"2.0","id":"x","method":"tools/call","params":${params}}`;
    const reply = timed.server.send(modernText('tools/call', { name: 'other' }, body));
    await lists(timed, 3, TOOLS);
    const made = await timed.server.upstream.call(1, 'tools/call');
    expect(made.connection).toBe(timed.server.upstream.newest);
    // What was judged is what is sent, to the byte.
    const sent = made.connection.sent.find(({ method }) => method === 'tools/call');
    expect(sent?.payload).toContain(`"arguments":${text}`);
    made.say('made');
    expect(await textOf(reply)).toBe('made');
    expect(timed.server.upstream.open).toHaveLength(2);
  });
});

describe('a call that waits in line for its session', () => {
  /** The first call works, and another waits for its turn. */
  async function waiting(): Promise<{
    readonly timed: Stage;
    readonly first: WireReply;
    readonly second: WireReply;
  }> {
    const timed = await stage();
    const first = timed.server.send(call(1));
    await lists(timed, 1, TOOLS);
    await timed.server.upstream.call(0, 'tools/call');
    const second = timed.server.send(call(2, 'other'));
    await pendingIs(timed, 2);
    return { timed, first, second };
  }

  it('is judged when its turn comes, by what the tools say then', async () => {
    const { timed, first, second } = await waiting();
    const next = timed.server.send(call(3, 'later'));
    await pendingIs(timed, 3);
    timed.server.upstream.newest.say('notifications/tools/list_changed');
    await list(timed, 3, ['later']);
    callsOf(timed)[0]?.say('first');
    expect(await textOf(first)).toBe('first');
    expect(await heard(second)).toMatchObject({ status: 403, body: { id: 2 } });
    await list(timed, 4, ['later']);
    (await timed.server.upstream.call(1, 'tools/call')).say('next');
    expect(await textOf(next)).toBe('next');
    expect(deniedOf(timed)).toMatchObject([{ target: 'other', refusal: 'FORBIDDEN' }]);
    expect(timed.places.taken).toMatchObject({ call: 0, instance: 1 });
  });

  it('is told on a stream that it is refused, when it waited so long that there is one', async () => {
    const { timed, first, second } = await waiting();
    await timed.pass(15_000);
    expect((await second.head()).status).toBe(200);
    timed.server.upstream.newest.say('notifications/tools/list_changed');
    await list(timed, 3, ['later']);
    callsOf(timed)[0]?.say('first');
    await textOf(first);
    expect(await errorOf(second)).toMatchObject({ id: 2, code: -32600 });
    expect(second.messages).toHaveLength(1);
    expect(timed.places.taken).toMatchObject({ call: 0, stream: 0 });
  });

  it('goes nowhere and is not judged when its client leaves', async () => {
    const { timed, first, second } = await waiting();
    second.leave();
    await pendingIs(timed, 1);
    callsOf(timed)[0]?.say('first');
    expect(await textOf(first)).toBe('first');
    expect(callsOf(timed)).toHaveLength(1);
    expect(deniedOf(timed)).toEqual([]);
  });
});

it('a call is judged again by tools that changed before it was sent', async () => {
  const timed = await stage();
  const refused = timed.server.send(call(1));
  await list(timed, 1, TOOLS);
  const headers = await timed.server.upstream.call(2, 'tools/list');
  timed.server.upstream.newest.say('notifications/tools/list_changed');
  await list(timed, 3, ['other']);
  headers.answer({ tools: [] });
  expect(await heard(refused)).toMatchObject({ status: 403, body: { id: 1 } });
  expect(callsOf(timed)).toEqual([]);
  expect(deniedOf(timed)).toHaveLength(1);
  expect(timed.places.taken).toMatchObject({ call: 0 });
});
