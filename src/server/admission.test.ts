/** The steps before any route, without sockets: which come first, and what each of them says. */
import { describe, expect, it } from 'vitest';
import type { AdministrativeAct, AuditEntry } from '../core/access.ts';
import type { Refusal } from '../core/errors.ts';
import type { Gate } from '../core/gate.ts';
import { BARE_GRANT, type Grant, UNKNOWN_GRANT } from '../core/grant.ts';
import type { HttpExchange, Identity, Principal, RequestHead, StreamSink } from '../core/ports.ts';
import { principalOf } from '../core/principal.ts';
import { HostOriginGuard } from '../core/security/host-origin.ts';
import { admit, type Door, enter } from './admission.ts';
import type { EndpointContext } from './context.ts';
import { Revocations } from './revocations.ts';

const ADA = principalOf({ tenant: 't', issuer: 'i', subject: 'ada', clientId: '' });
const GRANT: Grant = { ...BARE_GRANT, credentialId: 'key:1' };
const VARY = ['Vary', 'Origin'];
const SINK: StreamSink = { write() {}, end() {}, destroy() {}, queuedBytes: () => 0 };
const BUSY: Refusal = { error: 'RATE_LIMITED', headers: ['Retry-After', '3'] };

interface Said {
  readonly method?: string;
  readonly path?: string;
  readonly query?: string;
  readonly headers?: Readonly<Record<string, string>>;
  readonly caller?: Principal;
  readonly grant?: Grant;
}

class Exchange implements HttpExchange {
  readonly head: RequestHead;
  readonly caller: Principal | undefined;
  readonly grant: Grant | undefined;
  status = 0;
  headers: readonly string[] = [];
  body = '';
  isStream = false;

  constructor({ method = 'GET', path = '/mcp', query = '', headers = {}, caller, grant }: Said) {
    const all: Readonly<Record<string, string>> = { host: 'localhost', ...headers };
    this.caller = caller;
    this.grant = grant;
    this.head = {
      method,
      path,
      query,
      remoteAddress: '192.0.2.1',
      header: (name) => all[name],
      headerCount: (name) => (name in all ? 1 : 0),
      headerNames: () => Object.keys(all),
    };
  }

  readBody(): void {
    throw new Error('No step reads a body.');
  }

  respond(status: number, headers: readonly string[], body: string): void {
    Object.assign(this, { status, headers, body });
  }

  openStream(status: number, headers: readonly string[], first: string): StreamSink {
    Object.assign(this, { status, headers, body: first, isStream: true });
    return SINK;
  }

  onClientGone(): void {}

  header(name: string): string | undefined {
    const at = this.headers.findIndex((each, i) => i % 2 === 0 && each === name);
    return at === -1 ? undefined : this.headers[at + 1];
  }
}

class Counts implements Gate {
  arrival: Refusal | undefined;
  entry: Refusal | undefined;
  opening: Refusal | undefined;
  readonly seen: unknown[] = [];

  arrive(address: string, done: (refusal: Refusal | undefined) => void): void {
    this.seen.push(['arrive', address]);
    done(this.arrival);
  }

  enter(visitor: unknown, done: (refusal: Refusal | undefined) => void): void {
    this.seen.push(['enter', visitor]);
    done(this.entry);
  }

  open(visitor: unknown, done: (refusal: Refusal | undefined) => void): void {
    this.seen.push(['open', visitor]);
    done(this.opening);
  }

  spend(): void {}
  take(): undefined {}
  full(): undefined {}
  hasPlace(): boolean {
    return true;
  }

  giveBack(): void {}
}

function identity(refusal?: Refusal): Identity & { asked: number } {
  return {
    asked: 0,
    verify(_head, done) {
      this.asked += 1;
      if (refusal === undefined) done({ kind: 'principal', principal: ADA, grant: GRANT });
      else done({ kind: 'refused', refusal });
    },
  };
}

function doorOf(more: Partial<Door> = {}): {
  door: Door;
  entries: (AuditEntry | AdministrativeAct)[];
  counted: unknown[];
} {
  const entries: (AuditEntry | AdministrativeAct)[] = [];
  const counted: unknown[] = [];
  const guard = new HostOriginGuard({
    allowedHosts: ['localhost'],
    allowedOrigins: ['https://app.test'],
  });
  const door: Door = {
    guard,
    identity: identity(),
    telemetry: {
      log() {},
      count: (name, labels) => void counted.push([name, labels]),
      request() {},
      streamClosed() {},
    },
    random: { sessionId: () => 's', fraction: () => 0.5 },
    name: 'files',
    audit: { fault: () => undefined, record: (entry) => void entries.push(entry) },
    ...more,
  };
  return { door, entries, counted };
}

function knock(door: Door, said: Said): { exchange: Exchange; entered: readonly unknown[] } {
  const exchange = new Exchange(said);
  const entered: unknown[] = [];
  enter(door, exchange, (headers, principal, grant) => entered.push(headers, principal, grant));
  return { exchange, entered };
}

describe('who comes in', () => {
  it('is named with the grant of the credential', () => {
    const { door } = doorOf();
    const { exchange, entered } = knock(door, {});
    expect(entered).toEqual([VARY, ADA, GRANT]);
    expect(exchange.status).toBe(0);
  });

  it('is told the headers a listed page needs', () => {
    const { entered } = knock(doorOf().door, { headers: { origin: 'https://app.test' } });
    expect(entered[0]).toContain('https://app.test');
  });

  it('is not asked again when the exchange began in this process', () => {
    const asked = identity({ error: 'UNAUTHORIZED' });
    const gate = new Counts();
    const { door } = doorOf({ identity: asked, gate });
    const headers = { host: 'nobody.test' };
    const { entered } = knock(door, { headers, caller: ADA, query: 'access_token=a' });
    expect(entered).toEqual([VARY, ADA, UNKNOWN_GRANT]);
    expect(knock(door, { headers, caller: ADA, grant: GRANT }).entered[2]).toBe(GRANT);
    expect([asked.asked, gate.seen]).toEqual([0, []]);
  });
});

describe('who stays out', () => {
  it('V03 is refused for Host and Origin before anything else, what is open to all included', () => {
    const asked = identity();
    const gate = new Counts();
    const open = { whyNotReady: () => undefined, metadataAt: () => '{}' };
    const { door } = doorOf({ identity: asked, gate, ...open });
    const paths = [
      '/mcp',
      '/healthz',
      '/readyz',
      '/.well-known/oauth-protected-resource',
      '/nowhere',
    ];
    for (const path of paths) {
      for (const method of ['GET', 'HEAD', 'OPTIONS', 'POST', 'DELETE']) {
        for (const headers of [{ host: 'evil.test' }, { origin: 'https://evil.test' }]) {
          const { exchange, entered } = knock(door, { method, path, headers });
          expect([path, exchange.status, entered]).toEqual([path, 403, []]);
          expect(exchange.header('Access-Control-Allow-Origin')).toBeUndefined();
        }
      }
    }
    expect([asked.asked, gate.seen]).toEqual([0, []]);
  });

  it('is refused for a credential that does not count, on the record', () => {
    const headers = ['WWW-Authenticate', 'Bearer'];
    const { door, entries, counted } = doorOf({
      identity: identity({ error: 'UNAUTHORIZED', headers }),
    });
    const { exchange, entered } = knock(door, {});
    expect([exchange.status, exchange.header('WWW-Authenticate')]).toEqual([401, 'Bearer']);
    expect(entered).toEqual([]);
    expect(entries).toEqual([
      {
        event: 'unauthenticated',
        address: '192.0.2.1',
        server: 'files',
        refusal: 'UNAUTHORIZED',
      },
    ]);
    expect(counted).toContainEqual(['auth_total', { outcome: 'refused', why: 'none' }]);
  });

  it('V16 is refused for it whatever the method and the path', () => {
    const { door } = doorOf({ identity: identity({ error: 'UNAUTHORIZED' }) });
    for (const path of ['/mcp', '/sse', '/messages', '/nowhere']) {
      for (const method of ['GET', 'HEAD', 'POST', 'PUT', 'PATCH', 'DELETE', 'TRACE', 'QUERY']) {
        const { exchange, entered } = knock(door, { method, path });
        expect([method, exchange.status, entered]).toEqual([method, 401, []]);
      }
    }
  });

  it.each([
    ['access_token=a', true],
    ['b=1&access_token=', true],
    ['b=access_token', false],
    ['my_access_token=1', false],
  ])('with %s in the URL is told so: %s', (query, isTold) => {
    const asked = identity();
    const { exchange } = knock(doorOf({ identity: asked }).door, { query });
    expect([exchange.status, asked.asked]).toEqual(isTold ? [400, 0] : [0, 1]);
  });
});

describe('a preflight', () => {
  it('is answered without a credential', () => {
    const asked = identity();
    const { door } = doorOf({ identity: asked });
    const headers = { origin: 'https://app.test', 'access-control-request-method': 'POST' };
    const { exchange } = knock(door, { method: 'OPTIONS', headers });
    expect([exchange.status, exchange.body, asked.asked]).toEqual([204, '', 0]);
    expect(exchange.header('Allow')).toBe('GET, POST, DELETE, OPTIONS');
    expect(exchange.header('Access-Control-Allow-Origin')).toBe('https://app.test');
  });
});

describe('what is open to all', () => {
  it('is health, with a slash at its end or without', () => {
    const asked = identity({ error: 'UNAUTHORIZED' });
    const { door } = doorOf({ identity: asked, whyNotReady: () => undefined });
    for (const path of ['/healthz', '/healthz/', '/readyz']) {
      expect(knock(door, { path }).exchange.status).toBe(200);
    }
    expect(knock(door, { path: '/' }).exchange.status).toBe(401);
    expect(asked.asked).toBe(1);
  });

  it('is what is said of the resource', () => {
    const { door } = doorOf({
      identity: identity({ error: 'UNAUTHORIZED' }),
      metadataAt: (path) => (path === '/.well-known/a' ? '{}' : undefined),
    });
    expect(knock(door, { path: '/.well-known/a' }).exchange.status).toBe(200);
    expect(knock(door, { path: '/.well-known/b' }).exchange.status).toBe(401);
  });

  it('is for reading, and says so like every route', () => {
    const { door } = doorOf({ whyNotReady: () => undefined, metadataAt: () => '{}' });
    for (const path of ['/healthz', '/readyz', '/.well-known/a']) {
      const { exchange } = knock(door, { method: 'POST', path });
      expect([exchange.status, exchange.header('Allow')]).toEqual([405, 'GET, HEAD']);
      expect(exchange.header('Content-Type')).toBe('application/json');
      expect(JSON.parse(exchange.body)).toMatchObject({
        jsonrpc: '2.0',
        error: { code: -32600, message: expect.stringContaining('Allow header') as string },
      });
    }
  });
});

describe('who is counted', () => {
  it('is whoever knocks, and again whoever was verified', () => {
    const gate = new Counts();
    const { door } = doorOf({ gate });
    const visitor = { address: '192.0.2.1', principal: ADA, server: 'files' };
    for (const method of ['GET', 'POST']) {
      expect(knock(door, { method }).entered).toEqual([VARY, ADA, GRANT]);
    }
    expect(gate.seen).toEqual([
      ['arrive', '192.0.2.1'],
      ['enter', visitor],
      ['open', visitor],
      ['arrive', '192.0.2.1'],
      ['enter', visitor],
    ]);
  });

  it('is refused at the door before a credential is verified', () => {
    const [gate, asked] = [new Counts(), identity()];
    gate.arrival = BUSY;
    const { door } = doorOf({ gate, identity: asked });
    const { exchange } = knock(door, { method: 'POST' });
    expect([exchange.status, exchange.header('Retry-After'), asked.asked]).toEqual([429, '3', 0]);
    const stream = knock(door, { method: 'GET' }).exchange;
    expect([stream.status, stream.body, stream.isStream]).toEqual([200, 'retry: 3000\n\n', true]);
    expect(asked.asked).toBe(0);
  });

  it('is refused a call with an error and a stream with a time to come back', () => {
    const gate = new Counts();
    gate.entry = BUSY;
    const { door } = doorOf({ gate });
    const call = knock(door, { method: 'POST' });
    expect([call.exchange.status, call.entered]).toEqual([429, []]);
    const stream = knock(door, { method: 'GET' });
    expect([stream.exchange.status, stream.exchange.isStream]).toEqual([200, true]);
    expect([stream.exchange.body, stream.entered]).toEqual(['retry: 3000\n\n', []]);
    gate.entry = undefined;
    gate.opening = BUSY;
    expect(knock(door, { method: 'POST' }).entered).toEqual([VARY, ADA, GRANT]);
    const late = knock(door, { method: 'GET' });
    expect([late.exchange.isStream, late.entered]).toEqual([true, []]);
  });
});

describe('where a request goes', () => {
  function answered(said: Said, more: Partial<EndpointContext> = {}): Exchange {
    const exchange = new Exchange(said);
    const context = {
      ...doorOf().door,
      prefix: '/files',
      isDraining: false,
      connections: { retryMs: () => 700 },
      revocations: new Revocations(),
      served: () => ({ error: 'UPSTREAM_UNAVAILABLE' }),
      whenKnown: (then: (refusal: Refusal) => void) => then({ error: 'UPSTREAM_UNAVAILABLE' }),
      ...more,
    };
    admit(context as unknown as EndpointContext, exchange);
    return exchange;
  }

  it.each([
    ['/files/mcp', 502],
    ['/files/mcp/', 502],
    ['/files/mcp//', 404],
    ['/mcp', 404],
    ['/other/mcp', 404],
    ['/files', 404],
    ['/files/', 404],
    ['/', 404],
    ['', 404],
    ['/files/constructor', 404],
    ['/%66iles/mcp', 404],
    ['/FILES/mcp', 404],
    ['//files/mcp', 404],
    ['/files//mcp', 404],
    ['/files%2fmcp', 404],
    ['/files/%6dcp', 404],
    ['/files/./mcp', 404],
    ['/other/../files/mcp', 404],
    ['/files/other/../mcp', 404],
    ['/files/mcp#', 404],
  ])('V09 %s is answered %i', (path, status) => {
    expect(answered({ path }).status).toBe(status);
  });

  it('is found without the name of the server by whoever has the endpoint already', () => {
    expect(answered({ path: '/mcp', caller: ADA }).status).toBe(502);
    expect(answered({ path: '/files/mcp', caller: ADA }).status).toBe(404);
  });

  it('is nowhere for whom the server is not there', () => {
    const asked: Principal[] = [];
    const serves = (principal: Principal): Refusal => {
      asked.push(principal);
      return { error: 'ROUTE_NOT_FOUND' };
    };
    const hidden = answered({ path: '/files/mcp' }, { serves });
    const nothing = answered({ path: '/files/nothing' });
    expect([hidden.status, hidden.body]).toEqual([404, nothing.body]);
    expect(asked).toEqual([ADA]);
    expect(answered({ path: '/files/mcp' }, { serves: () => undefined }).status).toBe(502);
  });

  it('is refused with the methods there are', () => {
    const exchange = answered({ method: 'PUT', path: '/files/mcp' });
    expect([exchange.status, exchange.header('Allow')]).toEqual([405, 'GET, POST, DELETE']);
  });

  it('begins nothing new while the endpoint is drained, and ends what there is', () => {
    const draining = { isDraining: true };
    const stream = answered({ path: '/files/mcp' }, draining);
    expect([stream.isStream, stream.body]).toEqual([true, 'retry: 700\n\n']);
    const ending = { method: 'DELETE', path: '/files/mcp' };
    expect(answered(ending, draining).isStream).toBe(false);
  });
});
