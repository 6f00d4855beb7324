/** One server: from its entry in the file to what the gateway is told. */
import type { ServerConfig, ServerSource } from '../gateway-config.ts';
import { childSource, tellChildFaults } from './child-config.ts';
import { COMMAND_SERVER, MODULE_SERVER, URL_SERVER } from './config-schema.ts';
import { isRecord, type Passed, unknownKey } from './config-section.ts';
import type { CommandShape, ModuleShape, ServerOptionsShape } from './config-shape.ts';
import type { FileAccess } from './file-access.ts';
import type { ConfigPath } from './problem.ts';
import type { ProblemList } from './problem-list.ts';
import { remoteSource } from './remote-source.ts';

export interface ServerEntry {
  /** One that a server may have. */
  readonly name: string;
  readonly value: unknown;
  readonly path: ConfigPath;
}

const SECTIONS = [COMMAND_SERVER, URL_SERVER, MODULE_SERVER];
const KINDS = ['command', 'url', 'module'] as const;

/** Undefined when it does not say what kind of server it is; a problem says so then. */
export function serverConfig(
  { name, value, path }: ServerEntry,
  defaults: Passed<ServerOptionsShape>,
  files: FileAccess,
  problems: ProblemList,
): ServerConfig | undefined {
  if (!isRecord(value)) {
    problems.value(path, 'Give keys with values: command, url or module, and what belongs to it.');
    return undefined;
  }
  const kinds = KINDS.filter((kind) => Object.hasOwn(value, kind));
  const [kind, other] = kinds;
  if (kind === undefined) {
    problems.key(path, 'Say what the server is: give command, url or module.');
    const known = new Set(SECTIONS.flatMap(({ keys }) => keys));
    for (const key of Object.keys(value)) {
      if (!known.has(key)) problems.key([...path, key], unknownKey(key, [...known]));
    }
    return undefined;
  }
  if (other !== undefined) {
    problems.key([...path, other], `A server is one thing: give ${kinds.join(' or ')}, not both.`);
    return undefined;
  }
  if (kind === 'url') {
    const found = URL_SERVER.read(value, path, problems);
    const options = serverOptions(found, defaults);
    const source = remoteSource(found, options.isolation, path, files, problems);
    return { name, source, ...options };
  }
  if (kind === 'module') {
    const found = MODULE_SERVER.read(value, path, problems);
    return { name, source: moduleSource(found, files), ...serverOptions(found, defaults) };
  }
  const found = COMMAND_SERVER.read(value, path, problems);
  const options = serverOptions(found, defaults);
  tellChildFaults(found, options.isolation, path, problems);
  return { name, source: commandSource(found, files), ...options };
}

function commandSource(found: Passed<CommandShape>, files: FileAccess): ServerSource {
  const { command = '' } = found;
  return {
    kind: 'command',
    // A bare word is looked up on PATH; a path is beside the file, wherever the server runs.
    command: /[/\\]/.test(command) ? files.resolve(command) : command,
    args: found.args ?? [],
    env: found.env ?? {},
    cwd: files.resolve(found.cwd ?? '.'),
    ...childSource(found, files),
  };
}

function moduleSource(found: Passed<ModuleShape>, files: FileAccess): ServerSource {
  return {
    kind: 'module',
    path: files.resolve(found.module ?? ''),
    exportName: found.export ?? 'default',
  };
}

function serverOptions(
  own: Passed<ServerOptionsShape>,
  defaults: Passed<ServerOptionsShape>,
): Omit<ServerConfig, 'name' | 'source'> {
  const tasks = own.tasks ?? defaults.tasks;
  return {
    ...(tasks === undefined ? {} : { tasks }),
    isolation: own.isolation ?? defaults.isolation ?? 'session',
    eras: own.eras ?? defaults.eras ?? 'all',
    limits: definedOf({ ...defaults.limits, ...own.limits }),
    endpointForm: own.endpointForm ?? defaults.endpointForm ?? 'relative',
    priming: own.priming ?? defaults.priming ?? 'auto',
    heartbeat: own.heartbeat ?? defaults.heartbeat ?? 'comment',
    isRequired: own.required ?? defaults.required ?? true,
  };
}

function definedOf(limits: NonNullable<ServerOptionsShape['limits']>): ServerConfig['limits'] {
  return Object.fromEntries(Object.entries(limits).filter(([, value]) => value !== undefined));
}
