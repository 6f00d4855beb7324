/**
 * A request as the one server sees it that it is for: names without their prefix, all else as it
 * came.
 */
import { META } from '../protocol/eras/stateless-2026.ts';
import { Message } from '../protocol/message.ts';
import { membersOf, objectText } from '../protocol/object-members.ts';
import { splitName } from './merged-name.ts';

type Members = Readonly<Record<string, unknown>>;
type Noun = 'tool' | 'prompt';

/** Who answers a request. */
export type Target =
  | {
      readonly kind: 'server';
      readonly server: string;
      readonly request: Message;
      /** What it was called here, and what such a thing is. */
      readonly merged: string;
      readonly noun: Noun;
    }
  /** Whoever has this resource. */
  | { readonly kind: 'resource'; readonly uri: string; readonly request: Message }
  /** A name, or a reference, that is nobody's. */
  | { readonly kind: 'nobody'; readonly detail: string }
  /** It is no request that one server answers. */
  | undefined;

/** Tasks outlive their call, and their ids say nothing of the server they are at. */
const TASKS = 'io.modelcontextprotocol/tasks';

export function targetOf(message: Message): Target {
  const params = (message.value ?? {}) as Members;
  switch (message.method) {
    case 'tools/call':
      return named(message, params['name'], 'tool', replaceName);
    case 'prompts/get':
      return named(message, params['name'], 'prompt', replaceName);
    case 'resources/read':
      return ofResource(message, params['uri']);
    case 'completion/complete': {
      const ref = (params['ref'] ?? {}) as Members;
      if (ref['type'] !== 'ref/prompt') return ofResource(message, ref['uri']);
      return named(message, ref['name'], 'prompt', (members, name) =>
        replaced(members, 'ref', (text) =>
          objectText(replaceName(membersOf(text), name).map(textOf)),
        ),
      );
    }
    default:
      return undefined;
  }
}

interface MemberText {
  readonly name: string;
  readonly text: string;
  readonly value: string;
}

function named(
  message: Message,
  merged: unknown,
  noun: Noun,
  rename: (members: readonly MemberText[], name: string) => readonly MemberText[],
): Target {
  const split = typeof merged === 'string' ? splitName(merged) : undefined;
  if (split === undefined || typeof merged !== 'string') {
    return { kind: 'nobody', detail: unknownName(noun, merged) };
  }
  const members = rename(membersOf(message.payload ?? '{}'), split.name);
  return {
    kind: 'server',
    server: split.server,
    request: requestOf(message, members),
    merged,
    noun,
  };
}

function ofResource(message: Message, uri: unknown): Target {
  if (typeof uri !== 'string') return { kind: 'nobody', detail: 'A uri is required.' };
  const request = requestOf(message, membersOf(message.payload ?? '{}'));
  return { kind: 'resource', uri, request };
}

/** The same for a name that cannot be split and one whose server there is not. */
export function unknownName(noun: Noun, name: unknown): string {
  return typeof name === 'string'
    ? `Unknown ${noun}: ${name}`
    : `The name of a ${noun} is required.`;
}

function replaceName(members: readonly MemberText[], name: string): readonly MemberText[] {
  return replaced(members, 'name', () => JSON.stringify(name));
}

function replaced(
  members: readonly MemberText[],
  which: string,
  change: (value: string) => string,
): readonly MemberText[] {
  return members.map((member) => {
    if (member.name !== which) return member;
    const value = change(member.value);
    return { name: which, value, text: `${JSON.stringify(which)}:${value}` };
  });
}

function requestOf(message: Message, members: readonly MemberText[]): Message {
  const hasTasks = message.payload?.includes(TASKS) === true;
  const kept = hasTasks ? replaced(members, '_meta', withoutTasks) : members;
  const payload = objectText(kept.map(textOf));
  const request = Message.request(message.id ?? 'null', message.method ?? '', payload);
  return request.sentFor(message.origin);
}

/** A client's `_meta` without the tasks extension. */
function withoutTasks(text: string): string {
  const meta = JSON.parse(text) as Record<string, unknown>;
  const capabilities = meta[META.clientCapabilities] as Members | undefined;
  const extensions = capabilities?.['extensions'];
  if (typeof extensions !== 'object' || extensions === null) return text;
  const { [TASKS]: _, ...others } = extensions as Members;
  return JSON.stringify({
    ...meta,
    [META.clientCapabilities]: { ...capabilities, extensions: others },
  });
}

function textOf({ text }: MemberText): string {
  return text;
}
