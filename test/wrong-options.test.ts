/**
 * Options of the wrong kind, as programs without types give them, at every function there is: each
 * is told at the call, by its name.
 */
import { mkdtempSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { afterAll, describe, expect, it } from 'vitest';
import {
  consoleTelemetry,
  createEndpoint,
  inProcess,
  mtlsIdentity,
  noAuth,
  principalOf,
  rememberingIdentity,
  remote,
  staticToken,
  stdio,
  SubjectTokens,
} from 'tidegate';
import { TidegateClientTransport } from 'tidegate/client';
import { fetchHandler } from 'tidegate/fetch';
import { createGateway, loadConfig } from 'tidegate/gateway';
import { nodeHandler, serve } from 'tidegate/node';

/** A call that takes anything. */
type Loose = (...given: readonly unknown[]) => unknown;

const loose = (call: unknown): Loose => call as Loose;

const VALUES: readonly unknown[] = [null, '', 0, NaN, {}, [], 'x', true, () => {}, [1], -1];
const is =
  (...fit: readonly unknown[]) =>
  (value: unknown): boolean =>
    fit.includes(value);
const isEmptyList = (value: unknown): boolean => Array.isArray(value) && value.length === 0;
const isObject = (value: unknown): boolean =>
  typeof value === 'object' && value !== null && !Array.isArray(value);
const isWork = (value: unknown): boolean => typeof value === 'function';
const isFlag = is(true);
const isWord = is('x');
const isText = is('', 'x');
const none = (): boolean => false;
const isHeaders = (value: unknown): boolean => isObject(value) || isWork(value);

const folder = mkdtempSync(join(tmpdir(), 'tidegate-options-'));
afterAll(() => rmSync(folder, { recursive: true, force: true }));

const app = createEndpoint({ upstream: inProcess(() => ({}) as never), identity: noAuth() });
afterAll(async () => app.drain(0));

const URL = 'https://mcp.example.com/mcp';
const TOKEN = '0123456789abcdef';
const CLIENT = { kind: 'client-credentials', clientId: 'c', clientSecret: 's' };
const EXCHANGE = { ...CLIENT, kind: 'token-exchange', issuer: URL };
const PERSON = { kind: 'authorization-code', folder };
const PROXIES = ['192.0.2.1'];
const TLS = { cert: 'absent.pem', key: 'absent.pem', clientCa: 'absent.pem' };
const LISTEN = { host: '127.0.0.1', port: 0, drainMs: 100 };
const COMMAND = { kind: 'command', command: 'absent', args: [] };
const SERVER = { name: 'a', source: COMMAND, isolation: 'session', isRequired: true };
const AUDIT = { file: join(folder, 'audit.jsonl'), rotateBytes: 1024, isRequired: false };
const TENANT = { isSuspended: false, credentials: {} };

type Config = Readonly<Record<string, unknown>>;

async function gateway(config: unknown, options?: unknown): Promise<void> {
  const auth = { kind: 'token', token: TOKEN };
  const whole = { listen: LISTEN, auth, servers: [SERVER], ...(config as object) };
  const made = createGateway(whole as never, options as never);
  await made.abandon();
  await made.drain(0);
}

const listening = async (more: Config): Promise<void> =>
  gateway({ listen: { ...LISTEN, ...more } });
const serving = async (more: Config): Promise<void> =>
  gateway({ servers: [{ ...SERVER, ...more }] });
const starting = async (more: Config): Promise<void> =>
  serving({ source: { ...COMMAND, ...more } });
const calling = async (more: Config): Promise<void> =>
  serving({ source: { kind: 'url', url: URL, headers: {}, ...more } });
const served = async (options: unknown): Promise<void> => {
  const server = await loose(serve)(app, options);
  await (server as { close(): Promise<void> }).close();
};
const bound = async (more: Config): Promise<void> => served({ port: 0, ...more });
const client = async (options: unknown): Promise<void> =>
  new TidegateClientTransport(URL, options as never).close();

interface Options {
  /** What they are given to. */
  readonly to: string;
  readonly call: (options: Config) => unknown;
  /** Which of the values are of the kind of each. */
  readonly fit: Readonly<Record<string, (value: unknown) => boolean>>;
}

const REMOTE = {
  headers: isHeaders,
  allowedHosts: isEmptyList,
  ca: none,
  proxy: isWord,
  credential: none,
  limits: isObject,
  telemetry: none,
};
const CHOICES = {
  isolation: none,
  eras: none,
  endpointForm: none,
  priming: none,
  heartbeat: none,
  tasks: none,
};
const PORTS = { identity: none, access: none, audit: none, gate: none, telemetry: none };
const CHILD = {
  env: isObject,
  cwd: isWord,
  workdir: isWord,
  resources: isObject,
  sandbox: isEmptyList,
  stderr: none,
};
const OWN = { clientId: isWord, clientSecret: isWord, issuer: none, scope: isText };

const ALL: readonly Options[] = [
  {
    to: 'createEndpoint',
    call: (options) =>
      loose(createEndpoint)({ upstream: inProcess(() => ({}) as never), ...options }),
    fit: {
      ...PORTS,
      ...CHOICES,
      upstream: none,
      name: isText,
      limits: isObject,
      publicUrl: none,
      prefix: is(''),
      allowedHosts: isEmptyList,
      allowedOrigins: isEmptyList,
      serves: isWork,
      passesOrigin: isFlag,
      tellsFaults: isFlag,
    },
  },
  {
    to: 'inProcess',
    call: (options) => loose(inProcess)(() => ({}), options),
    fit: { name: isWord, sdk: none, limits: isObject },
  },
  {
    to: 'stdio',
    call: (options) => loose(stdio)('absent', [], options),
    fit: {
      ...CHILD,
      inheritEnv: isEmptyList,
      limits: isObject,
      telemetry: none,
      stopMs: isObject,
      endStrays: isFlag,
    },
  },
  { to: 'remote', call: (options) => loose(remote)(URL, options), fit: REMOTE },
  { to: 'TidegateClientTransport', call: client, fit: { ...REMOTE, bridge: none } },
  {
    to: 'a credential',
    call: (more) => loose(remote)(URL, { credential: { ...CLIENT, ...more } }),
    fit: { ...OWN, kind: none },
  },
  {
    to: 'a credential that is exchanged',
    call: (more) => loose(remote)(URL, { credential: { ...EXCHANGE, ...more } }),
    fit: { ...OWN, audience: isText, subjectTokens: none },
  },
  {
    to: 'a credential of a person',
    call: (more) => client({ credential: { ...PERSON, ...more } }),
    fit: { ...OWN, folder: isWord, clientMetadataUrl: none, show: isWork },
  },
  {
    to: 'staticToken',
    call: (options) => loose(staticToken)(TOKEN, options),
    fit: { realm: isText },
  },
  {
    to: 'mtlsIdentity',
    call: loose(mtlsIdentity),
    fit: { tenant: isWord, subject: none, groups: none, clock: none, now: isWork },
  },
  {
    to: 'consoleTelemetry',
    call: loose(consoleTelemetry),
    fit: { level: none, format: none, isColoured: isFlag, write: isWork },
  },
  {
    to: 'principalOf',
    call: (more) =>
      loose(principalOf)({ tenant: 't', issuer: 'i', subject: 's', clientId: '', ...more }),
    fit: { tenant: isText, issuer: isText, subject: isText, clientId: isText },
  },
  {
    to: 'serve',
    call: bound,
    fit: {
      host: isWord,
      port: is(0),
      limits: isObject,
      drainMs: is(0),
      insecure: isFlag,
      tls: none,
      trustedProxies: isEmptyList,
      telemetry: none,
      onError: isWork,
    },
  },
  {
    to: 'serve behind proxies',
    call: (options) => bound({ trustedProxies: PROXIES, ...options }),
    fit: { forwardedHeader: none, proxyProtocol: isFlag },
  },
  {
    to: 'tls',
    call: (options) => bound({ tls: { ...TLS, ...options } }),
    fit: {
      cert: isWord,
      key: isWord,
      clientCa: isWord,
      clientCrl: isWord,
      clientCertificates: none,
      minVersion: none,
      http2: isFlag,
    },
  },
  {
    to: 'nodeHandler',
    call: (options) => loose(nodeHandler)(app, options),
    fit: { limits: isObject, trustedProxies: isEmptyList, forwardedHeader: none, telemetry: none },
  },
  {
    to: 'fetchHandler',
    call: (options) => loose(fetchHandler)(app, options),
    fit: { remoteAddress: isWork },
  },
  { to: 'createGateway beside its config', call: (options) => gateway({}, options), fit: PORTS },
  {
    to: 'the config of createGateway',
    call: gateway,
    fit: {
      listen: none,
      auth: none,
      denied: isObject,
      all: isObject,
      policy: none,
      tenants: isObject,
      rates: isObject,
      audit: none,
      servers: isEmptyList,
    },
  },
  {
    to: 'listen',
    call: listening,
    fit: {
      host: isWord,
      port: is(0),
      publicUrl: none,
      allowedOrigins: isEmptyList,
      drainMs: is(0),
      tls: none,
      trustedProxies: isEmptyList,
      forwardedHeader: none,
      proxyProtocol: isFlag,
    },
  },
  {
    to: 'a server',
    call: serving,
    fit: { ...CHOICES, name: isText, source: none, isRequired: isFlag },
  },
  {
    to: 'a command',
    call: starting,
    fit: { ...CHILD, kind: none, command: isWord, args: isEmptyList },
  },
  {
    to: 'a URL',
    call: calling,
    fit: {
      url: isText,
      headers: isObject,
      allowedHosts: isEmptyList,
      ca: isWord,
      proxy: isWord,
      credential: none,
      tenants: isObject,
    },
  },
  {
    to: 'a tenant',
    call: (more) => gateway({ tenants: { t: { ...TENANT, ...more } } }),
    fit: { servers: isEmptyList, isSuspended: isFlag, limits: isObject, credentials: isObject },
  },
  {
    to: 'rates',
    call: (more) => gateway({ rates: { tenant: more } }),
    fit: { requestsPerSecond: is(0), callsMax: is(0), instancesMax: is(0) },
  },
  {
    to: 'audit',
    call: (more) => gateway({ audit: { ...AUDIT, ...more } }),
    fit: { file: isWord, rotateBytes: none, isRequired: isFlag, digestKey: isText },
  },
  {
    to: 'policy',
    call: (more) => gateway({ policy: { sources: [], allow: [], arguments: {}, ...more } }),
    fit: { sources: isEmptyList, allow: isEmptyList, arguments: isObject },
  },
  {
    to: 'those who are denied',
    call: (denied) => gateway({ denied }),
    fit: { credentials: isEmptyList, subjects: isEmptyList, tenants: isEmptyList },
  },
];

/** What was thrown or rejected with; undefined for nothing. */
async function failureOf(call: () => unknown): Promise<unknown> {
  try {
    await call();
    return undefined;
  } catch (error) {
    return error;
  }
}

describe.each(ALL)('$to', ({ call, fit }) => {
  it.each(Object.entries(fit))('takes no %s of another kind', async (name, isFit) => {
    const said: unknown[] = [];
    for (const value of VALUES.filter((each) => !isFit(each))) {
      const failure = await failureOf(() => call({ [name]: value }));
      const isTold = failure instanceof TypeError && failure.message.includes(name);
      if (!isTold) said.push([value, failure]);
    }
    expect(said).toEqual([]);
  });
});

it.each<[string, Loose]>([
  ['inProcess', (options) => loose(inProcess)(() => ({}), options)],
  ['stdio', (options) => loose(stdio)('absent', [], options)],
  ['remote', (options) => loose(remote)(URL, options)],
  ['TidegateClientTransport', client],
  ['staticToken', (options) => loose(staticToken)(TOKEN, options)],
  ['mtlsIdentity', loose(mtlsIdentity)],
  ['consoleTelemetry', loose(consoleTelemetry)],
  ['serve', served],
  ['nodeHandler', (options) => loose(nodeHandler)(app, options)],
  ['fetchHandler', (options) => loose(fetchHandler)(app, options)],
  ['createGateway', (options) => gateway({}, options)],
])('what %s is given beside is an object', async (_, call) => {
  for (const value of VALUES.filter((each) => !isObject(each))) {
    const failure = await failureOf(() => call(value));
    expect(failure).toEqual(new TypeError('The options must be an object.'));
  }
});

it.each<[string, Loose, readonly unknown[]]>([
  ['stdio', loose(stdio), ['x']],
  ['inProcess', loose(inProcess), VALUES.filter(isWork)],
  ['remote', loose(remote), []],
  ['TidegateClientTransport', (url) => new TidegateClientTransport(url as never), []],
  ['principalOf', loose(principalOf), []],
  ['rememberingIdentity', (each) => loose(rememberingIdentity)(each, new SubjectTokens()), []],
  ['rememberingIdentity with tokens', (each) => loose(rememberingIdentity)(noAuth(), each), []],
  ['SubjectTokens', (clock) => new SubjectTokens(clock as never), []],
  ['createEndpoint', loose(createEndpoint), []],
  ['createGateway', loose(createGateway), []],
  ['serve', loose(serve), []],
  ['nodeHandler', loose(nodeHandler), []],
  ['fetchHandler', loose(fetchHandler), []],
  ['loadConfig', (path) => loose(loadConfig)(path, {}), ['x']],
])('%s is told what it is for', async (_, call, fit) => {
  for (const value of VALUES.filter((each) => !fit.includes(each))) {
    expect(await failureOf(() => call(value))).toBeInstanceOf(TypeError);
  }
});

it('staticToken takes no token that is no text, and repeats none', async () => {
  for (const value of VALUES.filter((each) => typeof each !== 'string')) {
    expect(() => loose(staticToken)(value)).toThrow(
      new TypeError('The token must be of type string.'),
    );
  }
  expect(() => staticToken(TOKEN, { realm: 'a"\r\nX: b' })).toThrow(TypeError);
});

it('names of a file are no members of a config: nothing would be recorded, bounded or denied', () => {
  const config = { listen: LISTEN, auth: { kind: 'token', token: TOKEN }, servers: [SERVER] };
  const made = (more: Config): unknown => loose(createGateway)({ ...config, ...more });
  expect(() => made({ audit: { ...AUDIT, required: true } })).toThrow(
    'config.audit has no member named required; there are file, rotateBytes, isRequired, digestKey.',
  );
  expect(() => made({ tenants: { t: { ...TENANT, suspended: true } } })).toThrow(
    'config.tenants.t has no member named suspended',
  );
  expect(() => made({ rates: { principals: {} } })).toThrow('config.rates has no member named');
  expect(() => made({ policies: {} })).toThrow('config has no member named policies');
});

it('headers that are no plain object would be sent to nobody', () => {
  for (const headers of [new Headers({ a: 'b' }), new Map([['a', 'b']]), [['a', 'b']]]) {
    expect(() => loose(remote)(URL, { headers })).toThrow(
      new TypeError('headers must be texts by their names, or a function.'),
    );
  }
});

it('certificates of clients need authorities that verify them', async () => {
  const tls = { cert: 'absent.pem', key: 'absent.pem' };
  for (const more of [{ clientCertificates: 'required' }, { clientCrl: 'absent.pem' }]) {
    const failure = await failureOf(() => bound({ tls: { ...tls, ...more } }));
    const fault = 'tls needs clientCa: without it no certificate of a client is verified.';
    expect(failure).toEqual(new TypeError(fault));
  }
});

it('whom a gateway is to revoke is named as it knows them', async () => {
  const config = { listen: LISTEN, auth: { kind: 'token', token: TOKEN }, servers: [] };
  const made = createGateway(config as never);
  for (const act of ['revoke', 'reinstate'] as const) {
    expect(() => loose(made[act].bind(made))({ subject: ['ann'] })).toThrow(
      'denied has no member named subject; there are credentials, subjects, tenants.',
    );
    expect(() => loose(made[act].bind(made))('ann')).toThrow('denied must be a plain object.');
  }
  await made.drain(0);
});

it('an address that is none is told to whoever asked', async () => {
  const handler = (remoteAddress: Loose): ReturnType<typeof fetchHandler> =>
    fetchHandler(app, { remoteAddress: remoteAddress as never });
  const request = new Request('http://localhost/healthz');
  expect((await handler(() => '192.0.2.1')(request)).status).toBe(200);
  expect((await handler(() => undefined)(request)).status).toBe(200);
  await expect(handler(async () => '192.0.2.1')(request)).rejects.toThrow(
    new TypeError('What remoteAddress returns must be of type string.'),
  );
});
