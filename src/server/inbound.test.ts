/** Trust that ends while a request waits: whatever it waits for, nothing is begun for it then. */
import { describe, expect, it, test } from 'vitest';
import type { Refusal } from '../core/errors.ts';
import { BARE_GRANT, type Grant } from '../core/grant.ts';
import type { BodyOutcome, HttpExchange, RequestHead } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import type { ServedEras } from '../core/protocol/classify.ts';
import { HostOriginGuard } from '../core/security/host-origin.ts';
import { admit } from './admission.ts';
import type { EndpointContext } from './context.ts';
import { Inbound } from './inbound.ts';
import { Revocations } from './revocations.ts';

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
    telemetry: { count() {} },
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
    'its turn to come in',
    (request) => {
      const { context, exchange } = request;
      const serves = (): boolean => request.told.push('in') > 0;
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
