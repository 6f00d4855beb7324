/** The lists that are merged, and what distinguishes the entries of each. */
export interface ListKind {
  /** The member of the result that holds the list. */
  readonly member: 'tools' | 'prompts' | 'resources' | 'resourceTemplates';
  /** The capability of a server that has such a list. */
  readonly capability: 'tools' | 'prompts' | 'resources';
  /** The member of an entry that names it. */
  readonly key: 'name' | 'uri' | 'uriTemplate';
}

const LIST_KINDS: Readonly<Record<string, ListKind>> = {
  'tools/list': { member: 'tools', capability: 'tools', key: 'name' },
  'prompts/list': { member: 'prompts', capability: 'prompts', key: 'name' },
  'resources/list': { member: 'resources', capability: 'resources', key: 'uri' },
  'resources/templates/list': {
    member: 'resourceTemplates',
    capability: 'resources',
    key: 'uriTemplate',
  },
};

export function listKindOf(method: string | undefined): ListKind | undefined {
  return method !== undefined && Object.hasOwn(LIST_KINDS, method) ? LIST_KINDS[method] : undefined;
}
