/** Attacks that worked on servers of this kind, tried on this one. */

import { mkdtempSync, readdirSync, rmSync, statSync } from 'node:fs';
import { connect } from 'node:net';
import { networkInterfaces, tmpdir } from 'node:os';
import { join } from 'node:path';
import { beforeAll, expect, it, onTestFinished } from 'vitest';
import { ensureBuilt } from '../../scripts/bootstrap.mjs';
import { systemRandom } from '../../src/adapters/system/system-random.ts';
import { ROUTES } from '../../src/server/routes/table.ts';
import { CliProcess } from '../cli-process.ts';
import { ROOT } from '../source-files.ts';
import { titleOf } from '../upstreams/processes.ts';
import { goodBody, headText, post, SMALL_LIMITS } from './bad-requests.ts';
import { BYSTANDER, Bystanders } from './bystanders.ts';
import {
  Client2024,
  Client2025,
  Client2026,
  initializeParams,
  jsonHeaders,
  modernRequest,
  rpc,
  textOf,
} from './clients.ts';
import { describeLinux, FaultHost } from './fault-host.ts';
import { exchange, type Reply } from './http-exchange.ts';
import { RawSocket, requestText } from './raw-socket.ts';
import { Wire, type WireAnswer } from './wire.ts';

beforeAll(async () => {
  await ensureBuilt();
}, 120_000);

/** For machines that are busy with much else. */
const TEST_MS_MAX = 90_000;
const TOKEN_HOST = { identity: 'token', tokens: `user-${BYSTANDER}` } as const;
const GOOD = jsonHeaders(BYSTANDER);
const METHODS = ['GET', 'POST', 'DELETE', 'PUT', 'PATCH'];

/** Every path there is, spelt both ways, and one that there is not, with every method. */
const DOORS = [
  ...ROUTES.keys(),
  ...[...ROUTES.keys()].map((path) => `${path}/`),
  '/nothing',
].flatMap((path) => METHODS.map((method) => ({ path, method })));

function withoutDate({ head, body }: WireAnswer): string {
  return head.replace(/\r\ndate: [^\r]*/, '') + body;
}

async function askAll(
  port: number,
  headers: Readonly<Record<string, string | readonly string[]>>,
  suffix = '',
  authority = '',
): Promise<readonly WireAnswer[]> {
  const wire = new Wire(port);
  const answers: WireAnswer[] = [];
  for (const { path, method } of DOORS) {
    const body = rpc(1, 'initialize', initializeParams('2025-11-25', 'attacker'));
    const length = String(Buffer.byteLength(body));
    const all = { host: 'localhost', ...headers, 'content-length': length };
    answers.push(await wire.ask(headText(method, authority + path + suffix, all) + body));
  }
  wire.close();
  return answers;
}

/** What servers and proxies of this kind believe, or believed until it was used against them. */
const BELIEVED_ELSEWHERE = {
  'x-user': BYSTANDER,
  'x-forwarded-user': BYSTANDER,
  'x-forwarded-email': 'root@localhost',
  'x-auth-request-user': BYSTANDER,
  'x-remote-user': BYSTANDER,
  'x-tenant': 'default',
  'x-authenticated': 'true',
  'x-internal-key': 'secret',
  'x-tidegate-caller': BYSTANDER,
  'tidegate-caller': BYSTANDER,
  'mcp-user': BYSTANDER,
  'x-mcp-authorized': 'true',
  'x-mcp-server': 'other',
  'x-upstream': 'http://169.254.169.254/',
  'x-forwarded-for': '127.0.0.1',
  'x-forwarded-host': 'evil.test',
  'x-forwarded-prefix': '/evil',
  'x-real-ip': '127.0.0.1',
  forwarded: 'for=127.0.0.1;host=evil.test',
  'x-original-url': '/healthz',
  'x-rewrite-url': '/healthz',
  'x-original-method': 'OPTIONS',
  'x-http-method-override': 'OPTIONS',
} as const;

async function initialize(
  port: number,
  headers: Record<string, string>,
  params = {},
): Promise<Reply> {
  const body = rpc(0, 'initialize', { ...initializeParams('2025-11-25', 'a'), ...params });
  return exchange({ port, method: 'POST', path: '/mcp', headers, body });
}

describeLinux('the door', { timeout: TEST_MS_MAX }, () => {
  it('V12 V16 V17 every route refuses every method without a good credential, in the same words', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const { authorization: _, ...bare } = GOOD;
    const token = `user-${BYSTANDER}`;
    const attempts: [Record<string, string>, string][] = [
      [bare, ''],
      [{ ...bare, authorization: '' }, ''],
      [{ ...bare, cookie: `token=${token}; Authorization=Bearer ${token}` }, ''],
      [{ ...bare, 'x-forwarded-user': BYSTANDER, 'x-api-key': token }, ''],
      [{ ...bare, 'proxy-authorization': `Bearer ${token}` }, ''],
      [{ ...bare, ...BELIEVED_ELSEWHERE }, ''],
      [bare, `?token=${token}`],
      [{ ...bare, 'mcp-session-id': 'unknown' }, '?sessionId=unknown'],
    ];
    const told = new Set<string>();
    for (const [headers, suffix] of attempts) {
      for (const answer of await askAll(host.port, headers, suffix)) {
        expect(answer.status).toBe(401);
        expect(answer.head).toContain('\r\nwww-authenticate: bearer realm="tidegate"\r\n');
        told.add(withoutDate(answer));
      }
    }
    expect([...told]).toHaveLength(1);
    for (const answer of await askAll(host.port, { ...bare, authorization: 'Bearer wrong' })) {
      expect(answer.status).toBe(401);
    }
    await bystanders.sawNothing();
  });

  it('V01 V02 V03 V04 V05 V09 every route refuses foreign hosts and origins, and runs nothing', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const attempts: [Record<string, string | string[]>, number][] = [
      [{ host: 'evil.test' }, 403],
      [{ host: 'a/x?' }, 400],
      [{ host: 'a#' }, 400],
      [{ host: ['localhost', 'evil.test'] }, 400],
      [{ origin: 'http://evil.test' }, 403],
      [{ origin: 'null' }, 403],
      [{ origin: ['http://localhost', 'http://evil.test'] }, 403],
    ];
    for (const [headers, status] of attempts) {
      for (const authorization of [GOOD['authorization'] ?? '', 'Bearer wrong-token-0123456789']) {
        for (const answer of await askAll(host.port, { ...GOOD, authorization, ...headers })) {
          expect(answer.status).toBe(status);
          expect(answer.head).not.toContain('access-control-');
        }
      }
    }
    // What a request line says of the host is not what is checked.
    for (const named of ['evil.test', 'evil.test:80']) {
      for (const answer of await askAll(
        host.port,
        { ...GOOD, host: named },
        '',
        'http://localhost',
      )) {
        expect(answer.status).toBe(403);
      }
    }
    await bystanders.sawNothing();
  });

  it('V08 a preflight of a foreign page is allowed nothing', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    for (const origin of ['http://evil.test', 'null']) {
      const headers = { origin, 'access-control-request-method': 'POST' };
      const reply = await exchange({ port: host.port, method: 'OPTIONS', path: '/mcp', headers });
      expect(reply.status).toBe(403);
      expect(Object.keys(reply.headers).join()).not.toContain('access-control');
    }
  });

  it('V07 a call that a page could send without asking is refused, and not made', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    const client = await Client2025.open(host.port, BYSTANDER, false);
    onTestFinished(() => client.close());
    const life = textOf(await client.request(1, 'tools/call', { name: 'life', arguments: {} }));
    const body = rpc(2, 'tools/call', { name: 'die', arguments: {} });
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      const headers = { ...client.headers, 'content-type': type };
      const reply = await exchange({
        port: host.port,
        method: 'POST',
        path: '/mcp',
        headers,
        body,
      });
      expect(reply.status).toBe(415);
    }
    const after = textOf(await client.request(3, 'tools/call', { name: 'life', arguments: {} }));
    expect(after).toBe(life);
  });

  it('V53 a header named like a prototype is a header like any other', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const wire = new Wire(host.port);
    const { headers, params } = modernRequest(BYSTANDER, 'tools/call', { name: 'echo' });
    const target = { path: '/mcp', headers, meta: params['_meta'] as Record<string, unknown> };
    for (const name of ['__proto__', 'constructor', 'prototype', 'toString', 'hasOwnProperty']) {
      const request = post(target, goodBody(1, target), { [name]: ['x', '{"a":1}'] });
      const { status, body } = await wire.ask(request);
      expect([status, textOf(body)]).toEqual([200, 'text 1']);
    }
    wire.close();
    await bystanders.sawNothing();
  });

  it('V48 a body without end is refused long before it ends, and not kept', async () => {
    const host = await FaultHost.start({ ...TOKEN_HOST, limits: SMALL_LIMITS });
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const { used } = await host.look();
    const socket = await RawSocket.open(host.port);
    socket.send(requestText('POST', '/mcp', { ...GOOD, 'transfer-encoding': 'chunked' }));
    const piece = `10000\r\n${' '.repeat(0x10000)}\r\n`;
    let sent = 0;
    while (!socket.isClosed && sent < 4096) {
      socket.send(piece);
      sent += 1;
      if (sent % 16 === 0) await new Promise((resolve) => setTimeout(resolve, 1));
    }
    await socket.until(() => socket.isClosed, 'the end');
    expect(socket.head).toMatch(/^HTTP\/1\.1 413 /);
    expect((await host.look()).used - used).toBeLessThan(2 * 1024 * 1024);
    await bystanders.sawNothing();
  });
});

describeLinux('what a request may choose', { timeout: TEST_MS_MAX }, () => {
  it('V10 V14 V45 is never a command, an argument, a variable or a folder', async () => {
    const host = await FaultHost.start({ identity: 'users' });
    const client = await Client2025.open(host.port, 'honest', false);
    onTestFinished(() => client.close());
    const titles = (): Set<string> => new Set(host.descendants().map(titleOf));
    const known = titles();
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-threats-'));
    onTestFinished(() => rmSync(folder, { recursive: true }));
    const command = `touch ${folder}/made`;
    const choice = {
      command: 'touch',
      args: [`${folder}/made`],
      env: { CHOSEN: 'x' },
      cwd: folder,
      transportType: 'stdio',
      url: 'http://169.254.169.254/',
      serverPath: `$(${command})`,
    };
    const headers = {
      ...jsonHeaders('attacker'),
      'x-command': command,
      'x-mcp-command': command,
      'x-upstream': 'http://169.254.169.254/',
      'x-forwarded-host': 'evil.test',
    };
    const query = `?command=${encodeURIComponent(command)}&args=x&url=http://169.254.169.254/`;
    const body = rpc(0, 'initialize', { ...initializeParams('2025-11-25', 'a'), ...choice });
    const sent = { port: host.port, method: 'POST', path: `/mcp${query}`, headers, body };
    const opened = await exchange(sent);
    expect(opened.status).toBe(200);
    const stream = await RawSocket.open(host.port);
    stream.send(requestText('GET', `/sse${query}`, { ...headers, accept: 'text/event-stream' }));
    await stream.received('sessionId=');
    expect(stream.head).not.toMatch(/evil|command|169/);
    const old = { ...sent, path: `/${/data: (\S+)/.exec(stream.head)?.[1]}` };
    expect((await exchange({ ...old, body })).status).toBe(202);
    const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
    const call = rpc(1, 'tools/call', { name: 'life', arguments: choice, ...choice });
    const reply = await exchange({ ...sent, headers: session, body: call });
    const { names } = JSON.parse(textOf(reply.text)) as { names: string[] };
    expect(names).not.toContain('CHOSEN');
    expect(readdirSync(folder)).toEqual([]);
    expect([...titles()].filter((title) => !known.has(title))).toEqual([]);
  });

  it('V17 V45 is told by no header that is believed elsewhere', async () => {
    const host = await FaultHost.start(TOKEN_HOST);
    const client = await Client2025.open(host.port, BYSTANDER, false);
    onTestFinished(() => client.close());
    const wire = new Wire(host.port);
    onTestFinished(() => wire.close());
    const ask = async (more: Readonly<Record<string, string>>): Promise<readonly string[]> => {
      const answers: string[] = [];
      for (const { path, method } of DOORS) {
        // An event stream has no end to compare.
        if (method === 'GET' && path.startsWith('/sse')) continue;
        const body = rpc(1, 'tools/call', { name: 'echo', arguments: { text: 'mine' } });
        const length = { 'content-length': String(body.length) };
        const headers = { host: 'localhost', ...GOOD, ...more, ...length };
        answers.push(withoutDate(await wire.ask(headText(method, path, headers) + body)));
      }
      return answers;
    };
    expect(await ask(BELIEVED_ELSEWHERE)).toEqual(await ask({}));
    const session = { host: 'localhost', ...client.headers, ...BELIEVED_ELSEWHERE };
    const body = rpc(1, 'tools/call', { name: 'echo', arguments: { text: 'mine' } });
    const length = { 'content-length': String(body.length) };
    const called = await wire.ask(headText('POST', '/mcp', { ...session, ...length }) + body);
    expect([called.status, textOf(called.body)]).toEqual([200, 'mine']);
  });

  it('V58 is never the id of a session, on any route', async () => {
    const host = await FaultHost.start({ identity: 'users' });
    const { port } = host;
    const chosen = 'A'.repeat(32);
    const fixed = { ...jsonHeaders('victim'), 'mcp-session-id': chosen };
    const opened = await initialize(port, fixed);
    expect(opened.headers['mcp-session-id']).toMatch(/^[\w-]{32}$/);
    expect(opened.headers['mcp-session-id']).not.toBe(chosen);
    const stream = await RawSocket.open(port);
    const accept = { ...fixed, accept: 'text/event-stream' };
    stream.send(requestText('GET', `/sse?sessionId=${chosen}`, accept));
    await stream.received('sessionId=');
    expect(stream.head).not.toContain(`sessionId=${chosen}`);

    const body = rpc(1, 'ping', {});
    const tries = [
      { method: 'POST', path: '/mcp', headers: fixed, body },
      { method: 'GET', path: '/mcp', headers: accept },
      { method: 'DELETE', path: '/mcp', headers: fixed },
      { method: 'POST', path: `/messages?sessionId=${chosen}`, headers: fixed, body },
    ];
    for (const sent of tries) expect((await exchange({ port, ...sent })).status).toBe(404);
    expect((await host.peek()).held.sessions).toBe(2);
  });
});

const USERS = 200;

describeLinux('many users', { timeout: TEST_MS_MAX }, () => {
  it('V18 V25 V26 at once, with equal ids, on one server process, get their own and nothing else', async () => {
    const host = await FaultHost.start({ identity: 'users', isolation: 'shared' });
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const names = Array.from({ length: USERS }, (_, at) => `u${at}`);
    const clients = await Promise.all(
      names.map(async (name, at) => {
        if (at % 3 === 0) return Client2024.open(host.port, name);
        return at % 3 === 1 ? Client2025.open(host.port, name) : new Client2026(host.port, name);
      }),
    );
    onTestFinished(() => clients.forEach((client) => client.close()));
    await Promise.all(
      clients.map(async (client, at) => {
        for (let id = 1; id <= 5; id += 1) {
          const text = `secret of ${names[at]} in ${id}`;
          const given = { name: 'echo', arguments: { text } };
          expect(textOf(await client.request(id, 'tools/call', given))).toBe(text);
        }
      }),
    );
    expect(clients.flatMap(({ foreign }) => foreign)).toEqual([]);
    bystanders.check();
  });

  it('V18 V22 V23 V58 are who their credential says, whatever else a request says', async () => {
    const host = await FaultHost.start({ identity: 'users' });
    const { port } = host;
    const victim = await Client2025.open(port, 'victim', false);
    const old = await Client2024.open(port, 'victim');
    onTestFinished(() => victim.close());
    onTestFinished(() => old.close());
    const claims = {
      ...jsonHeaders('attacker'),
      'x-user': 'victim',
      'x-forwarded-user': 'victim',
      'x-tenant': 't',
      forwarded: 'for=victim',
      cookie: 'user=victim',
      'mcp-protocol-version': '2025-11-25',
    };
    const accept = { ...claims, accept: 'text/event-stream' };
    const body = rpc(1, 'ping', {});
    const unknown = systemRandom.sessionId();
    const oldId = old.endpoint.split('=')[1] ?? '';
    const wire = new Wire(port);
    const ask = async (id: string, oldName: string): Promise<string[]> => {
      const answers: string[] = [];
      const named = { host: 'localhost', 'mcp-session-id': id };
      const user = '?user=victim';
      const length = { 'content-length': String(body.length) };
      const messages = `/messages?user=victim&sessionId=${oldName}`;
      for (const text of [
        headText('POST', `/mcp${user}`, { ...claims, ...named, ...length }) + body,
        headText('GET', `/mcp${user}`, { ...accept, ...named }),
        headText('DELETE', `/mcp${user}`, { ...claims, ...named }),
        headText('POST', messages, { ...claims, host: 'localhost', ...length }) + body,
      ]) {
        const answer = await wire.ask(text);
        expect(answer.status).toBe(404);
        answers.push(withoutDate(answer));
      }
      return answers;
    };
    expect(await ask(victim.session, oldId)).toEqual(await ask(unknown, unknown));
    wire.close();
    const stolen = { ...accept, 'last-event-id': old.lastEventId };
    expect((await exchange({ port, path: '/sse', headers: stolen })).status).toBe(400);
    for (const client of [victim, old]) {
      const given = { name: 'echo', arguments: { text: 'still here' } };
      expect(textOf(await client.request(5, 'tools/call', given))).toBe('still here');
      expect(client.foreign).toEqual([]);
    }
    expect((await host.peek()).ended).toEqual([]);
  });
});

describeLinux('sessions that are opened and ended in a row', { timeout: TEST_MS_MAX }, () => {
  it('leave nothing of what their clients put into them', async () => {
    const host = await FaultHost.start({ identity: 'users', isolation: 'shared' });
    const bystanders = await Bystanders.begin(host);
    await bystanders.note();
    const { port } = host;
    const capabilities = { experimental: { filling: { text: 'x'.repeat(60 * 1024) } } };
    for (let number = 0; number < 700; number += 1) {
      const headers = jsonHeaders('filler');
      const opened = await initialize(port, headers, { capabilities });
      const session = { ...headers, 'mcp-session-id': String(opened.headers['mcp-session-id']) };
      const ended = await exchange({ port, method: 'DELETE', path: '/mcp', headers: session });
      expect(ended.status).toBe(204);
    }
    await bystanders.sawNothing();
  });
});

describeLinux('the ids of sessions', () => {
  it('V21 are of 192 bits, all different, evenly spread and without a clock in them', () => {
    const count = 100_000;
    const seen = new Set<string>();
    const counts = Array.from({ length: 24 }, () => new Uint32Array(256));
    for (let made = 0; made < count; made += 1) {
      const id = systemRandom.sessionId();
      seen.add(id);
      const bytes = Buffer.from(id, 'base64url');
      for (let at = 0; at < 24; at += 1) counts[at]![bytes[at]!]! += 1;
    }
    expect(seen.size).toBe(count);
    const expected = count / 256;
    for (const place of counts) {
      const chiSquare = place.reduce((sum, each) => sum + (each - expected) ** 2 / expected, 0);
      // 255 degrees of freedom: beyond these a fair source comes once in 10^9 runs.
      expect(chiSquare).toBeGreaterThan(135);
      expect(chiSquare).toBeLessThan(420);
    }
  });

  it('V21 are the ones that go over the wire, in both eras that have them', async () => {
    const host = await FaultHost.start({ identity: 'users', isolation: 'shared' });
    const ids = new Set<string>();
    const opened = await Promise.all(
      Array.from({ length: 100 }, async () => initialize(host.port, jsonHeaders('a'))),
    );
    for (const { headers } of opened) ids.add(String(headers['mcp-session-id']));
    for (let made = 0; made < 20; made += 1) {
      const client = await Client2024.open(host.port, 'a');
      ids.add(client.endpoint.split('=')[1] ?? '');
      client.close();
    }
    expect(ids.size).toBe(120);
    for (const id of ids) expect(id).toMatch(/^[A-Za-z0-9_-]{32}$/);
  });
});

describeLinux('the command as it is', { timeout: TEST_MS_MAX }, () => {
  it('V06 V11 V13 asks for a token it made itself, and listens to this machine only', async () => {
    const folder = mkdtempSync(join(tmpdir(), 'tidegate-threats-'));
    const server = join(ROOT, 'test/fixtures/faults/server.mjs');
    const args = ['--port', '0', '--', process.execPath, server];
    const cli = new CliProcess(args, { XDG_CONFIG_HOME: folder });
    onTestFinished(async () => {
      await cli.end('SIGKILL');
      rmSync(folder, { recursive: true });
    });
    const [, port = ''] = await cli.printed(/http:\/\/127\.0\.0\.1:(\d+)\/mcp/);
    const [, token = ''] = await cli.printed(/Bearer ([\w-]{32,})/);
    const bare = { 'content-type': 'application/json', accept: 'application/json' };
    expect((await initialize(Number(port), bare)).status).toBe(401);
    const good = { ...bare, authorization: `Bearer ${token}` };
    expect((await initialize(Number(port), good)).status).toBe(200);
    const files = readdirSync(folder, { recursive: true, withFileTypes: true });
    const kept = files.filter((entry) => entry.isFile());
    expect(kept).not.toEqual([]);
    for (const { parentPath, name } of kept) {
      expect(statSync(join(parentPath, name)).mode & 0o077).toBe(0);
    }

    for (const address of addressesOfThisMachine()) {
      expect(await isReachable(address, Number(port)), address).toBe(false);
    }
    expect(await isReachable('127.0.0.1', Number(port))).toBe(true);
  });
});

/** Under which others could reach it; none on a machine without a network. */
function addressesOfThisMachine(): string[] {
  return Object.values(networkInterfaces())
    .flatMap((entries) => entries ?? [])
    .filter(({ internal, address }) => !internal && !address.startsWith('fe80'))
    .map(({ address }) => address);
}

async function isReachable(host: string, port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect({ host, port, timeout: 2000 });
    const done = (isOpen: boolean): void => {
      socket.destroy();
      resolve(isOpen);
    };
    socket.on('connect', () => done(true));
    socket.on('error', () => done(false));
    socket.on('timeout', () => done(false));
  });
}
