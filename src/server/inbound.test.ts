/**
 * How a request is refused and what lets it go on. Trust may end while it waits: whatever it waits
 * for, nothing is begun for it then.
 */
import { describe, expect, it, test } from 'vitest';
import type {
  Access,
  AccessRequest,
  AccessVerdict,
  AdministrativeAct,
  AuditEntry,
  AuditTrail,
  ToolFacts,
  ToolsThere,
} from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import { BARE_GRANT, type Grant } from '../core/grant.ts';
import type { BodyOutcome, HttpExchange, RequestHead } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import { Message } from '../core/protocol/message.ts';
import { HostOriginGuard } from '../core/security/host-origin.ts';
import { admit } from './admission.ts';
import type { EndpointContext } from './context.ts';
import { HeldRequests } from './held-requests.ts';
import { Inbound } from './inbound.ts';
import type { Instance } from './instance.ts';
import { Revocations } from './revocations.ts';
import type { SessionHandle } from './session-handle.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const GRANT: Grant = { ...BARE_GRANT, expiresAt: 1000, credentialId: 'key:1' };
const SERVED: ServedEras = { legacy: true, modern: true, supported: [] };

type Done = (refusal: Refusal | undefined) => void;

/** One request, and what it waits for until the test lets it go on. */
class Waiting {
  readonly replies: (readonly [status: number, body: string])[] = [];
  readonly revocations = new Revocations();
  readonly told: unknown[] = [];
  now = 0;
  gate: { enter?: Done; open?: Done } = {};
  body: (outcome: BodyOutcome) => void = () => {};
  known: (served: ServedEras | Refusal) => void = () => {};
  leave: () => void = () => {};
  readonly exchange = {
    head: headOf(),
    onClientGone: (listener: () => void) => {
      this.leave = listener;
    },
    readBody: (_max: number, done: (outcome: BodyOutcome) => void) => {
      this.body = done;
    },
    respond: (status: number, _headers: readonly string[], body: string) => {
      this.replies.push([status, body]);
    },
  } as unknown as HttpExchange;
  readonly context = {
    revocations: this.revocations,
    clock: { now: () => this.now },
    limits: { bodyBytesMax: 10, expiredCallMsMax: 100 },
    guard: new HostOriginGuard({ allowedHosts: ['localhost'], allowedOrigins: [] }),
    identity: {
      verify: (_head: RequestHead, done: (outcome: object) => void) =>
        done({ kind: 'principal', principal: ADA, grant: GRANT }),
    },
    gate: {
      arrive: (_address: string, done: Done) => done(undefined),
      enter: (_visitor: object, done: Done) => {
        this.gate.enter = done;
      },
      open: (_visitor: object, done: Done) => {
        this.gate.open = done;
      },
      spend() {},
    },
    prefix: '',
    served: () => undefined,
    whenKnown: (then: (served: ServedEras | Refusal) => void) => {
      this.known = then;
    },
    telemetry: { count() {}, log() {} },
    random: { fraction: () => 0 },
  } as unknown as EndpointContext;

  get inbound(): Inbound {
    return new Inbound(this.context, this.exchange, [], ADA, GRANT);
  }
}

function headOf(): RequestHead {
  return {
    method: 'POST',
    path: '/nowhere',
    query: '',
    remoteAddress: '192.0.2.1',
    header: (name) => (name === 'host' ? 'localhost' : undefined),
    headerCount: (name) => (name === 'host' ? 1 : 0),
    headerNames: () => ['host'],
  };
}

const WAITS: readonly (readonly [string, (request: Waiting) => () => void])[] = [
  [
    'its body',
    (request) => {
      request.inbound.readBody((text) => request.told.push(text));
      return () => request.body({ kind: 'body', text: '{}' });
    },
  ],
  [
    'a place to open something',
    (request) => {
      request.inbound.opening('1', () => request.told.push('open'));
      return () => request.gate.open?.(undefined);
    },
  ],
  [
    'what the server speaks',
    (request) => {
      const { inbound } = request;
      inbound.whenKnown((served) => {
        if ('error' in served) inbound.refuse(served);
        else request.told.push(served);
      });
      return () => request.known(SERVED);
    },
  ],
  [
    'the tools of its server',
    (request) => {
      const tools = new ToolsToRead();
      const context = { ...request.context, ...tools.context } as unknown as EndpointContext;
      const inbound = new Inbound(context, request.exchange, [], ADA, GRANT);
      inbound.waitsForTools(
        [CALL],
        () => ({ conversation: SERVER }),
        (left) => request.told.push(left),
      );
      return () => tools.wereRead();
    },
  ],
  [
    'its turn to come in',
    (request) => {
      const { context, exchange } = request;
      const serves = (): undefined => void request.told.push('in');
      admit({ ...context, serves }, exchange);
      return () => request.gate.enter?.(undefined);
    },
  ],
];

describe.each(WAITS)('a request that waits for %s', (_, begin) => {
  it('goes no further when its credential was revoked meanwhile', () => {
    const request = new Waiting();
    const goOn = begin(request);
    request.revocations.add((_principal, grant) => grant?.credentialId === 'key:1');
    goOn();
    expect(request.told).toEqual([]);
    expect(request.replies.map(([status]) => status)).toEqual([401]);
  });

  it('goes on when another was', () => {
    const request = new Waiting();
    const goOn = begin(request);
    request.revocations.add((_principal, grant) => grant?.credentialId === 'key:2');
    goOn();
    expect(request.told).toHaveLength(1);
  });

  it('goes on when it was let in anew after that', () => {
    const request = new Waiting();
    request.revocations.add((_principal, grant) => grant?.credentialId === 'key:1');
    const goOn = begin(request);
    goOn();
    expect(request.told).toHaveLength(1);
  });

  it('has as long after the end of its credential as a call in flight, and no longer', () => {
    for (const [now, isLate] of [
      [1099, false],
      [1100, true],
    ] as const) {
      const request = new Waiting();
      const goOn = begin(request);
      request.now = now;
      goOn();
      expect(request.told).toHaveLength(isLate ? 0 : 1);
      if (isLate) expect(request.replies[0]?.[1]).toContain('call again with a fresh one');
    }
  });
});

test('a request whose client left before it was known what the server speaks begins nothing', () => {
  const request = new Waiting();
  request.inbound.whenKnown((served) => request.told.push(served));
  request.leave();
  request.known(SERVED);
  expect([request.told, request.replies]).toEqual([[], []]);
});

/** What a reply said, and what was asked of the ports before it. */
interface Door {
  readonly inbound: Inbound;
  readonly replies: (readonly [status: number, headers: readonly string[], body: string])[];
  readonly streams: (readonly [status: number, headers: readonly string[], first: string])[];
  readonly counted: unknown[];
  readonly logged: unknown[];
}

function doorOf(more: object = {}, of: { exchange?: object; grant?: Grant } = {}): Door {
  const replies: Door['replies'] = [];
  const streams: Door['streams'] = [];
  const counted: unknown[] = [];
  const logged: unknown[] = [];
  const exchange = {
    head: headOf(),
    onClientGone() {},
    respond: (...reply: Door['replies'][number]) => void replies.push(reply),
    openStream: (...stream: Door['streams'][number]) => {
      streams.push(stream);
      return { end() {} };
    },
    ...of.exchange,
  } as unknown as HttpExchange;
  const context = {
    name: 'files',
    revocations: new Revocations(),
    clock: { now: () => 0 },
    limits: { bodyBytesMax: 10, expiredCallMsMax: 100 },
    telemetry: {
      count: (...told: unknown[]) => void counted.push(told),
      log: (...told: unknown[]) => void logged.push(told),
    },
    random: { fraction: () => 0.5 },
    identity: { verify() {} },
    authorization: () => undefined,
    passesOrigin: false,
    ...more,
  } as unknown as EndpointContext;
  const inbound = new Inbound(context, exchange, ['Vary', 'Origin'], ADA, of.grant ?? GRANT);
  return { inbound, replies, streams, counted, logged };
}

const NO_STORE = ['Content-Type', 'application/json', 'Cache-Control', 'no-store'];

describe('a request that is refused', () => {
  it('is told why, is counted and logged by it, and is told with what every reply carries', () => {
    const { inbound, replies, counted, logged } = doorOf();
    const refusal: Refusal = { error: 'FORBIDDEN', id: '7' };
    inbound.refuse(refusal);
    const [reply] = replies;
    expect(reply?.slice(0, 2)).toEqual([403, [...NO_STORE, 'Vary', 'Origin']]);
    expect(JSON.parse(reply?.[2] ?? '')).toMatchObject({ id: 7, error: { code: -32600 } });
    expect(reply?.[3 as 2]).toBe(refusal);
    expect(counted).toEqual([['refused_total', { reason: 'FORBIDDEN' }]]);
    const fields = { reason: 'FORBIDDEN', status: 403, verb: 'POST', address: '192.0.2.1' };
    expect(logged).toEqual([['debug', 'request_refused', fields]]);
  });

  it.each<readonly [string, number, Refusal, readonly string[]]>([
    ['that may be had later', 0.5, { error: 'UPSTREAM_BUSY' }, ['Retry-After', '2']],
    ['at the latest', 0.99, { error: 'UPSTREAM_BUSY' }, ['Retry-After', '3']],
    ['at the earliest', 0, { error: 'TOO_MANY_STREAMS' }, ['Retry-After', '1']],
    [
      'that knows when',
      0.5,
      { error: 'RATE_LIMITED', headers: ['Retry-After', '9'] },
      ['Retry-After', '9'],
    ],
    [
      'that says something else',
      0.5,
      { error: 'RATE_LIMITED', headers: ['Allow', 'GET'] },
      ['Allow', 'GET', 'Retry-After', '2'],
    ],
    ['that may be tried at once', 0.5, { error: 'UPSTREAM_UNAVAILABLE' }, []],
    ['that will not be had', 0.5, { error: 'ROUTE_NOT_FOUND' }, []],
  ])('is told when to come again: one %s', (_, fraction, refusal, headers) => {
    const { inbound, replies } = doorOf({ random: { fraction: () => fraction } });
    inbound.refuse(refusal);
    expect(replies[0]?.[1]).toEqual([...NO_STORE, 'Vary', 'Origin', ...headers]);
  });

  it('is told all scopes to ask for: what every request needs, what this one does, what it has', () => {
    const facts = { issuers: [], scopes: ['mcp'], dpopAlgorithms: [], isDpopRequired: false };
    const grant = { ...GRANT, scopes: ['read'] };
    const { inbound, replies } = doorOf({ authorization: () => facts }, { grant });
    inbound.refuse({ error: 'FORBIDDEN', scopes: ['write'] });
    expect(replies[0]?.[1].slice(-2)).toEqual([
      'WWW-Authenticate',
      'Bearer realm="tidegate", error="insufficient_scope", scope="mcp write read"',
    ]);
    const bare = doorOf({}, { grant });
    bare.inbound.refuse({ error: 'FORBIDDEN', scopes: ['write'] });
    expect(bare.replies[0]?.[1].at(-1)).toContain('scope="write read"');
  });

  it('a stream is given an end and a time where it may be had later, and an error elsewhere', () => {
    const { inbound, replies, streams } = doorOf();
    inbound.refuseStream({ error: 'RATE_LIMITED', headers: ['Retry-After', '9'] });
    expect(replies).toEqual([]);
    expect(streams).toHaveLength(1);
    expect([streams[0]?.[0], streams[0]?.[2]]).toEqual([200, 'retry: 9000\n\n']);
    expect(streams[0]?.[1].slice(-2)).toEqual(['Vary', 'Origin']);
    inbound.refuseStream({ error: 'FORBIDDEN' });
    inbound.refuseStream({ error: 'FORBIDDEN', headers: ['Allow', 'GET'] });
    expect(replies.map(([status]) => status)).toEqual([403, 403]);
  });

  it('is none when it is accepted', () => {
    const { inbound, replies } = doorOf();
    inbound.accept();
    expect(replies).toEqual([[202, ['Vary', 'Origin'], '']]);
  });
});

const CALL = Message.request('1', 'tools/call', '{"name":"a"}');
const DELETE = Message.request('2', 'tools/call', '{"name":"delete"}');
const NEWS = Message.notification('notifications/initialized');

/** Refuses what is called `delete`, and remembers what it was asked. */
class Guard implements Access {
  readonly asked: AccessRequest[] = [];

  decide(request: AccessRequest): AccessVerdict {
    this.asked.push(request);
    const isDelete = request.message === DELETE;
    return { refusal: isDelete ? { error: 'FORBIDDEN' } : undefined, policies: ['p'] };
  }

  filter(_request: AccessRequest, answer: Message): Message {
    return answer;
  }
}

class Book implements AuditTrail {
  readonly entries: unknown[] = [];

  fault(): Refusal | undefined {
    return undefined;
  }

  record(entry: AuditEntry | AdministrativeAct): void {
    this.entries.push(entry);
  }
}

/** Counts what is taken and given back. */
function countingGate(): { readonly gate: object; readonly steps: string[] } {
  const steps: string[] = [];
  const gate = {
    take: () => void steps.push('take'),
    giveBack: () => void steps.push('give back'),
  };
  return { gate, steps };
}

describe('what lets the requests of one POST go on', () => {
  it('is nothing where nobody decides, records or counts', () => {
    expect(doorOf().inbound.warrants('2025', [CALL])).toBeUndefined();
  });

  it('is one for each request, and none for what is no request', () => {
    const access = new Guard();
    const warrants = doorOf({ access }).inbound.warrants('2025', [NEWS, CALL]);
    expect(warrants).toHaveLength(1);
    expect(access.asked).toEqual([
      {
        principal: ADA,
        grant: GRANT,
        server: 'files',
        era: '2025',
        method: undefined,
        address: '192.0.2.1',
        message: CALL,
        tools: undefined,
      },
    ]);
  });

  it('is a refusal of all for one of them, and what was let on before that is given back', () => {
    const { gate, steps } = countingGate();
    const audit = new Book();
    const { inbound } = doorOf({ access: new Guard(), audit, gate });
    expect(inbound.warrants('2025', [CALL, DELETE, CALL])).toEqual({ error: 'FORBIDDEN', id: '2' });
    expect(steps).toEqual(['take', 'give back']);
    expect(audit.entries).toMatchObject([
      { event: 'denied', target: 'delete', refusal: 'FORBIDDEN' },
      { event: 'denied', target: 'a', refusal: 'FORBIDDEN' },
    ]);
  });

  it('counts and records nothing of what began in this process, save for what is denied', () => {
    const { gate, steps } = countingGate();
    const audit = new Book();
    const exchange = { caller: ADA };
    const { inbound } = doorOf({ access: new Guard(), audit, gate }, { exchange });
    const warrants = inbound.warrants('2025', [CALL]);
    expect(warrants).toHaveLength(1);
    if (warrants !== undefined && !('error' in warrants)) warrants[0]?.ended('ok');
    expect([steps, audit.entries]).toEqual([[], []]);
    expect(inbound.warrants('2025', [DELETE])).toMatchObject({ error: 'FORBIDDEN' });
    expect([steps, audit.entries.length]).toEqual([[], 1]);
    const undecided = doorOf({ audit, gate }, { exchange });
    expect(undecided.inbound.warrants('2025', [CALL])).toBeUndefined();
  });

  it('is decided by the words its client used elsewhere in this process', () => {
    const access = new Guard();
    const asked = { era: '2024', method: 'tasks/get' };
    const { inbound } = doorOf({ access }, { exchange: { caller: ADA, asked } });
    inbound.warrants('2026', [CALL]);
    expect(access.asked[0]).toMatchObject({ era: '2024', method: 'tasks/get' });
    const same = { era: '2024', method: 'tools/call' };
    doorOf({ access }, { exchange: { asked: same } }).inbound.warrants('2026', [CALL]);
    expect(access.asked[1]).toMatchObject({ era: '2024', method: undefined });
  });

  it('may be asked for without a record', () => {
    const audit = new Book();
    const { inbound } = doorOf({ access: new Guard(), audit });
    expect([inbound.allows('2025', CALL), inbound.allows('2025', DELETE)]).toEqual([true, false]);
    expect(doorOf({ audit }).inbound.allows('2025', DELETE)).toBe(true);
    expect(audit.entries).toEqual([]);
  });
});

const SERVER = {} as Instance;

/** What is known of the tools of `SERVER`, and who waits for more. */
class ToolsToRead {
  known: ToolsThere | 'due' | undefined = 'due';
  hasRoom = true;
  readonly waiting: (() => void)[] = [];
  readonly access = Object.assign(new Guard(), { learn() {} });
  readonly context = {
    access: this.access,
    knownTools: {
      of: (instance: Instance) => (instance === SERVER ? this.known : new Map()),
      read: (instance: Instance, then: () => void): boolean => {
        if (this.hasRoom && instance === SERVER) this.waiting.push(then);
        return this.hasRoom;
      },
    },
  };

  wereRead(): void {
    for (const then of this.waiting.splice(0)) then();
  }

  /** What verdicts are told of tools. */
  told(inbound: Inbound): ToolsThere | undefined {
    inbound.allows('2025', CALL);
    return this.access.asked.at(-1)?.tools;
  }
}

/** A session that has room for so many that wait for its handshake. */
function sessionOf(max = 1): {
  readonly held: HeldRequests;
  readonly session: Pick<SessionHandle, 'held' | 'whenOpen'>;
  readonly opened: () => void;
} {
  const held = new HeldRequests();
  const waiting: (() => void)[] = [];
  const whenOpen = (then: () => void): boolean => waiting.length < max && waiting.push(then) > 0;
  return { held, session: { held, whenOpen }, opened: () => waiting.shift()?.() };
}

describe('a call whose verdict looks at what tools say', () => {
  const conversation = (): { readonly conversation: Instance } => ({ conversation: SERVER });
  const never = (): never => {
    throw new Error('Nothing waits here.');
  };

  it('waits until they were read, and goes on as it came', () => {
    const tools = new ToolsToRead();
    const { inbound } = doorOf(tools.context);
    const gone: unknown[] = [];
    const messages = [NEWS, CALL, DELETE];
    expect(inbound.waitsForTools(messages, conversation, (left) => gone.push(left))).toBe(true);
    expect([gone, tools.waiting.length]).toEqual([[], 1]);
    tools.wereRead();
    expect(gone).toEqual([messages]);
    expect(gone[0]).toBe(messages);
  });

  it('waits for two readings at most where they change all the time, and then nothing is known', () => {
    const tools = new ToolsToRead();
    const { inbound } = doorOf(tools.context);
    const { opened, session } = sessionOf();
    const come = (upstream: () => { readonly conversation: Instance | undefined }): boolean =>
      inbound.waitsForTools([CALL], upstream, () => {}, session);
    // The handshake is waited for besides.
    expect(come(() => ({ conversation: undefined }))).toBe(true);
    opened();
    for (const isWaiting of [true, true, false, false]) {
      expect(come(conversation)).toBe(isWaiting);
      tools.wereRead();
    }
    expect(tools.told(inbound)).toEqual(new Map());
    tools.known = new Map([['now', {} as ToolFacts]]);
    expect([come(conversation), tools.told(inbound)]).toEqual([false, tools.known]);
  });

  it('waits for none that are known, and is judged by what they say where it goes', () => {
    const tools = new ToolsToRead();
    for (const known of [new Map(), undefined]) {
      tools.known = known;
      const { inbound } = doorOf(tools.context);
      expect(inbound.waitsForTools([CALL], conversation, never)).toBe(false);
      expect(tools.told(inbound)).toBe(known);
    }
    expect(tools.waiting).toEqual([]);
  });

  it('goes on by tools that say nothing where too many wait, and can be cancelled no more', () => {
    const tools = new ToolsToRead();
    tools.hasRoom = false;
    const { inbound } = doorOf(tools.context);
    const { held, session } = sessionOf();
    expect(inbound.waitsForTools([CALL], conversation, never, session)).toBe(false);
    expect(tools.told(inbound)).toEqual(new Map());
    expect(held.cancel('1')).toBe(false);
  });

  it('goes nowhere when it was cancelled meanwhile, and those beside it go on', () => {
    const tools = new ToolsToRead();
    const { inbound } = doorOf(tools.context);
    const { held, session } = sessionOf();
    const gone: unknown[] = [];
    inbound.waitsForTools([CALL, DELETE], conversation, (left) => gone.push(left), session);
    expect(held.cancel('1')).toBe(true);
    tools.wereRead();
    expect(gone).toEqual([[DELETE]]);
    expect(held.cancel('2')).toBe(false);
  });

  it('goes nowhere when its client left meanwhile', () => {
    const tools = new ToolsToRead();
    let leave = (): void => {};
    const exchange = { onClientGone: (listener: () => void) => (leave = listener) };
    const { inbound, replies } = doorOf(tools.context, { exchange });
    const gone: unknown[] = [];
    const { held, session } = sessionOf();
    inbound.waitsForTools([CALL], conversation, (left) => gone.push(left), session);
    leave();
    tools.wereRead();
    expect([gone, replies, held.cancel('1')]).toEqual([[], [], false]);
  });

  it('alone waits: no other request, and none where no policy looks or nobody is called', () => {
    const tools = new ToolsToRead();
    const { access, knownTools } = tools.context;
    const ping = Message.request('3', 'ping');
    for (const [context, message, upstream] of [
      [{ access }, CALL, conversation],
      [{ knownTools }, CALL, conversation],
      [{ knownTools, access: new Guard() }, CALL, conversation],
      [tools.context, ping, conversation],
      [tools.context, CALL, () => ({ error: 'UPSTREAM_BUSY' as const })],
    ] as const) {
      const { inbound } = doorOf(context);
      expect(inbound.waitsForTools([message], upstream, never)).toBe(false);
      expect(tools.told(inbound)).toBeUndefined();
    }
    expect(tools.waiting).toEqual([]);
  });
});

describe('a call that comes before its conversation began', () => {
  const conversation = (): { readonly conversation: undefined } => ({ conversation: undefined });
  const never = (): never => {
    throw new Error('It goes nowhere.');
  };

  it('waits for the handshake of its session, unless it is cancelled or its client leaves', () => {
    for (const ends of ['open', 'cancelled', 'left']) {
      let leave = (): void => {};
      const exchange = { onClientGone: (listener: () => void) => (leave = listener) };
      const { inbound } = doorOf(new ToolsToRead().context, { exchange });
      const { held, opened, session } = sessionOf();
      const gone: unknown[] = [];
      const isWaiting = inbound.waitsForTools(
        [CALL],
        conversation,
        (left) => gone.push(left),
        session,
      );
      expect([isWaiting, gone]).toEqual([true, []]);
      if (ends === 'cancelled') expect(held.cancel('1')).toBe(true);
      if (ends === 'left') leave();
      opened();
      expect(gone).toEqual({ open: [[CALL]], cancelled: [[]], left: [] }[ends]);
    }
  });

  it('goes on by tools that say nothing where too many wait, or there is no session', () => {
    const tools = new ToolsToRead();
    for (const session of [sessionOf(0).session, undefined]) {
      const { inbound } = doorOf(tools.context);
      expect(inbound.waitsForTools([CALL], conversation, never, session)).toBe(false);
      expect(tools.told(inbound)).toEqual(new Map());
    }
    expect(tools.waiting).toEqual([]);
  });
});

describe('on whose behalf a request goes on in this process', () => {
  const exchange = {
    head: {
      ...headOf(),
      headerNames: () => ['mcp-param-a', 'host'],
      header: () => 'x',
    },
  };

  function sent(era: AccessRequest['era'], method: string, passesOrigin: boolean): Message {
    const message = Message.request('1', method, '{}');
    doorOf({ passesOrigin }, { exchange }).inbound.warrants(era, [message]);
    return message;
  }

  it('is who sent it, by a credential that ends with the stream it came by', () => {
    const grant = { ...GRANT, expiresAt: Infinity };
    const address = '192.0.2.1';
    expect(sent('2025', 'tools/call', false).origin).toBeUndefined();
    expect(sent('2025', 'tools/call', true).origin).toEqual({
      grant,
      address,
      era: '2025',
      method: 'tools/call',
      paramLines: undefined,
    });
    expect(sent('2026', 'tools/list', true).origin?.paramLines).toBeUndefined();
    expect(sent('2026', 'tools/call', true).origin?.paramLines).toEqual(['mcp-param-a', 'x']);
  });

  it('is the same grant for the same credential', () => {
    const [first, second] = [1, 2].map(() => sent('2025', 'tools/call', true).origin?.grant);
    expect(first).toBe(second);
    expect(GRANT.expiresAt).toBe(1000);
  });
});

describe('a request that need not wait', () => {
  it('opens at once where nobody counts, or where it was counted as it came in', () => {
    const told: string[] = [];
    doorOf().inbound.opening('1', () => told.push('uncounted'));
    const gate = { open() {} };
    doorOf({ gate }, { exchange: { caller: ADA } }).inbound.opening('1', () => told.push('inner'));
    doorOf({ gate }).inbound.opening('1', () => told.push('waiting'));
    expect(told).toEqual(['uncounted', 'inner']);
  });

  it('opens nothing where there is no room, and says of which request', () => {
    const visitors: unknown[] = [];
    const gate = {
      open: (visitor: unknown, done: Done) => {
        visitors.push(visitor);
        done({ error: 'RATE_LIMITED' });
      },
    };
    const { inbound, replies } = doorOf({ gate });
    inbound.opening('7', () => expect.fail('it was opened'));
    expect(visitors).toEqual([{ address: '192.0.2.1', principal: ADA, server: 'files' }]);
    expect(replies[0]?.[0]).toBe(429);
    expect(JSON.parse(replies[0]?.[2] ?? '')).toMatchObject({ id: 7 });
  });

  it('is told at once what is known of the server', () => {
    const told: unknown[] = [];
    doorOf({ served: () => SERVED }).inbound.whenKnown((served) => told.push(served));
    expect(told).toEqual([SERVED]);
  });
});

describe('a body', () => {
  function reading(outcome: BodyOutcome) {
    const spent: unknown[] = [];
    const gate = { spend: (...what: unknown[]) => void spent.push(what) };
    const bounds: number[] = [];
    const exchange = {
      readBody: (max: number, done: (outcome: BodyOutcome) => void) => {
        bounds.push(max);
        done(outcome);
      },
    };
    const door = doorOf({ gate }, { exchange });
    const texts: string[] = [];
    door.inbound.readBody((text) => texts.push(text));
    return { ...door, texts, spent, bounds };
  }

  const visitor = { address: '192.0.2.1', principal: ADA, server: 'files' };

  it('is read within its bound, and counted', () => {
    const { texts, spent, bounds } = reading({ kind: 'body', text: '{"a":1}' });
    expect([texts, spent, bounds]).toEqual([['{"a":1}'], [[visitor, 7]], [10]]);
  });

  it('that cannot be read is refused, and one that nobody waits for is not answered', () => {
    const refused = reading({ kind: 'refused', refusal: { error: 'BODY_NOT_UTF8' } });
    expect([refused.replies[0]?.[0], refused.texts, refused.spent]).toEqual([400, [], []]);
    const aborted = reading({ kind: 'aborted' });
    expect([aborted.replies, aborted.texts, aborted.spent]).toEqual([[], [], []]);
  });
});

describe('the connection of a request', () => {
  const owner = { drain() {}, connectionLost() {} };
  const connections = {
    now: () => 7,
    trustedUntil: () => 1000,
    began() {},
    decided() {},
    sent() {},
  };

  it('is its principal’s, by its credential, and carries the headers of every reply', () => {
    const { inbound, replies } = doorOf({ connections });
    const connection = inbound.connection(owner, 'reply', '2025');
    const { kind, era, principal, grant } = connection;
    expect({ kind, era, principal, grant }).toEqual({
      kind: 'reply',
      era: '2025',
      principal: ADA,
      grant: GRANT,
    });
    expect(connection.json(200, '{}')).toBe(true);
    expect(replies).toEqual([[200, [...NO_STORE, 'Vary', 'Origin'], '{}']]);
  });

  it('is refused as the request would be, where a server in this process may refuse it', () => {
    const refused = [true, false].map((passesOrigin) => {
      const { inbound, replies } = doorOf({ connections, passesOrigin });
      const connection = inbound.connection(owner, 'reply', '2025');
      return [connection.refuse({ error: 'FORBIDDEN' }), replies.map(([status]) => status)];
    });
    expect(refused).toEqual([
      [true, [403]],
      [false, []],
    ]);
  });
});
