/** Tells one state of a file from another without reading it. */
import { statSync } from 'node:fs';

/** By absolute path; undefined for a file that was not there. */
export type FileVersions = ReadonlyMap<string, string | undefined>;

/** What differs whenever the content may differ; links are followed. Undefined: no such file. */
export function fileVersion(path: string): string | undefined {
  try {
    const { dev, ino, size, mtimeMs, ctimeMs } = statSync(path);
    return [dev, ino, size, mtimeMs, ctimeMs].join(' ');
  } catch {
    return undefined;
  }
}
