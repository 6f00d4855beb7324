/** A gateway of office servers under policies, and clients of both eras of it. */
import { join } from 'node:path';
import type { GatewayConfig, GatewayOptions, ServerConfig } from 'tidegate/gateway';
import type { PolicyRules } from '../../src/adapters/policy/policy-rules.ts';
import { configOf, gatewayHost, type GatewayHost, serverOf } from '../gateway/gateway-host.ts';
import { ROOT } from '../source-files.ts';
import { answerOf, modern } from '../wire/client-2026.ts';
import { initialize, note, postOf, rpc, type Headers } from '../wire/conversation.ts';
import type { Json, WireReply } from '../wire/wire-reply.ts';
import { policyPrincipals } from './policy-principals.ts';

export function officeOf(
  env: Readonly<Record<string, string>> = {},
  more: Partial<ServerConfig> = {},
): ServerConfig {
  const args = [join(ROOT, 'test/fixtures/gateway/office.mjs')];
  return serverOf({ kind: 'command', command: process.execPath, args, env, cwd: undefined }, more);
}

export function rulesOf(cedar: string, more: Partial<PolicyRules> = {}): PolicyRules {
  return { sources: [{ name: 'test.cedar', text: cedar }], allow: [], arguments: {}, ...more };
}

export function policyHost(
  config: Partial<GatewayConfig>,
  servers: Readonly<Record<string, ServerConfig>> = { office: officeOf() },
  options: GatewayOptions = {},
): Promise<GatewayHost> {
  return gatewayHost(configOf(servers, config), { identity: policyPrincipals(), ...options });
}

/** What one request came to: the status, and the result or the error. */
export interface Outcome {
  readonly status: number;
  readonly answer: Json & { result?: Json; error?: Json };
  readonly challenge: string | undefined;
}

export interface SessionCaller extends Caller {
  readonly isOpen: boolean;
  listen(): WireReply;
  /** The same session with another credential of its principal. */
  as(token: string): Caller;
}

export interface Caller {
  send(method: string, params?: Json): Promise<Outcome>;
}

/** Its replies are no streams, however slow the answer: they keep their status. */
export const JSON_ALONE: Headers = { accept: 'application/json' };

/** A client of 2025-11-25 with a session. */
export async function caller2025(
  host: GatewayHost,
  name: string,
  token: string,
  more: Headers = {},
): Promise<SessionCaller> {
  const path = `/${name}/mcp`;
  const bearer: Headers = { authorization: `Bearer ${token}` };
  const opened = await host.send(postOf(path, initialize('2025-11-25'), bearer)).whole();
  const headers = {
    ...bearer,
    'mcp-session-id': opened.header('mcp-session-id'),
    'mcp-protocol-version': '2025-11-25',
  };
  await host.send(postOf(path, note('notifications/initialized'), headers)).whole();
  let id = 0;
  const sendWith = (own: Headers, method: string, params?: Json): Promise<Outcome> => {
    id += 1;
    return outcomeOf(host.send(postOf(path, rpc(id, method, params), own)));
  };
  return {
    isOpen: opened.status === 200,
    listen: () => host.send({ path, headers: { ...headers, accept: 'text/event-stream' } }),
    send: (method, params) => sendWith({ ...headers, ...more }, method, params),
    as: (other) => ({
      send: (method, params) =>
        sendWith({ ...headers, ...more, authorization: `Bearer ${other}` }, method, params),
    }),
  };
}

/** A client of 2026-07-28. */
export function caller2026(
  host: GatewayHost,
  name: string,
  token: string,
  headers: Headers = {},
): Caller {
  let id = 0;
  return {
    send(method, params = {}) {
      id += 1;
      const request = modern(id, method, params, { token, headers });
      return outcomeOf(host.send({ ...request, path: `/${name}/mcp` }));
    },
  };
}

async function outcomeOf(reply: WireReply): Promise<Outcome> {
  const answer = await answerOf(reply);
  return { status: reply.status, answer, challenge: reply.header('www-authenticate') };
}

/** What a list holds, by name or URI. */
export async function listed(caller: Caller, method: string): Promise<readonly unknown[]> {
  const { answer } = await caller.send(method);
  const lists = Object.values(answer.result ?? {}).filter(Array.isArray) as Json[][];
  return (lists[0] ?? []).map((each) => each['uriTemplate'] ?? each['uri'] ?? each['name']);
}

export function called(caller: Caller, name: string, given: Json = {}): Promise<Outcome> {
  return caller.send('tools/call', { name, arguments: given });
}
