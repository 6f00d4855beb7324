/**
 * Which server a URI is asked of, as far as one client's lists tell: whoever lists it, else whose
 * template it may come from, else everybody in order. Knows nothing of what other clients saw.
 */
import { templateChars, matchesTemplate } from './uri-template.ts';

/** Entries remembered of one server; a URI beyond them is found by asking. */
const ENTRIES_MAX = 10_000;

export interface ResourceRoute {
  /** Servers to ask, one after the other, until one knows the URI. */
  readonly servers: readonly string[];
  /** Whether the first is known to have it, so that its word is the last. */
  readonly isSure: boolean;
}

interface Known {
  readonly uris: Set<string>;
  readonly templates: Set<string>;
  hasUris: boolean;
  hasTemplates: boolean;
}

export class ResourceRoutes {
  /** In the order in which servers are preferred. */
  #known = new Map<string, Known>();

  /** The servers from now on; what is known of those that stay is kept. */
  setServers(servers: readonly string[]): void {
    this.#known = new Map(
      servers.map((server) => [server, this.#known.get(server) ?? nothingKnown()]),
    );
  }

  /** @param isFromStart - whether it is the beginning of the list: what was known is replaced. */
  learnUris(server: string, uris: readonly string[], isFromStart: boolean): void {
    const known = this.#known.get(server);
    if (known === undefined) return;
    if (isFromStart) known.uris.clear();
    for (const uri of uris) if (known.uris.size < ENTRIES_MAX) known.uris.add(uri);
    known.hasUris = true;
  }

  learnTemplates(server: string, templates: readonly string[], isFromStart: boolean): void {
    const known = this.#known.get(server);
    if (known === undefined) return;
    if (isFromStart) known.templates.clear();
    for (const each of templates) if (known.templates.size < ENTRIES_MAX) known.templates.add(each);
    known.hasTemplates = true;
  }

  /** The server said that its list changed, or did not know what it had listed. */
  forget(server: string): void {
    if (this.#known.has(server)) this.#known.set(server, nothingKnown());
  }

  /** Whether both lists of the server were read. */
  isKnown(server: string): boolean {
    const known = this.#known.get(server);
    return known !== undefined && known.hasUris && known.hasTemplates;
  }

  /** The first server that lists the URI or, word for word, the template. */
  ownerOf(uri: string): string | undefined {
    for (const [server, { uris, templates }] of this.#known) {
      if (uris.has(uri) || templates.has(uri)) return server;
    }
    return undefined;
  }

  routeOf(uri: string): ResourceRoute {
    const owner = this.ownerOf(uri);
    if (owner !== undefined) return { servers: [owner], isSure: true };
    const closeness = new Map<string, number>();
    for (const [server, { templates }] of this.#known) {
      for (const template of templates) {
        if (!matchesTemplate(template, uri)) continue;
        const chars = templateChars(template);
        closeness.set(server, Math.max(chars, closeness.get(server) ?? 0));
      }
    }
    const order = (server: string): number => closeness.get(server) ?? -1;
    // Sorting is stable: among equals the order of the servers stays.
    const servers = [...this.#known.keys()].sort((one, other) => order(other) - order(one));
    return { servers, isSure: false };
  }
}

function nothingKnown(): Known {
  return { uris: new Set(), templates: new Set(), hasUris: false, hasTemplates: false };
}
