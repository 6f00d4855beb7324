/**
 * V56: every place a secret can come from, and every place it could turn up. A gateway with all of
 * its parts switched on is told a secret of its own by each source; none is found in the log, the
 * counters, the record, a refusal or what anybody else is told.
 */
import { createServer, type Server } from 'node:http';
import type { AddressInfo } from 'node:net';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { GatewayConfig } from 'tidegate/gateway';
import { expect, it, onTestFinished } from 'vitest';
import { consoleTelemetry } from '../../src/adapters/telemetry/console-telemetry.ts';
import {
  configOf,
  eventually,
  gatewayHost,
  type GatewayHost,
  serverOf,
  temporaryFolder,
} from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { modern } from '../wire/client-2026.ts';
import { initialize, note, postOf, rpc, type Headers } from '../wire/conversation.ts';
import type { Json, WireReply, WireRequest } from '../wire/wire-reply.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';

const SOURCES = [
  'a variable of a child',
  'an argument of a child',
  'the path of a URL in the config',
  'the query of a URL in the config',
  'a header in the config',
  'the userinfo of a URL in the config',
  'a failing module',
  'the status text of a server',
  'the body of a server that fails',
  'the body of an issuer that fails',
  'a token in the config',
  'a claim of a token',
  'a token that is not believed',
  'a header of a request',
  'the query of a request',
  'the path of a request',
  'the id of a session',
  'the id of a request',
  'a method',
  'a notification',
  'an argument of a tool',
  'an argument that no policy can read',
  'an argument of a tool that fails',
  'the name of a client',
  'a progress token',
  'the URI of a resource',
  'an argument of a prompt',
  'a cursor',
  'a text that is no JSON',
  'the key of the digests in the record',
] as const;
type Source = (typeof SOURCES)[number];

/** Each source has a secret of its own, so that a leak names where it came from. */
const secretOf = (source: Source): string =>
  `canary${String(SOURCES.indexOf(source)).padStart(2, '0')}canary`;

function spellings(secret: string): readonly string[] {
  const base64 = [0, 1, 2].map((shift) =>
    Buffer.from('x'.repeat(shift) + secret)
      .toString('base64')
      .slice(shift === 0 ? 0 : 4, -4),
  );
  return [secret, ...base64, Buffer.from(secret).toString('hex'), encodeURIComponent(secret)];
}

/** `source -> sink` for every secret that is found. */
function leaks(sinks: Readonly<Record<string, string>>): readonly string[] {
  return Object.entries(sinks).flatMap(([sink, text]) => {
    const small = text.toLowerCase();
    return SOURCES.filter((source) =>
      spellings(secretOf(source)).some((each) => small.includes(each.toLowerCase())),
    ).map((source) => `${source} -> ${sink}`);
  });
}

/** Answers everything with a failure that says too much. */
async function talkativeServer(): Promise<string> {
  const server: Server = createServer((_request, response) => {
    response.statusMessage = secretOf('the status text of a server');
    response.writeHead(500, { 'content-type': 'application/json' });
    response.end(`{"error":"${secretOf('the body of a server that fails')}`);
  });
  await new Promise<void>((resolve) => server.listen(0, '127.0.0.1', resolve));
  onTestFinished(() => {
    server.closeAllConnections();
    server.close();
  });
  return `127.0.0.1:${(server.address() as AddressInfo).port}`;
}

const DIGEST_KEY = `key-${secretOf('the key of the digests in the record')}-0123456789abcdef`;
const TOKEN = `token-${secretOf('a token in the config')}-0123456789`;
const POLICY = `
permit(principal, action, resource);
forbid(principal, action == Action::"call", resource == Tool::"leaky/echo")
when { context.arguments has addr && ip(context.arguments.addr).isLoopback() };`;

interface Stage {
  readonly host: GatewayHost;
  readonly issuer: Issuer;
  readonly file: string;
  /** What was logged, and the counters. */
  readonly sight: () => Readonly<Record<'log' | 'counters', string>>;
}

async function stage(): Promise<Stage> {
  const issuer = await Issuer.start();
  const folder = temporaryFolder();
  const file = join(folder, 'audit.jsonl');
  const module = join(folder, 'failing.mjs');
  const said = secretOf('a failing module');
  writeFileSync(
    module,
    `export default () => { throw new Error('no ${said}\\n    at ${said}'); };`,
  );
  const server = await talkativeServer();
  const remote = (url: string, headers = {}): ReturnType<typeof serverOf> => {
    const parts = { ca: undefined, proxy: undefined, credential: undefined };
    return serverOf({ kind: 'url', url, headers, allowedHosts: ['127.0.0.1'], ...parts });
  };
  const path = secretOf('the path of a URL in the config');
  const query = secretOf('the query of a URL in the config');
  const args = [join(ROOT, 'test/fixtures/gateway/leaky.mjs')];
  args.push(`--key=${secretOf('an argument of a child')}`);
  const env = { SECRET: secretOf('a variable of a child') };
  const command = {
    kind: 'command',
    command: process.execPath,
    args,
    env,
    cwd: undefined,
  } as const;
  const config: Partial<GatewayConfig> = {
    listen: {
      host: '127.0.0.1',
      port: 0,
      publicUrl: PUBLIC_URL,
      allowedOrigins: undefined,
      drainMs: 500,
    },
    auth: {
      kind: 'several',
      ways: [
        { kind: 'token', token: TOKEN },
        {
          kind: 'jwt',
          issuer: issuer.url,
          allowedHosts: ['127.0.0.1'],
          audiences: ['everywhere'],
          tenant: { claim: 'org' },
          claims: { mail: 'email' },
        },
      ],
    },
    policy: {
      sources: [{ name: 'test.cedar', text: POLICY }],
      allow: [],
      arguments: { leaky: { echo: ['addr'] } },
    },
    rates: { principal: { requestsPerSecond: 10_000 }, address: { streamsMax: 1000 } },
    audit: { file, rotateBytes: 100_000_000, isRequired: true, digestKey: DIGEST_KEY },
    all: { servers: undefined },
  };
  const lines: string[] = [];
  const telemetry = await consoleTelemetry({ level: 'debug', write: (line) => lines.push(line) });
  const user = secretOf('the userinfo of a URL in the config');
  const host = await gatewayHost(
    configOf(
      {
        leaky: serverOf(command, { isolation: 'shared' }),
        remote: remote(`http://${server}/${path}/mcp?key=${query}`, {
          'x-api-key': secretOf('a header in the config'),
        }),
        odd: remote(`http://me:${user}@${server}/mcp`),
        failing: serverOf({ kind: 'module', path: module, exportName: 'default' }),
      },
      config,
    ),
    { telemetry },
  );
  const sight = (): Readonly<Record<'log' | 'counters', string>> => ({
    log: lines.join(''),
    counters: JSON.stringify(telemetry.snapshot()),
  });
  return { host, issuer, file, sight };
}

/** A client, what it was told, and the refusals among it. */
class Talker {
  readonly #host: GatewayHost;
  readonly #headers: Headers;
  #session: Headers = {};
  #id = 0;
  told = '';
  refusals = '';

  constructor(host: GatewayHost, headers: Headers) {
    this.#host = host;
    this.#headers = headers;
  }

  async open(name: string, clientName = 'wire'): Promise<Talker> {
    const body = initialize('2025-11-25') as { params: { clientInfo: object } };
    const clientInfo = { name: clientName, version: '1.0.0' };
    const params = { ...body.params, clientInfo };
    const reply = await this.send(postOf(`/${name}/mcp`, { ...body, params }));
    this.#session = {
      'mcp-session-id': reply.header('mcp-session-id'),
      'mcp-protocol-version': '2025-11-25',
    };
    await this.send(postOf(`/${name}/mcp`, note('notifications/initialized')));
    return this;
  }

  /** @returns after the whole reply. */
  async send({ headers, ...request }: WireRequest): Promise<WireReply> {
    const all = { ...headers, ...this.#headers, ...this.#session };
    const reply = await this.#host.send({ ...request, headers: all }).whole();
    this.told += reply.bytes;
    if (reply.status >= 400) this.refusals += reply.bytes;
    return reply;
  }

  ask(name: string, method: string, params: Json = {}, headers: Headers = {}): Promise<WireReply> {
    this.#id += 1;
    return this.send(postOf(`/${name}/mcp`, rpc(this.#id, method, params), headers));
  }

  call(name: string, tool: string, given: Json = {}, more: Json = {}): Promise<WireReply> {
    return this.ask(name, 'tools/call', { name: tool, arguments: given, ...more });
  }

  /** Hears what is told to everybody, until the test is over. */
  listen(name: string): WireReply {
    const headers = { accept: 'text/event-stream', ...this.#headers, ...this.#session };
    return this.#host.send({ path: `/${name}/mcp`, headers });
  }
}

/** Tells the gateway every secret that a client can tell it. */
async function confide({ host, issuer }: Stage, speaker: Talker, bearer: Headers): Promise<void> {
  const s = secretOf;
  await speaker.call('leaky', 'echo', { password: s('an argument of a tool') });
  await speaker.call('leaky', 'echo', { addr: s('an argument that no policy can read') });
  await speaker.call('leaky', 'fail', { password: s('an argument of a tool that fails') });
  const progress = { _meta: { progressToken: s('a progress token') } };
  await speaker.call('leaky', 'noise', {}, progress);
  await speaker.ask('leaky', 'resources/read', { uri: `file:///${s('the URI of a resource')}` });
  const given = { name: 'poem', arguments: { topic: s('an argument of a prompt') } };
  await speaker.ask('leaky', 'prompts/get', given);
  await speaker.ask('leaky', 'tools/list', { cursor: s('a cursor') });
  await speaker.ask('leaky', `login/${s('a method')}`, { name: s('a method') });
  await speaker.send(postOf('/leaky/mcp', note(`notifications/${s('a notification')}`)));
  await speaker.send(postOf('/leaky/mcp', rpc(s('the id of a request'), 'ping')));
  await speaker.send(postOf('/leaky/mcp', `{"a":"${s('a text that is no JSON')}"`));
  await speaker.call('leaky', 'die', {});

  const guest = new Talker(host, bearer);
  const header = { 'x-api-key': s('a header of a request'), cookie: s('a header of a request') };
  await guest.ask('leaky', 'nothing', {}, { ...header, origin: 'https://evil.test' });
  await guest.ask('leaky', 'ping', {}, { ...header, accept: s('a header of a request') });
  await guest.ask('leaky', 'ping', {}, { 'mcp-session-id': s('the id of a session') });
  await guest.send({ path: `/leaky/mcp?token=${s('the query of a request')}` });
  await guest.send({ path: `/${s('the path of a request')}/mcp` });
  await guest.send({ path: `/leaky/${s('the path of a request')}` });
  for (const name of ['remote', 'odd', 'failing', 'all']) {
    const { path: _, ...request } = modern(1, 'tools/list', {});
    await guest.send({ ...request, path: `/${name}/mcp` });
    await guest.open(name);
  }
  const refused = async (headers: Headers): Promise<void> => {
    const stranger = new Talker(host, headers);
    await stranger.ask('leaky', 'ping');
    expect(stranger.refusals).not.toBe('');
    speaker.refusals += stranger.refusals;
  };
  const wrong = s('a token that is not believed');
  for (const authorization of [`Bearer ${wrong}`, `Basic ${wrong}`, `Bearer a.${wrong}.c`]) {
    await refused({ authorization });
  }
  const forged = await issuer.token({ aud: 'everywhere', org: wrong, iss: `https://${wrong}` });
  await refused({ authorization: `Bearer ${forged}` });
  issuer.answer = (response) => {
    response.end(secretOf('the body of an issuer that fails'));
  };
  const unknown = { kid: secretOf('the body of an issuer that fails') };
  const late = await issuer.token({ aud: 'everywhere', org: 'acme', header: unknown });
  await refused({ authorization: `Bearer ${late}` });
  speaker.refusals += guest.refusals;
}

it('V56 a secret from anywhere is in no log, counter, record or refusal, and is told to nobody else', async () => {
  const all = await stage();
  const { host, issuer, file, sight } = all;
  const claims = {
    aud: 'everywhere',
    email: `${secretOf('a claim of a token')}@a.test`,
    org: 'acme',
  };
  const bearer = { authorization: `Bearer ${await issuer.token(claims)}` };
  const bystander = await new Talker(host, { authorization: `Bearer ${TOKEN}` }).open('leaky');
  const heard = bystander.listen('leaky');
  await heard.head();
  const speaker = await new Talker(host, bearer).open('leaky', secretOf('the name of a client'));
  await confide(all, speaker, bearer);
  await eventually(() => sight().log.includes('upstream_down'), 'the death of the server');
  await bystander.call('leaky', 'echo', { text: 'mine' });
  await bystander.ask('leaky', 'tools/list');
  await host.close();
  const record = readFileSync(file, 'utf8');
  // What is looked at is not empty, and what was meant to happen did.
  for (const event of ['upstream_down', 'policy_failed', 'issuer_keys_failed', 'session_opened']) {
    expect(sight().log).toContain(event);
  }
  expect(record).toContain('"method":"tools/call"');
  expect(sight().counters).toContain('upstream_stderr_lines_total');
  expect(speaker.told).toContain(secretOf('a variable of a child'));
  const { refusals } = speaker;
  const others = bystander.told + heard.bytes;
  expect(leaks({ ...sight(), record, refusals, others })).toEqual([]);
});

it('V56 would be seen: a secret is found however it is written', () => {
  const secret = secretOf('a method');
  const texts = [secret, secret.toUpperCase(), Buffer.from(`u:${secret}:p`).toString('base64')];
  texts.push(Buffer.from(secret).toString('hex'));
  for (const text of texts) expect(leaks({ log: `x ${text} y` })).toEqual(['a method -> log']);
  expect(leaks({ log: 'nothing' })).toEqual([]);
});
