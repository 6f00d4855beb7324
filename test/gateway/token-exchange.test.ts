/**
 * A gateway whose server has credentials of its own: the token a client came with is exchanged for
 * one of the server's, for each of them, and is never sent on.
 */
import { createServer } from 'node:http';
import type { AddressInfo } from 'node:net';
import { expect, it, onTestFinished } from 'vitest';
import type { ServerConfig } from 'tidegate/gateway';
import { AuthorizationServer, CLIENT } from '../credentials/authorization-server.ts';
import { GuardedServer } from '../credentials/guarded-server.ts';
import { answerOf, modern } from '../wire/client-2026.ts';
import { configOf, gatewayHost, serverOf } from './gateway-host.ts';

/** Knows every token that begins with `subject-`, as the person it names. */
async function introspectionUrl(): Promise<string> {
  const server = createServer((request, response) => {
    let body = '';
    request.setEncoding('utf8').on('data', (chunk: string) => {
      body += chunk;
    });
    request.on('end', () => {
      const token = new URLSearchParams(body).get('token') ?? '';
      const sub = /^subject-(\w+)$/.exec(token)?.[1];
      const facts = { active: sub !== undefined, sub, client_id: 'app', aud: 'gateway', exp: 4e9 };
      response.setHeader('content-type', 'application/json').end(JSON.stringify(facts));
    });
  });
  await new Promise<void>((resolve) => {
    server.listen(0, '127.0.0.1', resolve);
  });
  onTestFinished(() => void server.close());
  return `http://127.0.0.1:${(server.address() as AddressInfo).port}/introspect`;
}

function exchanging(url: string, issuer: string): ServerConfig {
  return serverOf(
    {
      kind: 'url',
      url,
      headers: {},
      allowedHosts: [],
      ca: undefined,
      proxy: undefined,
      credential: {
        kind: 'token-exchange',
        issuer,
        ...CLIENT,
        scope: undefined,
        audience: 'files',
      },
    },
    { isolation: 'principal' },
  );
}

it.each(['files', 'all'])('at /%s each client is exchanged for itself', async (name) => {
  const issuer = await AuthorizationServer.start();
  const guarded = await GuardedServer.start(issuer);
  const auth = {
    kind: 'introspection',
    url: await introspectionUrl(),
    issuer: 'https://id.example',
    client: { id: 'gateway', secret: 'introspection-secret' },
    audiences: ['gateway'],
    allowedHosts: [],
  } as const;
  const servers = { files: exchanging(guarded.url, issuer.issuer) };
  const host = await gatewayHost(configOf(servers, { auth, all: { servers: undefined } }));
  for (const person of ['ann', 'bob', 'ann']) {
    const request = modern(1, 'tools/list', {}, { token: `subject-${person}` });
    const reply = host.send({ ...request, path: `/${name}/mcp` });
    const answer = await answerOf(reply);
    expect(answer).toHaveProperty('result');
  }
  const subjects = guarded.tokens().map((token) => issuer.issued.get(token)?.subject);
  expect(new Set(subjects)).toEqual(new Set(['', 'subject-ann', 'subject-bob']));
  expect(guarded.shown.join()).not.toContain('subject-');
  expect(JSON.stringify(host.log)).not.toContain('subject-');
});
