/**
 * Looks a command up as the system will when it is started, so that a misspelt one is told at once
 * and not by the first client. What is found here may still fail to start; the upstream tells that.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** Why a command will not start. */
export type MissingCommand =
  | { readonly kind: 'several-words' }
  | { readonly kind: 'not-executable'; readonly path: string }
  | { readonly kind: 'no-file'; readonly path: string }
  | { readonly kind: 'folder'; readonly path: string }
  | { readonly kind: 'not-on-path' };

/** One line for the operator, or undefined when the command is there. */
export function commandFault(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const missing = missingCommand(command, cwd, env);
  switch (missing?.kind) {
    case 'several-words':
      // The words may hold a key, and are not said again.
      return 'the command after -- is one word with spaces. Leave its quotes out.';
    case 'not-executable':
      return `${missing.path} may not be run. Make it executable: chmod +x ${missing.path}`;
    case 'no-file':
      return `there is no file ${missing.path}. Check the path after --.`;
    case 'folder':
      return `${missing.path} is a folder. Give the program in it after --.`;
    case 'not-on-path':
      return (
        `the command ${command} is not on PATH. ` +
        'Check its spelling after --, or give its full path.'
      );
    case undefined:
      return undefined;
  }
}

/** Undefined when the command is there. */
export function missingCommand(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): MissingCommand | undefined {
  const isPath = /[/\\]/.test(command);
  const places = isPath
    ? [resolve(cwd, command)]
    : pathEntries(env).map((entry) => resolve(cwd, entry, command));
  if (places.some((place) => suffixes(env).some((suffix) => isProgram(place + suffix)))) {
    return undefined;
  }
  if (/\s/.test(command)) return { kind: 'several-words' };
  const found = places.find((place) => isFile(place));
  if (found !== undefined) return { kind: 'not-executable', path: found };
  if (!isPath) return { kind: 'not-on-path' };
  const [path = command] = places;
  return { kind: isFolder(path) ? 'folder' : 'no-file', path };
}

function pathEntries(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return (env['PATH'] ?? env['Path'] ?? '').split(delimiter).filter((entry) => entry !== '');
}

/** Windows finds `npx.cmd` for `npx`. */
function suffixes(env: Readonly<Record<string, string | undefined>>): readonly string[] {
  return process.platform === 'win32' ? ['', ...(env['PATHEXT'] ?? '.EXE;.CMD').split(';')] : [''];
}

function isProgram(path: string): boolean {
  if (!isFile(path)) return false;
  try {
    accessSync(path, constants.X_OK);
    return true;
  } catch {
    return false;
  }
}

function isFile(path: string): boolean {
  return statOf(path)?.isFile() ?? false;
}

/** False for whatever cannot be looked at, too. */
export function isFolder(path: string): boolean {
  return statOf(path)?.isDirectory() ?? false;
}

function statOf(path: string): ReturnType<typeof statSync> {
  try {
    return statSync(path);
  } catch {
    return undefined;
  }
}
