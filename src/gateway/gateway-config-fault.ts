/**
 * What is wrong with a config that a program wrote by hand, in a language that checks nothing. It
 * has no member but those there are: a file calls some of them otherwise (`required`, `suspended`),
 * and what is misnamed would bound, record or refuse nothing.
 */
import { credentialKind } from '../adapters/credentials/credential-kind.ts';
import { TLS_KIND } from '../adapters/http/tls-options.ts';
import { MTLS_KINDS } from '../adapters/identity/mtls.ts';
import { STDIO_KINDS } from '../adapters/upstreams/stdio/stdio.ts';
import {
  byKind,
  byName,
  checkOption,
  either,
  flag,
  listOf,
  milliseconds,
  oneOf,
  type OptionKind,
  type OptionKinds,
  plain,
  shape,
  text,
  texts,
  webUrl,
  wholeNumber,
  word,
} from '../core/option-kinds.ts';
import { CHOICE_KINDS } from '../server/endpoint-options-fault.ts';
import { checkServers } from './check-servers.ts';
import type { GatewayConfig } from './gateway-config.ts';

const listen = shape(
  {
    host: word,
    port: wholeNumber(0, 65_535),
    publicUrl: webUrl('https://mcp.example.com'),
    allowedOrigins: texts,
    drainMs: milliseconds,
    tls: TLS_KIND,
    trustedProxies: texts,
    forwardedHeader: oneOf('forwarded', 'x-forwarded-for'),
    proxyProtocol: flag,
  },
  'host',
  'port',
  'drainMs',
);

const tokenRules: OptionKinds = {
  kind: text,
  allowedHosts: texts,
  audiences: texts,
  tenant: either('a text, or { claim }', word, shape({ claim: word }, 'claim')),
  subject: word,
  clientId: word,
  groups: word,
  scopes: word,
  claims: byName(word),
  requiredScopes: texts,
  dpop: oneOf('off', 'bound', 'required'),
  dpopNonce: flag,
  failuresPerSecondMax: wholeNumber(1),
};

const jwt = { ...tokenRules, issuer: word, jwksUri: word, algorithms: texts, types: texts };
const client = shape({ id: word, secret: word }, 'id', 'secret');
const introspection = {
  ...tokenRules,
  url: word,
  issuer: word,
  client,
  keptMsMax: milliseconds,
};
const { tenant, subject, groups } = MTLS_KINDS;

const WAYS: ReadonlyMap<unknown, OptionKind> = new Map([
  ['kept', shape({ kind: text })],
  ['token', shape({ kind: text, token: text }, 'token')],
  ['none', shape({ kind: text, insecure: flag })],
  ['keys', shape({ kind: text, path: word }, 'path')],
  ['jwt', shape(jwt, 'issuer')],
  ['introspection', shape(introspection, 'url', 'issuer', 'client')],
  ['mtls', shape({ kind: text, tenant, subject, groups })],
  ['several', (name, value) => shape({ kind: text, ways: listOf(auth) }, 'ways')(name, value)],
]);

const auth: OptionKind = byKind(WAYS);

export const DENIED_KIND: OptionKind = shape({
  credentials: texts,
  subjects: texts,
  tenants: texts,
});

const allow = shape({
  tenants: texts,
  subjects: texts,
  groups: texts,
  scopes: texts,
  claims: byName(text),
  servers: texts,
  tools: texts,
  prompts: texts,
  resources: texts,
  readOnly: flag,
});

const policy = shape(
  {
    sources: listOf(shape({ name: text, text }, 'name', 'text')),
    allow: listOf(allow),
    arguments: byName(byName(texts)),
  },
  'sources',
  'allow',
  'arguments',
);

const many = wholeNumber(0);
const rates: OptionKind = shape({
  requestsPerSecond: many,
  opensPerSecond: many,
  bytesPerSecond: many,
  streamsMax: many,
  sessionsMax: many,
  callsMax: many,
  instancesMax: many,
});

const access = shape({ headers: byName(text), credential: credentialKind }, 'headers');
const { env, cwd, workdir, resources, sandbox, stderr } = STDIO_KINDS;

const SOURCES: ReadonlyMap<unknown, OptionKind> = new Map([
  [
    'command',
    shape(
      {
        kind: text,
        command: word,
        args: texts,
        env,
        cwd,
        workdir,
        resources,
        sandbox,
        stderr,
      },
      'command',
      'args',
    ),
  ],
  [
    'url',
    shape(
      {
        kind: text,
        url: text,
        headers: byName(text),
        allowedHosts: texts,
        ca: word,
        proxy: word,
        credential: credentialKind,
        tenants: byName(access),
      },
      'url',
      'headers',
    ),
  ],
  ['module', shape({ kind: text, path: word, exportName: word }, 'path', 'exportName')],
]);

const server = shape(
  {
    ...CHOICE_KINDS,
    name: text,
    source: byKind(SOURCES),
    limits: plain,
    isRequired: flag,
  },
  'name',
  'source',
  'isolation',
  'isRequired',
);

const tenantKind = shape(
  { servers: texts, isSuspended: flag, limits: rates, credentials: byName(access) },
  'isSuspended',
  'credentials',
);

const CONFIG_KIND: OptionKind = shape(
  {
    listen,
    auth,
    denied: DENIED_KIND,
    all: shape({ servers: texts }),
    policy,
    tenants: byName(tenantKind),
    rates: shape({
      address: rates,
      principal: rates,
      tenant: rates,
      server: rates,
      tenants: byName(rates),
    }),
    audit: shape(
      { file: word, rotateBytes: wholeNumber(1), isRequired: flag, digestKey: text },
      'rotateBytes',
      'isRequired',
    ),
    servers: listOf(server),
  },
  'listen',
  'auth',
  'servers',
);

/** @throws TypeError for the first fault. */
export function checkConfig(config: GatewayConfig): void {
  checkOption('config', config, CONFIG_KIND);
  checkServers(config);
}
