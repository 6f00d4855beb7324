/**
 * What will keep a config's servers from starting, as far as the disk tells without starting them.
 * Commands and paths may hold a variable's value, and are in no sentence.
 */
import { statSync } from 'node:fs';
import { dirname } from 'node:path';
import { isForeignFile } from '../adapters/audit/foreign-file.ts';
import { type WriteFault, writeFault } from '../adapters/audit/write-fault.ts';
import { readKeyFile } from '../adapters/identity/key-file.ts';
import { readTlsFiles, tlsFaults } from '../adapters/http/tls-files.ts';
import type { ConfigPlaces } from '../gateway/config/read-config.ts';
import type { ConfigPath, Problem } from '../gateway/config/problem.ts';
import type { GatewayConfig, ServerSource } from '../gateway/gateway-config.ts';
import { certificateEnd } from './certificate-end.ts';
import { type MissingCommand, missingCommand } from './find-command.ts';
import { keyModeNote } from './key-mode.ts';
import { exposureNotes, publicUrlNotes } from './open-listener.ts';
import type { Environment } from './serve-options.ts';
import { type StartNote, tenantNotes, waysOf } from './tenant-notes.ts';

export function startProblems(
  config: GatewayConfig,
  places: ConfigPlaces,
  env: Environment,
): readonly Problem[] {
  return [
    ...tlsProblems(config, places),
    ...keysProblems(config, places),
    ...auditProblems(config, places),
    ...serverProblems(config, places, env),
  ];
}

/** What keeps nothing from starting, and still may not be meant. */
export function startNotes(config: GatewayConfig, places: ConfigPlaces): readonly string[] {
  const { host, publicUrl, tls } = config.listen;
  const placed = [...keyFileNotes(config), ...tlsKeyNotes(config), ...tenantNotes(config)];
  return [
    ...publicUrlNotes(publicUrl, '/<name>'),
    ...exposureNotes(host, publicUrl, tls !== undefined, KEYS),
    ...placed.map(({ at, note }) => {
      const { line, path } = places.value(at);
      return `Line ${line}, ${path}: ${note}`;
    }),
  ];
}

const KEYS = { tls: 'listen.tls', publicUrl: 'listen.publicUrl' };

function keyFileNotes(config: GatewayConfig): readonly StartNote[] {
  return keyFiles(config).flatMap(({ file, at }) =>
    statOf(file) === undefined ? [{ at, note: NO_KEYS }] : [],
  );
}

function tlsKeyNotes({ listen }: GatewayConfig): readonly StartNote[] {
  const note = listen.tls === undefined ? undefined : keyModeNote(listen.tls.key);
  return note === undefined ? [] : [{ at: ['listen', 'tls', 'key'], note }];
}

const NO_KEYS =
  'This file of API keys does not exist yet; tidegate keys add <subject> --file … makes it.';

/** Of a file that is there: one that cannot be read keeps the gateway from starting. */
function keysProblems(config: GatewayConfig, places: ConfigPlaces): readonly Problem[] {
  return keyFiles(config).flatMap(({ file, at }) => {
    const read = isFile(file) ? readKeyFile(file) : undefined;
    if (read?.kind !== 'failed') return [];
    return [{ ...places.value(at), message: `This file ${read.what}.` }];
  });
}

function keyFiles({ auth }: GatewayConfig): readonly { file: string; at: ConfigPath }[] {
  return waysOf(auth).flatMap(({ way, at }) =>
    way.kind === 'keys' ? [{ file: way.path, at: [...at, 'keys'] }] : [],
  );
}

function auditProblems({ audit }: GatewayConfig, places: ConfigPlaces): readonly Problem[] {
  if (audit?.file === undefined) return [];
  const problem = (message: string): readonly Problem[] => [
    { ...places.value(['audit', 'file']), message },
  ];
  if (isFolder(audit.file)) return problem('This is a folder. Give the path of a file.');
  if (isForeignFile(audit.file)) {
    return problem('This file holds something else than a record. Give the path of another.');
  }
  if (!isFolder(dirname(audit.file))) return problem('There is no such folder for this file.');
  const fault = writeFault(audit.file);
  return fault === undefined ? [] : problem(WRITE_FAULTS[fault]);
}

const WRITE_FAULTS: Readonly<Record<WriteFault, string>> = {
  file: 'This file may not be read and written. Give it to the user that starts Tidegate.',
  folder: 'Nothing may be written in the folder of this file, where the next ones go as well.',
  full: 'The disk of this file is full. Make room, or give the path of a file elsewhere.',
};

function tlsProblems({ listen }: GatewayConfig, places: ConfigPlaces): readonly Problem[] {
  if (listen.tls === undefined) return [];
  const problem = (file: string, message: string): Problem => ({
    ...places.value(['listen', 'tls', file]),
    message,
  });
  const faults = tlsFaults(listen.tls);
  if (faults.length > 0) return faults.map(({ file, what }) => problem(file, `This file ${what}`));
  const ended = certificateEnd(readTlsFiles(listen.tls));
  return ended === undefined ? [] : [problem('cert', `This certificate ${ended}`)];
}

function serverProblems(
  config: GatewayConfig,
  places: ConfigPlaces,
  env: Environment,
): readonly Problem[] {
  return config.servers.flatMap(({ name, source }) =>
    faultsOf(source, env).map(({ key, message }) => ({ ...places.server(name, key), message })),
  );
}

interface Fault {
  readonly key: string;
  readonly message: string;
}

function faultsOf(source: ServerSource, env: Environment): readonly Fault[] {
  if (source.kind === 'url') return [];
  if (source.kind === 'module') {
    const message = 'There is no such file. Check the path, which begins at the config file.';
    return isFile(source.path) ? [] : [{ key: 'module', message }];
  }
  const { cwd = '.', command, sandbox = [] } = source;
  if (!isFolder(cwd)) return [{ key: 'cwd', message: 'There is no such folder.' }];
  const programs = { sandbox: sandbox[0], command };
  return Object.entries(programs).flatMap(([key, program]) => {
    if (program === undefined) return [];
    const missing = missingCommand(program, cwd, { ...env, ...source.env });
    return missing === undefined ? [] : [{ key, message: SENTENCES[missing.kind] }];
  });
}

const SENTENCES: Readonly<Record<MissingCommand['kind'], string>> = {
  'several-words': 'This is one word with spaces. Put what follows the program into args.',
  'not-executable': 'This file may not be run. Make it executable with chmod +x.',
  folder: 'This is a folder. Give the program in it.',
  'no-file': 'There is no such file. Check the path, which begins at the config file.',
  'not-on-path': 'This program is not on PATH. Check its spelling, or give its full path.',
};

function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

function statOf(path: string): ReturnType<typeof statSync> {
  try {
    return statSync(path, { throwIfNoEntry: false });
  } catch {
    return undefined;
  }
}
