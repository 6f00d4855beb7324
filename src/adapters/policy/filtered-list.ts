/**
 * A list without some of its entries; what stays keeps every character. An answer that was decided
 * about is kept for nobody else.
 */
import { itemsOf } from '../../core/merge/array-items.ts';
import { Message } from '../../core/protocol/message.ts';
import { membersOf, objectText } from '../../core/protocol/object-members.ts';
import { isText } from './cedar-value.ts';
import { recordOf } from './question.ts';

export interface ListEntry {
  readonly kind: 'tool' | 'prompt' | 'resource' | 'template' | 'task';
  readonly name: string;
  readonly value: unknown;
}

interface ListForm {
  readonly member: string;
  readonly kind: ListEntry['kind'];
  readonly key: string;
  /** The method an entry is used by. */
  readonly use: string;
}

const FORMS: ReadonlyMap<string, ListForm> = new Map([
  ['tools/list', { member: 'tools', kind: 'tool', key: 'name', use: 'tools/call' }],
  ['prompts/list', { member: 'prompts', kind: 'prompt', key: 'name', use: 'prompts/get' }],
  ['resources/list', { member: 'resources', kind: 'resource', key: 'uri', use: 'resources/read' }],
  [
    'resources/templates/list',
    { member: 'resourceTemplates', kind: 'template', key: 'uriTemplate', use: 'resources/read' },
  ],
  ['tasks/list', { member: 'tasks', kind: 'task', key: 'taskId', use: 'tasks/get' }],
]);

/** What a list is filtered by is asked as of a request that uses an entry, not as of the list. */
export function useOf(method: string | undefined): Message | undefined {
  const use = FORMS.get(method ?? '')?.use;
  return use === undefined ? undefined : Message.request('0', use);
}

/**
 * An entry without a name is taken out: nobody could be allowed it. What was chosen for one caller
 * may be kept for nobody else.
 * @returns the same answer when nothing changes.
 * @see https://modelcontextprotocol.io/specification/2026-07-28/server/utilities/caching
 */
export function filteredList(
  method: string | undefined,
  answer: Message,
  isShown: (entry: ListEntry) => boolean,
): Message {
  const form = FORMS.get(method ?? '');
  if (method === 'resources/read') return keptPrivate(answer);
  if (form === undefined || answer.payload === undefined) return answer;
  const result = recordOf(answer.value);
  const values = result[form.member];
  if (!Array.isArray(values)) return answer;
  const shown = values.map((value: unknown) => {
    const name = recordOf(value)[form.key];
    return typeof name === 'string' && isText(name) && isShown({ ...form, name, value });
  });
  if (shown.every(Boolean) && result['cacheScope'] !== 'public') return answer;
  return Message.result(answer.id ?? 'null', rewritten(answer.payload, form.member, shown));
}

/**
 * Who may read differs, so nobody keeps it for others. What was read may be large, and is parsed
 * only where its text may have that member, by its name or with escapes in it.
 */
function keptPrivate(answer: Message): Message {
  const { payload } = answer;
  if (payload === undefined) return answer;
  if (!payload.includes('"cacheScope"') && !payload.includes('\\u')) return answer;
  if (recordOf(answer.value)['cacheScope'] !== 'public') return answer;
  const rest = membersOf(payload).filter(({ name }) => name !== 'cacheScope');
  const text = objectText(['"cacheScope":"private"', ...rest.map((each) => each.text)]);
  return Message.result(answer.id ?? 'null', text);
}

function rewritten(payload: string, member: string, shown: readonly boolean[]): string {
  const members = membersOf(payload);
  const list = members.findLast(({ name }) => name === member)?.value ?? '[]';
  const items = itemsOf(list).filter((_, index) => shown[index] === true);
  const rest = members.filter(({ name }) => name !== member && name !== 'cacheScope');
  const wasScoped = members.some(({ name }) => name === 'cacheScope');
  return objectText([
    ...rest.map(({ text }) => text),
    ...(wasScoped ? ['"cacheScope":"private"'] : []),
    `${JSON.stringify(member)}:[${items.join(',')}]`,
  ]);
}
