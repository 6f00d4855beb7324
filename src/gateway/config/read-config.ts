/** A config file's text becomes what a gateway is told, or everything that is wrong with it. */
import { dirname, isAbsolute, resolve } from 'node:path';
import type { GatewayConfig, ServerConfig } from '../gateway-config.ts';
import { deniedConfig } from './auth-config.ts';
import { DEFAULTS } from './config-schema.ts';
import { isRecord } from './config-section.ts';
import { desktopKey, desktopServers, tellOurKeys } from './desktop-servers.ts';
import { allConfig, authConfig, listenConfig } from './door-config.ts';
import type { FileAccess, FileText } from './file-access.ts';
import { auditConfig, ratesConfig } from './guard-config.ts';
import { interpolate, type Variables } from './interpolate.ts';
import type { Position } from './places.ts';
import { policyConfig } from './policy-config.ts';
import type { ConfigPath, Problem } from './problem.ts';
import { type ProblemList, pathText } from './problem-list.ts';
import { type ConfigDocument, readDocument } from './read-document.ts';
import { serverConfig, type ServerEntry } from './server-config.ts';
import { nameFault } from './server-names.ts';
import { tenantsConfig, withTenants } from './tenant-config.ts';
import { TOP_LEVEL_KEYS, unknownTopLevelKey } from './top-level-key.ts';

export interface ConfigSurroundings {
  /** Where the file is: paths in it are relative to its folder. */
  readonly path: string;
  /** The variables that `${NAME}` may name, and `TIDEGATE_TOKEN`. */
  readonly env: Variables;
  /** Reads the files a config names, by absolute path. */
  readonly readFile: (path: string) => FileText;
}

export type ConfigOutcome =
  | { readonly kind: 'config'; readonly config: GatewayConfig; readonly places: ConfigPlaces }
  /** In the order of the file; at least one. */
  | { readonly kind: 'faulty'; readonly problems: readonly Problem[] };

/** Where the file says what: for what is found out about it later. */
export interface ConfigPlaces {
  /** @param key - of the server's entry; undefined for the entry itself. */
  server(name: string, key?: string): Position & { readonly path: string };
  /** Any value, by its keys from the top of the file. */
  value(path: ConfigPath): Position & { readonly path: string };
}

/**
 * Reads `tidegate.yaml`, or the `mcpServers` of a desktop host, from YAML or JSON. Never throws,
 * and repeats no value of the file or the environment.
 */
export function readConfig(text: string, around: ConfigSurroundings): ConfigOutcome {
  const document = readDocument(text, 'Name at least one server under servers.');
  const { value, problems } = document;
  if (value !== undefined && !isRecord(value)) {
    problems.value([], 'Give keys with values; servers is the one that is needed.');
  }
  if (!isRecord(value)) return { kind: 'faulty', problems: problems.toArray() };
  const key = desktopKey(value);
  const entries: ServerEntry[] = [];
  const config =
    key === undefined
      ? ownConfig(value, around, problems, entries)
      : desktopConfig(value, key, around, problems, entries);
  if (!problems.isEmpty) return { kind: 'faulty', problems: problems.toArray() };
  return { kind: 'config', config, places: placesOf(document, entries) };
}

function ownConfig(
  file: Readonly<Record<string, unknown>>,
  around: ConfigSurroundings,
  problems: ProblemList,
  entries: ServerEntry[],
): GatewayConfig {
  const kept = Object.entries(file).filter(([key]) => !key.startsWith('x-'));
  const value = interpolate(Object.fromEntries(kept), [], around.env, problems);
  const found = isRecord(value) ? value : {};
  for (const key of Object.keys(found)) {
    if (!TOP_LEVEL_KEYS.includes(key)) problems.key([key], unknownTopLevelKey(key));
  }
  const listen = listenConfig(found['listen'], filesOf(around), problems);
  const door = { listen, files: filesOf(around), problems };
  const auth = authConfig(found['auth'], around.env, door);
  const denied = deniedConfig(found['denied'], problems);
  entries.push(...ownServers(found['servers'], problems));
  const defaults =
    found['defaults'] === undefined ? {} : DEFAULTS.read(found['defaults'], ['defaults'], problems);
  const servers = serversOf(entries, defaults, around, problems);
  const names = entries.map(({ name }) => name);
  const rates = ratesConfig(found['rates'], problems);
  const audit = auditConfig(found['audit'], filesOf(around), problems);
  const policy = policyConfig(found['policy'], names, filesOf(around), problems);
  const tenants = tenantsConfig(found['tenants'], servers, problems);
  const all = allConfig(found['all'], names, problems);
  const guards = { denied, tenants, policy, rates, audit };
  return { listen, auth, all, ...guards, servers: withTenants(servers, tenants) };
}

function ownServers(servers: unknown, problems: ProblemList): readonly ServerEntry[] {
  const path = ['servers'];
  if (!isRecord(servers)) {
    problems.value(path, 'Name at least one server: servers: { name: { command: … } }.');
    return [];
  }
  if (Object.keys(servers).length === 0) problems.value(path, 'Name at least one server.');
  return Object.entries(servers).map(([name, value]) => {
    const fault = nameFault(name);
    if (fault !== undefined) problems.key([...path, name], fault);
    return { name, value, path: [...path, name] };
  });
}

/** Such a file says nothing of the gateway itself, which gets its defaults. */
function desktopConfig(
  file: Readonly<Record<string, unknown>>,
  key: string,
  around: ConfigSurroundings,
  problems: ProblemList,
  entries: ServerEntry[],
): GatewayConfig {
  const { env } = around;
  tellOurKeys(file, key, problems);
  entries.push(...desktopServers(file[key], { key, file: resolve(around.path), env }, problems));
  if (entries.length === 0 && problems.isEmpty) {
    problems.value([key], 'No server is named here that is not disabled.');
  }
  const listen = listenConfig(undefined, filesOf(around), problems);
  const auth = authConfig(undefined, env, { listen, files: filesOf(around), problems });
  const names = entries.map(({ name }) => name);
  const servers = serversOf(entries, {}, around, problems);
  return { listen, auth, all: allConfig(undefined, names, problems), servers };
}

function serversOf(
  entries: readonly ServerEntry[],
  defaults: Parameters<typeof serverConfig>[1],
  around: ConfigSurroundings,
  problems: ProblemList,
): readonly ServerConfig[] {
  const files = filesOf(around);
  return entries.flatMap((entry) => serverConfig(entry, defaults, files, problems) ?? []);
}

/** Paths in a config are relative to its folder. */
function filesOf(around: ConfigSurroundings): FileAccess {
  const folder = dirname(resolve(around.path));
  return {
    resolve: (path) => (isAbsolute(path) ? path : resolve(folder, path)),
    read: around.readFile,
  };
}

function placesOf({ places }: ConfigDocument, entries: readonly ServerEntry[]): ConfigPlaces {
  const paths = new Map(entries.map(({ name, path }) => [name, path]));
  return {
    server(name, key) {
      const entry = paths.get(name) ?? [];
      const path: ConfigPath = key === undefined ? entry : [...entry, key];
      const offset = key === undefined ? places.keyOf(path) : places.valueOf(path);
      return { ...places.position(offset), path: pathText(path) };
    },
    value: (path) => ({ ...places.position(places.valueOf(path)), path: pathText(path) }),
  };
}
