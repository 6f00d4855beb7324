/** Holds a policy against cases, on the way that requests take. */
import { PolicyAccess } from '../adapters/policy/policy-access.ts';
import type { ChosenArguments, PolicyRules } from '../adapters/policy/policy-rules.ts';
import { silent } from '../adapters/telemetry/silent.ts';
import type { AccessRequest } from '../core/access.ts';
import { BARE_GRANT } from '../core/grant.ts';
import { principalOf } from '../core/principal.ts';
import { Message } from '../core/protocol/message.ts';
import { isRecord } from './config/config-section.ts';
import type { PolicyCase } from './config/policy-cases.ts';

export interface PolicyFinding {
  readonly verdict: 'allow' | 'deny';
  /** Names of the policies that decided; none when nothing permits it. */
  readonly policies: readonly string[];
  /** What the credential would need, if more scopes would do. */
  readonly scopes: readonly string[] | undefined;
}

/** @throws Error when the policies cannot be read. */
export function tryPolicy(
  rules: PolicyRules,
  cases: readonly PolicyCase[],
): readonly PolicyFinding[] {
  let nowMs = Date.now();
  const access = new PolicyAccess({ telemetry: silent, wallMs: () => nowMs });
  access.prepare(rules)();
  return cases.map((each) => {
    nowMs = each.time === undefined ? Date.now() : Date.parse(each.time);
    const request = requestOf(each, messageOf(each));
    access.filter(requestOf(each, Message.request('0', 'tools/list')), toolList(each));
    const { refusal, policies } = access.decide(request);
    return {
      verdict: refusal === undefined ? 'allow' : 'deny',
      policies,
      scopes: refusal?.scopes,
    };
  });
}

/** Of policies without a config, which would choose them: every argument that the cases give. */
export function argumentsOf(cases: readonly PolicyCase[]): ChosenArguments {
  const servers = new Map<string, Map<string, Set<string>>>();
  for (const { resource, arguments: given = {} } of cases) {
    const { server, tool } = resource;
    if (tool === undefined) continue;
    const tools = servers.get(server) ?? new Map<string, Set<string>>();
    servers.set(server, tools);
    tools.set(tool, new Set([...(tools.get(tool) ?? []), ...pathsIn(given)]));
  }
  const named = [...servers].map(([server, tools]) => [
    server,
    Object.fromEntries([...tools].map(([tool, paths]) => [tool, [...paths]])),
  ]);
  return Object.fromEntries(named) as ChosenArguments;
}

function pathsIn(given: Readonly<Record<string, unknown>>): readonly string[] {
  return Object.entries(given).flatMap(([name, value]) => {
    const inner = isRecord(value) ? pathsIn(value) : [];
    return [name, ...inner.map((each) => `${name}.${each}`)];
  });
}

function requestOf(each: PolicyCase, message: Message): AccessRequest {
  const { tenant, issuer, subject, clientId, groups, scopes, claims } = each.principal ?? {};
  return {
    principal: principalOf({
      tenant: tenant ?? 'default',
      issuer: issuer ?? '',
      subject: subject ?? '',
      clientId: clientId ?? '',
    }),
    grant: {
      ...BARE_GRANT,
      groups: listOf(groups),
      scopes: listOf(scopes),
      claims: claims ?? {},
    },
    server: each.resource.server,
    era: each.era ?? '2026',
    address: each.address ?? '127.0.0.1',
    message,
  };
}

function messageOf({ action, resource, arguments: given = {} }: PolicyCase): Message {
  const { tool, prompt, uri } = resource;
  const request = (method: string, params: object): Message =>
    Message.request('1', method, JSON.stringify(params));
  switch (action) {
    case 'call':
      return request('tools/call', { name: tool, arguments: given });
    case 'get':
      return request('prompts/get', { name: prompt });
    case 'read':
      return request('resources/read', { uri });
    case 'subscribe':
      return request('resources/subscribe', { uri });
    case 'complete': {
      const ofPrompt = { type: 'ref/prompt', name: prompt };
      const ref = prompt === undefined ? { type: 'ref/resource', uri } : ofPrompt;
      return request('completion/complete', { ref });
    }
    default:
      return request('tools/list', {});
  }
}

/** What the tool of a case says of itself, as its server's list would. */
function toolList({ resource }: PolicyCase): Message {
  const { tool, readOnly, destructive, idempotent, openWorld } = resource;
  const annotations = {
    readOnlyHint: readOnly,
    destructiveHint: destructive,
    idempotentHint: idempotent,
    openWorldHint: openWorld,
  };
  const tools = tool === undefined ? [] : [{ name: tool, annotations }];
  return Message.result('0', JSON.stringify({ tools }));
}

function listOf(names: string | readonly string[] | undefined): readonly string[] {
  if (names === undefined) return [];
  return typeof names === 'string' ? [names] : names;
}
