/** What of a client's listen concerns one server. */
import { changingLists } from '../bridge/legacy-client/change-watch.ts';
import type { Filter } from '../sessions/subscription.ts';

/**
 * @param capabilities - of the server's DiscoverResult.
 * @param isAsked - whether the server is one to ask for this URI.
 */
export function listenShare(
  filter: Filter,
  capabilities: Readonly<Record<string, unknown>>,
  isAsked: (uri: string) => boolean,
): Filter {
  const lists = changingLists(capabilities);
  const resources = capabilities['resources'] as { subscribe?: unknown } | undefined;
  const uris = resources?.subscribe === true ? [...filter.uris].filter(isAsked) : [];
  return {
    toolsListChanged: filter.toolsListChanged && lists.toolsListChanged,
    promptsListChanged: filter.promptsListChanged && lists.promptsListChanged,
    resourcesListChanged: filter.resourcesListChanged && lists.resourcesListChanged,
    uris: new Set(uris),
  };
}
