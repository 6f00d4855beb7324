/** A server's ES module, loaded when the first conversation opens and not before. */
import { pathToFileURL } from 'node:url';
import type { ServerFactory } from '../adapters/upstreams/in-process/sdk-server.ts';

/**
 * A failure is that conversation's failure. Node remembers a module that failed by its URL, so each
 * further attempt has a URL of its own: a file that was mended is found without a restart.
 *
 * @param path - absolute.
 * @param exportName - the export that builds a server.
 */
export function moduleFactory(path: string, exportName: string): ServerFactory {
  let loaded: Promise<ServerFactory> | undefined;
  let attempts = 0;
  const load = async (): Promise<ServerFactory> => {
    const url = pathToFileURL(path);
    if (attempts > 0) url.search = `attempt=${attempts}`;
    attempts += 1;
    const module: unknown = await import(url.href);
    const factory = (module as Readonly<Record<string, unknown>>)[exportName];
    if (typeof factory !== 'function') {
      throw new TypeError(`the module exports no function named ${exportName}`);
    }
    return factory as ServerFactory;
  };
  return async (context) => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return (await loaded)(context);
  };
}
