/** The head of a reply, with what a framework has set on the response before us. */
import type { ServerResponse } from 'node:http';

/**
 * Like `res.writeHead`, but keeps repeated headers where others are set already: Node would keep
 * only the last line of each name then. Ours replace those of the framework that have the same
 * name.
 */
export function writeHead(res: ServerResponse, status: number, flat: string[]): void {
  if (res.getHeaderNames().length === 0) return void res.writeHead(status, flat);
  const seen = new Set<string>();
  for (let i = 0; i < flat.length; i += 2) {
    const [name, value] = [flat[i] ?? '', flat[i + 1] ?? ''];
    const key = name.toLowerCase();
    if (seen.has(key)) res.appendHeader(name, value);
    else res.setHeader(name, value);
    seen.add(key);
  }
  res.writeHead(status);
}
