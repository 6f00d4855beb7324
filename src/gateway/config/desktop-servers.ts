/**
 * The servers of a desktop host's file, unchanged: `mcpServers` of Claude Desktop, Cursor and
 * others, `servers` of VS Code. What only concerns the host is passed over; what only we know is a
 * problem, since whoever wrote it counts on it.
 */
import { basename, dirname } from 'node:path';
import { COMMAND_SERVER, CONFIG_SCHEMA, URL_SERVER } from './config-schema.ts';
import { isRecord } from './config-section.ts';
import { interpolate, type Variables } from './interpolate.ts';
import type { ConfigPath } from './problem.ts';
import { type ProblemList, quoted } from './problem-list.ts';
import type { ServerEntry } from './server-config.ts';
import { derivedName } from './server-names.ts';

/** The key of the servers, if this is a file of a desktop host. */
export function desktopKey(file: Readonly<Record<string, unknown>>): string | undefined {
  if (Object.hasOwn(file, 'mcpServers')) return 'mcpServers';
  const { servers } = file;
  if (!isRecord(servers) || ownKeys(file, OUR_KEYS).length > 0) return undefined;
  const entries = Object.values(servers).filter(isRecord);
  if (entries.some((server) => ownKeys(server, OUR_SERVER_KEYS).length > 0)) return undefined;
  const isTyped = entries.some((server) => TYPES.includes(String(server['type'])));
  return isTyped || Object.hasOwn(file, 'inputs') ? 'servers' : undefined;
}

/** Nothing that is said of access may be passed over: then it would fail open. */
export function tellOurKeys(
  file: Readonly<Record<string, unknown>>,
  key: string,
  problems: ProblemList,
): void {
  const tell = (path: ConfigPath, name: string): void => {
    problems.key([...path, name], `Beside ${key} this does not count. ${RENAME}`);
  };
  for (const name of ownKeys(file, [...OUR_KEYS, 'servers'])) if (name !== key) tell([], name);
  const servers = file[key];
  if (!isRecord(servers)) return;
  for (const [server, value] of Object.entries(servers)) {
    if (!isRecord(value) || isOff(value)) continue;
    for (const name of ownKeys(value, OUR_SERVER_KEYS)) tell([key, server], name);
  }
}

const RENAME = 'Write a file of our own, with the servers under servers, or take it out.';

function ownKeys(value: object, names: readonly string[]): readonly string[] {
  return names.filter((name) => Object.hasOwn(value, name));
}

/** Hosts' switches, and what each says of a server that is left out. */
const SWITCHES = { disabled: true, enabled: false } as const;

/** A switch in quotes counts, too: a server that is served against what is meant opens a door. */
function isOff(server: Readonly<Record<string, unknown>>): boolean {
  return Object.entries(SWITCHES).some(([key, off]) => String(server[key]) === String(off));
}

function tellSwitches(
  server: Readonly<Record<string, unknown>>,
  path: ConfigPath,
  problems: ProblemList,
): void {
  for (const key of Object.keys(SWITCHES)) {
    const value = server[key] ?? true;
    if (typeof value === 'boolean' || value === 'true' || value === 'false') continue;
    problems.value([...path, key], 'Give true or false.');
  }
}

const COMMAND_KEYS = ['command', 'args', 'env', 'cwd'];
/** What hosts say too, with a meaning of their own where it is `auth`. */
const HOST_KEYS = ['$schema', 'servers', ...COMMAND_KEYS, 'url', 'headers', 'auth'];
const OUR_KEYS = Object.keys(CONFIG_SCHEMA.shape).filter(
  (key) => key === 'auth' || !HOST_KEYS.includes(key),
);
const OUR_SERVER_KEYS = [...new Set([...COMMAND_SERVER.keys, ...URL_SERVER.keys])].filter(
  (key) => !HOST_KEYS.includes(key),
);
const TYPES = ['stdio', 'http', 'sse', 'streamable-http', 'streamableHttp'];
/** Hosts' own names for the URL of a server. */
const URL_KEYS = ['url', 'serverUrl', 'httpUrl'];

export interface DesktopPlace {
  /** The key of the servers. */
  readonly key: string;
  /** Absolute path of the file. */
  readonly file: string;
  readonly env: Variables;
}

export function desktopServers(
  servers: unknown,
  { key, file, env }: DesktopPlace,
  problems: ProblemList,
): readonly ServerEntry[] {
  if (!isRecord(servers)) {
    problems.value([key], 'Give the servers by name.');
    return [];
  }
  const variables = { ...hostVariables(file, env), ...env };
  const names = new Map<string, string>();
  return Object.entries(servers).flatMap(([original, value]) => {
    const path = [key, original];
    if (isRecord(value)) tellSwitches(value, path, problems);
    if (isRecord(value) && isOff(value)) return [];
    const name = derivedName(original);
    const rival = names.get(name);
    if (rival !== undefined) {
      const both = `${quoted(rival)} and ${quoted(original)}`;
      problems.key(path, `${both} would both be served as ${name}. Rename one.`);
    }
    names.set(name, original);
    return [{ name, path, value: ownForm(value, path, variables, problems) }];
  });
}

/** The entry with what we know of it, under our names. */
function ownForm(
  value: unknown,
  path: ConfigPath,
  variables: Variables,
  problems: ProblemList,
): unknown {
  if (!isRecord(value)) return value;
  const own: Record<string, unknown> = {};
  const take = (to: string, from = to): void => {
    if (!Object.hasOwn(value, from) || value[from] === null) return;
    own[to] = interpolate(value[from], [...path, from], variables, problems);
  };
  const urlKey = URL_KEYS.find((key) => Object.hasOwn(value, key));
  // Some hosts write both keys and leave one empty.
  const hasCommand = Object.hasOwn(value, 'command') && value['command'] !== '';
  if (hasCommand || urlKey === undefined) for (const key of COMMAND_KEYS) take(key);
  if (urlKey === undefined || (hasCommand && value[urlKey] === '')) return own;
  take('url', urlKey);
  take('headers');
  return own;
}

/** What hosts call places on the machine. */
function hostVariables(file: string, env: Variables): Variables {
  const folder = dirname(file);
  const isHidden = /^\.(?:vscode|cursor)$/.test(basename(folder));
  const workspaceFolder = isHidden ? dirname(folder) : folder;
  // An empty one is none: what is to lie in it would lie at the root.
  const homes = [env['HOME'], env['USERPROFILE']];
  return {
    userHome: homes.find((home) => home !== undefined && home !== ''),
    workspaceFolder,
    workspaceFolderBasename: basename(workspaceFolder),
  };
}
