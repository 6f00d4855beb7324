/**
 * A result of the stateless revision in the words of the handshake eras: without what they do not
 * know, and with structured content that is an object.
 */
import { Message } from '../../protocol/message.ts';
import { membersOf, objectText } from '../../protocol/object-members.ts';
import { isObjectSchema, wrappedOutputSchema } from './output-schema.ts';

type Members = Readonly<Record<string, unknown>>;

const DROPPED: ReadonlySet<string> = new Set(['resultType', 'ttlMs', 'cacheScope']);
const SERVER_INFO = 'io.modelcontextprotocol/serverInfo';

/**
 * @param method - of the request it answers.
 * @param isOutputWrapped - whether the tool's output schema was shown to clients inside an object.
 */
export function legacyResult(message: Message, method: string, isOutputWrapped: boolean): Message {
  const value = message.value as Members;
  const members: string[] = [];
  for (const { name, text, value: own } of membersOf(message.payload ?? '{}')) {
    if (DROPPED.has(name)) continue;
    if (name === '_meta') members.push(...keptMeta(own));
    else if (name === 'structuredContent' && method === 'tools/call') {
      const isWrapped = isOutputWrapped || !isObject(value[name]);
      members.push(isWrapped ? `"structuredContent":{"result":${own}}` : text);
    } else if (name === 'content' && isTextMissing(value, method)) {
      members.push(`"content":${withText(own, JSON.stringify(value['structuredContent']))}`);
    } else if (name === 'tools' && method === 'tools/list' && hasOtherRoots(value[name])) {
      members.push(`"tools":${JSON.stringify(withObjectRoots(value[name]))}`);
    } else members.push(text);
  }
  return Message.result(message.id ?? 'null', objectText(members));
}

function keptMeta(meta: string): readonly string[] {
  if (!meta.startsWith('{')) return [];
  const kept = membersOf(meta).filter(({ name }) => name !== SERVER_INFO);
  return kept.length === 0 ? [] : [`"_meta":${objectText(kept.map(({ text }) => text))}`];
}

/** Content that is no object was always for readers of the text too. */
function isTextMissing(value: Members, method: string): boolean {
  const { structuredContent, content } = value;
  if (method !== 'tools/call' || structuredContent === undefined) return false;
  if (isObject(structuredContent) || !Array.isArray(content)) return false;
  return !content.some((block) => (block as { type?: unknown } | null)?.type === 'text');
}

function withText(content: string, text: string): string {
  const block = `{"type":"text","text":${JSON.stringify(text)}}`;
  const inside = content.slice(1, content.lastIndexOf(']')).trim();
  return inside === '' ? `[${block}]` : `[${inside},${block}]`;
}

function hasOtherRoots(tools: unknown): tools is readonly unknown[] {
  return Array.isArray(tools) && tools.some((tool) => needsWrap(tool));
}

function withObjectRoots(tools: readonly unknown[]): readonly unknown[] {
  return tools.map((tool) => {
    if (!needsWrap(tool)) return tool;
    return { ...tool, outputSchema: wrappedOutputSchema(tool.outputSchema) };
  });
}

function needsWrap(tool: unknown): tool is { readonly outputSchema: Members } {
  const schema = (tool as { outputSchema?: unknown } | null)?.outputSchema;
  return isObject(schema) && !isObjectSchema(schema);
}

function isObject(value: unknown): value is Members {
  return typeof value === 'object' && value !== null && !Array.isArray(value);
}
