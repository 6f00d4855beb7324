/** One thing that changed, and the notification that says so. */
import { META } from '../protocol/eras/stateless-2026.ts';
import { Message } from '../protocol/message.ts';
import type { Filter } from '../sessions/subscription.ts';

export const CHANGE_KINDS = ['tools', 'prompts', 'resources', 'resource'] as const;
export type ChangeKind = (typeof CHANGE_KINDS)[number];

export interface Change {
  readonly kind: ChangeKind;
  /** Of the one resource that was updated. */
  readonly uri?: string | undefined;
}

const UPDATED = 'notifications/resources/updated';

export function changeMethod(kind: ChangeKind): string {
  return kind === 'resource' ? UPDATED : `notifications/${kind}/list_changed`;
}

/** Undefined for a notification that reports no change. */
export function changeOf(message: Message): Change | undefined {
  const kind = CHANGE_KINDS.find((each) => changeMethod(each) === message.method);
  if (kind !== 'resource') return kind === undefined ? undefined : { kind };
  const { uri } = (message.value ?? {}) as { uri?: unknown };
  return typeof uri === 'string' ? { kind, uri } : undefined;
}

/** Everything a filter lets through, changed once. */
export function changesOf(filter: Filter): readonly Change[] {
  const changes: Change[] = [];
  if (filter.toolsListChanged) changes.push({ kind: 'tools' });
  if (filter.promptsListChanged) changes.push({ kind: 'prompts' });
  if (filter.resourcesListChanged) changes.push({ kind: 'resources' });
  for (const uri of filter.uris) changes.push({ kind: 'resource', uri });
  return changes;
}

/** @param listen - the id of the listen it is told on, as its JSON token. */
export function changeNotice({ kind, uri }: Change, listen: string): Message {
  return stamped(
    changeMethod(kind),
    listen,
    uri === undefined ? '' : `"uri":${JSON.stringify(uri)}`,
  );
}

/** A notification of a listen, with the place of its stamp. */
export function stamped(method: string, listen: string, members: string): Message {
  const head = `{"_meta":{"${META.subscriptionId}":`;
  const subscriptionId = { start: head.length, end: head.length + listen.length };
  const rest = members === '' ? '' : `,${members}`;
  return Message.notification(method, `${head}${listen}}${rest}}`, { subscriptionId });
}
