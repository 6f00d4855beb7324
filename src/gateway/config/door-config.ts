/** The listener, the credential and `/all`: from checked sections to what the gateway is told. */
import { tokenFault } from '../../adapters/identity/static-token.ts';
import { isLoopback } from '../../core/security/listen-host.ts';
import type { AllConfig, AuthConfig, ListenConfig } from '../gateway-config.ts';
import { ALL_SERVERS, LISTEN, NO_AUTH, TOKEN_AUTH } from './config-schema.ts';
import { isRecord } from './config-section.ts';
import { type AuthSurroundings, wayConfig } from './auth-config.ts';
import type { FileAccess } from './file-access.ts';
import type { Variables } from './interpolate.ts';
import { nearest } from './nearest.ts';
import type { ConfigPath } from './problem.ts';
import { type ProblemList, quoted } from './problem-list.ts';
import { transportConfig } from './transport-config.ts';

const PORT = 8808;
const DRAIN_MS = 20_000;

export function listenConfig(
  value: unknown,
  files: Pick<FileAccess, 'resolve'>,
  problems: ProblemList,
): ListenConfig {
  const found = value === undefined ? {} : LISTEN.read(value, ['listen'], problems);
  return {
    host: found.host ?? '127.0.0.1',
    port: found.port ?? PORT,
    publicUrl: found.publicUrl,
    allowedOrigins: found.allowedOrigins,
    drainMs: found.drain ?? DRAIN_MS,
    ...transportConfig(found, files, problems),
  };
}

/**
 * A credential that was meant and is missing must not open the door: `auth` without a value is a
 * problem, and so is `none` beside the variable `TIDEGATE_TOKEN`.
 */
export function authConfig(
  value: unknown,
  env: Variables,
  around: AuthSurroundings,
  path: ConfigPath = ['auth'],
): AuthConfig {
  const { listen, problems } = around;
  const variable = env['TIDEGATE_TOKEN'];
  if (Array.isArray(value)) return severalConfig(value, env, around, path);
  const way = wayConfig(value, path, around);
  if (way !== undefined) return way;
  if (value === undefined) {
    if (variable === undefined) return { kind: 'kept' };
    const fault = tokenFault(variable);
    if (fault !== undefined) problems.value(path, `The token in TIDEGATE_TOKEN ${fault}.`);
    return { kind: 'token', token: variable };
  }
  if (isRecord(value) && (Object.hasOwn(value, 'token') || !Object.hasOwn(value, 'type'))) {
    const { token } = TOKEN_AUTH.read(value, path, problems);
    const fault = token === undefined ? undefined : tokenFault(token);
    if (fault !== undefined) problems.value([...path, 'token'], `The token ${fault}.`);
    return { kind: 'token', token: token ?? '' };
  }
  if (value !== 'none' && !isRecord(value)) {
    problems.value(
      path,
      'Give { token: … } or none, or a list; left out, a token is made for you.',
    );
    return { kind: 'kept' };
  }
  const insecure = isRecord(value) && NO_AUTH.read(value, path, problems).insecure === true;
  if (variable !== undefined) {
    problems.value(path, 'No credential is asked for while TIDEGATE_TOKEN is set. Drop one.');
  } else if (!insecure && isExposed(listen)) {
    problems.value(
      path,
      'Without a credential, whoever reaches this address may use the servers. Ask for a token, ' +
        'or write { type: none, insecure: true } if something in front asks for a credential.',
    );
  }
  return { kind: 'none', insecure };
}

/** Each is as it would be alone; none of them may open the door to everybody. */
function severalConfig(
  values: readonly unknown[],
  env: Variables,
  around: AuthSurroundings,
  path: ConfigPath,
): AuthConfig {
  const { problems } = around;
  if (values.length === 0) problems.value(path, 'Name at least one way to come in.');
  const ways = values.map((value, index) => {
    const here = [...path, index];
    if (isRecord(value) && !Object.hasOwn(value, 'introspection') && asksOthers(values, index)) {
      problems.value(here, 'Put this before introspection: an issuer is shown what it is asked.');
    }
    if (isRecord(value) && !Object.hasOwn(value, 'type')) {
      return authConfig(value, env, around, here);
    }
    problems.value(here, 'Give { token: … }, or keys, jwt, introspection or mtls as its one key.');
    return { kind: 'kept' } as const;
  });
  return { kind: 'several', ways };
}

/** Whether a credential is shown to an issuer before it comes to this way. */
function asksOthers(values: readonly unknown[], index: number): boolean {
  return values
    .slice(0, index)
    .some((each) => isRecord(each) && Object.hasOwn(each, 'introspection'));
}

/** A tunnel or a proxy named by the public URL brings strangers to a loopback address, too. */
function isExposed({ host, publicUrl }: ListenConfig): boolean {
  return !isLoopback(host) || (publicUrl !== undefined && !isLoopback(new URL(publicUrl).hostname));
}

/** @param names - of the servers there are. */
export function allConfig(
  value: unknown,
  names: readonly string[],
  problems: ProblemList,
): AllConfig | undefined {
  if (value === undefined) return names.length > 1 ? { servers: undefined } : undefined;
  // What comes from a variable is text.
  if (value === true || value === 'true') return { servers: undefined };
  if (value === false || value === 'false') return undefined;
  if (!isRecord(value)) {
    problems.value(['all'], 'Give true, false or { servers: [names] }.');
    return undefined;
  }
  const servers = ALL_SERVERS.read(value, ['all'], problems).servers ?? [];
  servers.forEach((name, index) => {
    const path = ['all', 'servers', index];
    if (!names.includes(name)) {
      const near = nearest(name.slice(0, 100), names);
      const meant = near === undefined ? '' : ` Did you mean ${quoted(near)}?`;
      problems.value(path, `There is no server of this name.${meant}`);
    } else if (servers.indexOf(name) < index) {
      problems.value(path, 'This server is listed twice. Leave one out.');
    }
  });
  return { servers };
}
