/** A server's ES module, loaded when the first conversation opens and not before. */
import { pathToFileURL } from 'node:url';
import { failurePlace } from '../adapters/upstreams/in-process/failure-place.ts';
import type { ServerFactory } from '../adapters/upstreams/in-process/sdk-server.ts';
import { WordedFailure } from '../adapters/upstreams/in-process/worded-failure.ts';

type ModuleExports = Readonly<Record<string, unknown>>;

/** Functions of a module that are named to whoever chose none of them. */
const NAMES_MAX = 5;

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
    const module = await imported(url.href, path);
    const factory = module[exportName];
    if (typeof factory === 'function') return factory as ServerFactory;
    throw new WordedFailure(withoutExport(module, exportName));
  };
  return async (context) => {
    loaded ??= load().catch((error: unknown) => {
      loaded = undefined;
      throw error;
    });
    return (await loaded)(context);
  };
}

/** The message stays with the module, which may put anything into it: Node shows it. */
async function imported(href: string, path: string): Promise<ModuleExports> {
  try {
    return (await import(href)) as ModuleExports;
  } catch (cause) {
    const sentence = `${failurePlace(cause)}; to see its message, run node ${path}`;
    throw new WordedFailure(sentence, { cause });
  }
}

function withoutExport(module: ModuleExports, name: string): string {
  const functions = Object.keys(module).filter((each) => typeof module[each] === 'function');
  const wanted = name === 'default' ? 'no function as its default' : `no function ${name}`;
  const found =
    functions.length === 0 ? 'no other either' : functions.slice(0, NAMES_MAX).join(', ');
  return `it exports ${wanted}, but ${found}; name the one that builds a server with export`;
}
