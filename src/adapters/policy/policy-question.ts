/** A question of a request as the engine is asked it: who, what, at which thing, and how. */
import { isIP } from 'node:net';
import type {
  CedarValueJson,
  Context,
  EntityJson,
  TypeAndId,
} from '@cedar-policy/cedar-wasm/nodejs';
import type { AccessRequest, ToolFacts } from '../../core/access.ts';
import type { Principal } from '../../core/ports.ts';
import { plainAddress } from '../../core/security/address-key.ts';
import { cedarValue } from './cedar-value.ts';
import type { PolicyQuestion } from './policy-set.ts';
import type { Target } from './question.ts';

/** What policies may look at of a credential. */
export interface GrantFacts {
  readonly scopes: readonly string[];
  readonly groups: readonly string[];
  readonly claims: Readonly<Record<string, unknown>>;
}

/** A thing that policies are about. */
export interface Thing {
  readonly server: string;
  readonly target: Exclude<Target, { readonly kind: 'task' }>;
  /** Of a tool. */
  readonly facts: ToolFacts | undefined;
}

const TYPES = { tool: 'Tool', prompt: 'Prompt', resource: 'Resource' } as const;

/**
 * A claim that is null is left out.
 * @returns undefined when one holds what policies cannot be shown: without it, a `forbid` that
 * looks at it would be off.
 */
export function heldClaims(
  claims: GrantFacts['claims'],
): Readonly<Record<string, CedarValueJson>> | undefined {
  const found: [string, CedarValueJson][] = [];
  for (const [name, value] of Object.entries(claims)) {
    if (value === undefined || value === null) continue;
    const held = cedarValue(value);
    if (held === undefined) return undefined;
    found.push([name, held]);
  }
  return Object.fromEntries(found);
}

/** @returns undefined when policies cannot be shown its claims. */
export function userEntity(principal: Principal, grant: GrantFacts): EntityJson | undefined {
  const { tenant, issuer, subject, clientId, key } = principal;
  const claims = heldClaims(grant.claims);
  if (claims === undefined) return undefined;
  return {
    uid: { type: 'User', id: key },
    attrs: {
      tenant,
      issuer,
      subject,
      clientId,
      groups: [...grant.groups],
      scopes: [...grant.scopes],
      claims,
    },
    parents: [
      { type: 'Tenant', id: tenant },
      ...grant.groups.map((id): TypeAndId => ({ type: 'Group', id })),
    ],
  };
}

export function policyQuestion(
  user: EntityJson,
  action: string,
  thing: Thing,
  context: Context,
): PolicyQuestion {
  const resource = thingEntity(thing);
  return {
    principal: user.uid as TypeAndId,
    action: { type: 'Action', id: action },
    resource: resource.uid as TypeAndId,
    context,
    entities: [user, resource],
  };
}

function thingEntity({ server, target, facts }: Thing): EntityJson {
  if (target.kind === 'server') {
    return { uid: { type: 'Server', id: server }, attrs: { server }, parents: [] };
  }
  const named: Record<string, CedarValueJson> =
    target.kind === 'resource' ? { uri: target.name } : { name: target.name };
  return {
    uid: { type: TYPES[target.kind], id: `${server}/${target.name}` },
    attrs: { server, ...named, ...facts },
    parents: [{ type: 'Server', id: server }],
  };
}

/**
 * How and from where a request came. Time and address are in it only where policies name them, so
 * that verdicts of all others can be remembered.
 */
export function contextOf(
  {
    era,
    address,
    message,
    method = message.method ?? '',
  }: Pick<AccessRequest, 'era' | 'address' | 'message' | 'method'>,
  given: Readonly<Record<string, CedarValueJson>>,
  wants: { readonly address: boolean; readonly nowMs: number | undefined },
): Context {
  const plain = plainAddress(address);
  const ip: Context =
    wants.address && isIP(plain) !== 0 ? { address: { __extn: { fn: 'ip', arg: plain } } } : {};
  const time: Context =
    wants.nowMs === undefined
      ? {}
      : { time: { __extn: { fn: 'datetime', arg: new Date(wants.nowMs).toISOString() } } };
  return { era, method, arguments: given, ...ip, ...time };
}
