/**
 * Looks a command up as the system will when it is started, so that a misspelt one is told at once
 * and not by the first client. What is found here may still fail to start; the upstream tells that.
 */
import { accessSync, constants, statSync } from 'node:fs';
import { delimiter, resolve } from 'node:path';

/** One line for the operator, or undefined when the command is there. */
export function commandFault(
  command: string,
  cwd: string,
  env: Readonly<Record<string, string | undefined>>,
): string | undefined {
  const isPath = /[/\\]/.test(command);
  const places = isPath
    ? [resolve(cwd, command)]
    : pathEntries(env).map((entry) => resolve(cwd, entry, command));
  if (places.some((place) => suffixes(env).some((suffix) => isProgram(place + suffix)))) {
    return undefined;
  }
  if (/\s/.test(command)) {
    return `the command "${command}" is one word with spaces. Leave its quotes out.`;
  }
  const found = places.find((place) => isFile(place));
  if (found !== undefined) return `${found} may not be run. Make it executable: chmod +x ${found}`;
  return isPath
    ? `there is no file ${places[0] ?? command}. Check the path after --.`
    : `the command ${command} is not on PATH. Check its spelling after --, or give its full path.`;
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
  try {
    return statSync(path).isFile();
  } catch {
    return false;
  }
}
