/** The doors of the matrix: an endpoint of its own, a gateway's servers, `/all`, and none. */
import { join } from 'node:path';
import { createEndpoint } from 'tidegate';
import { createGateway, type AuthConfig, type Gateway, type ListenConfig } from 'tidegate/gateway';
import { onTestFinished } from 'vitest';
import { type Denied, Denials } from '../../src/adapters/identity/denials.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { CurrentIdentity } from '../../src/gateway/current-identity.ts';
import { configOf, eventually, serverOf, temporaryFolder } from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { initialize, postOf } from '../wire/conversation.ts';
import { ModernUpstream } from '../wire/modern-upstream.ts';
import { WireReply } from '../wire/wire-reply.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { boundTokens } from './matrix-bound.ts';
import { Certificates } from './matrix-certificates.ts';
import {
  type Credential,
  headersOf,
  Keys,
  REVOKED_JTI,
  tokens,
  type Way,
} from './matrix-credentials.ts';
import { Entry } from './matrix-entry.ts';
import { OPAQUE_ISSUER, OpaqueTokens } from './matrix-opaque.ts';

export interface Door {
  readonly name: string;
  readonly prefix: string;
  readonly isServed: boolean;
  readonly entry: Entry;
  readonly credentials: readonly Credential[];
  /** How much was sent to the servers behind it. */
  readonly ran: () => number;
}

const LISTEN: ListenConfig = {
  host: '127.0.0.1',
  port: 0,
  publicUrl: PUBLIC_URL,
  allowedOrigins: undefined,
  drainMs: 0,
};

declare global {
  var watchedServers: { readonly built: number; readonly ran: number } | undefined;
}

export async function doors(): Promise<readonly Door[]> {
  const [issuer, stranger] = [await Issuer.start(), await Issuer.start()];
  const [certificates, opaque] = [await Certificates.make(), await OpaqueTokens.start()];
  const path = join(temporaryFolder(), 'keys.json');
  const keys = new Keys(path);
  const auth = waysIn(path, issuer.url, opaque.url);
  const denied = {
    credentials: [`jti:${REVOKED_JTI}`, certificates.deniedId, keys.deniedId],
  };
  const bare = await bareEndpoint(auth, denied, certificates);
  const gateway = await twoServers(auth, denied, certificates);
  const credentialsAt = async (prefix: string): Promise<Credential[]> => {
    const audience = `${PUBLIC_URL}${prefix}/mcp`;
    const sibling = `${PUBLIC_URL}${prefix === '/files' ? '/other' : '/files'}/mcp`;
    return [
      ...keys.credentials(),
      ...(await tokens(issuer, stranger, audience, sibling)),
      ...(await boundTokens(issuer, certificates, audience, sibling)),
      ...(await opaque.credentials(audience, sibling)),
      ...certificates.credentials(),
    ];
  };
  const all: Door[] = [{ ...bare, credentials: await credentialsAt('') }];
  for (const prefix of ['/files', '/all', '/gone']) {
    const isServed = prefix !== '/gone';
    all.push({
      ...gateway,
      name: prefix,
      prefix,
      isServed,
      credentials: await credentialsAt(prefix),
    });
  }
  keys.revoke();
  for (const door of all) await refusal(door, 'key: revoked');
  return all;
}

/** Every way to come in that there is, at once. */
function waysIn(path: string, issuer: string, introspection: string): AuthConfig {
  const tokenRules = {
    allowedHosts: ['127.0.0.1'],
    tenant: { claim: 'org' },
    // All of them come from one address, and most are none.
    failuresPerSecondMax: 1_000_000,
  };
  return {
    kind: 'several',
    ways: [
      { kind: 'keys', path },
      { kind: 'jwt', issuer, ...tokenRules },
      {
        kind: 'introspection',
        url: introspection,
        issuer: OPAQUE_ISSUER,
        client: { id: 'gateway', secret: 'secret' },
        ...tokenRules,
      },
      { kind: 'mtls', tenant: { field: 'o' } },
    ],
  };
}

type Built = Omit<Door, 'credentials'>;

async function bareEndpoint(
  auth: AuthConfig,
  denied: Denied,
  certificates: Certificates,
): Promise<Built> {
  const denials = new Denials();
  const ports = { clock: systemClock, telemetry: silent, onRevoked: () => {} };
  const identity = new CurrentIdentity({ auth, listen: LISTEN }, undefined, denials, ports);
  denials.deny(denied);
  const upstream = new ModernUpstream();
  const endpoint = createEndpoint({
    upstream,
    identity,
    publicUrl: PUBLIC_URL,
    allowedHosts: ['127.0.0.1'],
  });
  const entry = await Entry.open(endpoint, certificates);
  onTestFinished(() => identity.close());
  await endpoint.ready();
  const ran = (): number => {
    const sent = upstream.legacy.connections.reduce((sum, each) => sum + 1 + each.sent.length, 0);
    return sent + upstream.connections.reduce((sum, each) => sum + 1 + each.sent.length, 0);
  };
  return { name: 'an endpoint', prefix: '', isServed: true, entry, ran };
}

async function twoServers(
  auth: AuthConfig,
  denied: Denied,
  certificates: Certificates,
): Promise<Pick<Built, 'entry' | 'ran'>> {
  const path = join(ROOT, 'test/fixtures/gateway/watched.mjs');
  const server = serverOf({ kind: 'module', path, exportName: 'buildServer' });
  const all = { servers: undefined };
  const gateway: Gateway = createGateway(
    configOf({ files: server, other: server }, { listen: LISTEN, auth, all }),
  );
  gateway.revoke(denied);
  const entry = await Entry.open(gateway, certificates);
  await eventually(
    () => gateway.status.servers.every(({ upstream }) => upstream === 'up'),
    'both servers up',
  );
  const ran = (): number => {
    const { watchedServers } = globalThis;
    return (watchedServers?.built ?? 0) + (watchedServers?.ran ?? 0);
  };
  return { entry, ran };
}

/** The sessions of the right bearer of one kind of credential. */
export class Sessions {
  readonly id: string;
  /** What follows `/messages`. */
  readonly query: string;
  readonly stream: WireReply;
  readonly listening: WireReply;

  private constructor(id: string, stream: WireReply, listening: WireReply, query: string) {
    this.id = id;
    this.stream = stream;
    this.listening = listening;
    this.query = query;
  }

  static async open({ entry, prefix, credentials }: Door, way: Way): Promise<Sessions> {
    const right = credentials.find(({ state }) => state === `${way}: right`);
    if (right === undefined) throw new Error(`Nobody is right by ${way}.`);
    const port = entry.portOf(right.shown);
    const headers = await headersOf(right, { method: 'POST', path: `${prefix}/mcp` });
    const opened = new WireReply(port, postOf(`${prefix}/mcp`, initialize('2025-11-25'), headers));
    const id = (await opened.whole()).header('mcp-session-id') ?? '';
    if (opened.status !== 200) throw new Error(`initialize: ${opened.bytes}`);
    const accept = 'text/event-stream';
    const own = { ...headers, accept, 'mcp-session-id': id };
    const listening = await new WireReply(port, { path: `${prefix}/mcp`, headers: own }).head();
    const stream = await new WireReply(port, {
      path: `${prefix}/sse`,
      headers: { ...headers, accept },
    }).head();
    const { data } = await stream.block(0);
    const query = (data ?? '').split('?')[1] ?? '';
    const sessions = new Sessions(id, stream, listening, query);
    const first = postOf(`${prefix}/messages?${query}`, initialize('2024-11-05'), headers);
    await new WireReply(port, first).whole();
    await stream.message(0);
    onTestFinished(() => {
      stream.leave();
      listening.leave();
    });
    return sessions;
  }
}

async function refusal({ entry, prefix, credentials }: Door, state: string): Promise<void> {
  const found = credentials.find((each) => each.state === state);
  if (found === undefined) throw new Error(`There is no ${state}.`);
  const target = { method: 'GET', path: `${prefix}/mcp` };
  const question = { ...target, headers: await headersOf(found, target), body: '' };
  const asker = entry.askerOf(found.shown);
  await eventually(async () => (await asker.ask(question)).status === 401, state);
}
