import { readdirSync } from 'node:fs';
import { basename, dirname } from 'node:path';

/** The highest `n` of the files `<path>.<n>`; 0 when there is none. */
export function newestNumber(path: string): number {
  const start = `${basename(path)}.`;
  let newest = 0;
  for (const name of readdirSync(dirname(path))) {
    if (!name.startsWith(start)) continue;
    const end = name.slice(start.length);
    if (/^[1-9]\d{0,14}$/.test(end)) newest = Math.max(newest, Number(end));
  }
  return newest;
}
