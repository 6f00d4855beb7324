/** The doors of the matrix: an endpoint of its own, a gateway's servers, `/all`, and none. */
import { join } from 'node:path';
import { createEndpoint } from 'tidegate';
import { createGateway, type AuthConfig, type Gateway, type ListenConfig } from 'tidegate/gateway';
import { serve } from 'tidegate/node';
import { onTestFinished } from 'vitest';
import { Denials } from '../../src/adapters/identity/denials.ts';
import { systemClock } from '../../src/adapters/system/system-clock.ts';
import { silent } from '../../src/adapters/telemetry/silent.ts';
import { CurrentIdentity } from '../../src/gateway/current-identity.ts';
import { configOf, eventually, serverOf, temporaryFolder } from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { initialize, postOf } from '../wire/conversation.ts';
import { ModernUpstream } from '../wire/modern-upstream.ts';
import { WireReply } from '../wire/wire-reply.ts';
import { Issuer, PUBLIC_URL } from './issuer.ts';
import { Asker } from './matrix-ask.ts';
import { type Credential, Keys, REVOKED_JTI, tokens } from './matrix-credentials.ts';

export interface Door {
  readonly name: string;
  readonly prefix: string;
  readonly isServed: boolean;
  readonly asker: Asker;
  readonly port: number;
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
  const path = join(temporaryFolder(), 'keys.json');
  const keys = new Keys(path);
  const auth: AuthConfig = {
    kind: 'several',
    ways: [
      { kind: 'keys', path },
      {
        kind: 'jwt',
        // All of them come from one address, and most are none.
        failuresPerSecondMax: 1_000_000,
        issuer: issuer.url,
        allowedHosts: ['127.0.0.1'],
        tenant: { claim: 'org' },
      },
    ],
  };
  const bare = await bareEndpoint(auth);
  const gateway = await twoServers(auth);
  const sibling = (name: string): string =>
    `${PUBLIC_URL}${name === '/files' ? '/other' : '/files'}/mcp`;
  const credentialsAt = async (prefix: string): Promise<Credential[]> => [
    ...keys.credentials(),
    ...(await tokens(issuer, stranger, `${PUBLIC_URL}${prefix}/mcp`, sibling(prefix))),
  ];
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

type Built = Omit<Door, 'credentials'>;

async function bareEndpoint(auth: AuthConfig): Promise<Built> {
  const denials = new Denials();
  const ports = { clock: systemClock, telemetry: silent, onRevoked: () => {} };
  const identity = new CurrentIdentity({ auth, listen: LISTEN }, undefined, denials, ports);
  denials.deny({ credentials: [`jti:${REVOKED_JTI}`] });
  const upstream = new ModernUpstream();
  const endpoint = createEndpoint({
    upstream,
    identity,
    publicUrl: PUBLIC_URL,
    allowedHosts: ['127.0.0.1'],
  });
  const served = await serve(endpoint, { port: 0, drainMs: 0 });
  const asker = new Asker(served.port);
  onTestFinished(async () => {
    asker.close();
    identity.close();
    await served.close();
  });
  await endpoint.ready();
  const ran = (): number => {
    const sent = upstream.legacy.connections.reduce((sum, each) => sum + 1 + each.sent.length, 0);
    return sent + upstream.connections.reduce((sum, each) => sum + 1 + each.sent.length, 0);
  };
  return { name: 'an endpoint', prefix: '', isServed: true, asker, port: served.port, ran };
}

async function twoServers(auth: AuthConfig): Promise<Omit<Built, 'name' | 'prefix' | 'isServed'>> {
  const path = join(ROOT, 'test/fixtures/gateway/watched.mjs');
  const server = serverOf({ kind: 'module', path, exportName: 'buildServer' });
  const all = { servers: undefined };
  const gateway: Gateway = createGateway(
    configOf({ files: server, other: server }, { listen: LISTEN, auth, all }),
  );
  gateway.revoke({ credentials: [`jti:${REVOKED_JTI}`] });
  const served = await serve(gateway, { port: 0, drainMs: 0 });
  const asker = new Asker(served.port);
  onTestFinished(async () => {
    asker.close();
    await served.close();
  });
  await eventually(
    () => gateway.status.servers.every(({ upstream }) => upstream === 'up'),
    'both servers up',
  );
  const ran = (): number => {
    const { watchedServers } = globalThis;
    return (watchedServers?.built ?? 0) + (watchedServers?.ran ?? 0);
  };
  return { asker, port: served.port, ran };
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

  static async open(
    { port, prefix, credentials }: Door,
    way: Credential['way'],
  ): Promise<Sessions> {
    const headers = credentials.find(({ state }) => state === `${way}: right`)?.headers ?? {};
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

async function refusal(door: Door, state: string): Promise<void> {
  const found = door.credentials.find((each) => each.state === state);
  if (found === undefined) throw new Error(`There is no ${state}.`);
  const question = { method: 'GET', path: `${door.prefix}/mcp`, headers: found.headers, body: '' };
  await eventually(async () => (await door.asker.ask(question)).status === 401, state);
}
