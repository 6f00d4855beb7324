/**
 * docs/architecture/state-machines.md: the machines' diagrams, drawn from the tables they run on.
 */
import { PART_TRANSITIONS } from '../src/core/merge/merged-listen.ts';
import { ROUNDS_TRANSITIONS } from '../src/core/bridge/modern-client/rounds.ts';
import { CALL_TRANSITIONS } from '../src/core/sessions/pending.ts';
import { REPLY_TRANSITIONS } from '../src/core/sessions/reply.ts';
import { SESSION_TRANSITIONS } from '../src/core/sessions/session.ts';
import { STREAM_TRANSITIONS } from '../src/core/sessions/stream.ts';
import { SUBSCRIPTION_TRANSITIONS } from '../src/core/sessions/subscription.ts';
import { INSTANCE_TRANSITIONS } from '../src/server/instance.ts';

type Table = Readonly<Record<string, Readonly<Record<string, string>>>>;

const MACHINES: readonly (readonly [title: string, file: string, about: string, table: Table])[] = [
  ['Session', 'src/core/sessions/session.ts', 'A 2024 or 2025 conversation.', SESSION_TRANSITIONS],
  [
    'Stream',
    'src/core/sessions/stream.ts',
    'One numbered sequence of events; it outlives the connections it is read through.',
    STREAM_TRANSITIONS,
  ],
  [
    'Reply',
    'src/core/sessions/reply.ts',
    'The reply to one POST of 2025: JSON, or a stream when the answer is slow or has company.',
    REPLY_TRANSITIONS,
  ],
  [
    'Call',
    'src/core/sessions/pending.ts',
    'One request in flight upstream. It ends exactly once.',
    CALL_TRANSITIONS,
  ],
  [
    'Subscription',
    'src/core/sessions/subscription.ts',
    'One `subscriptions/listen` of a 2026 client.',
    SUBSCRIPTION_TRANSITIONS,
  ],
  [
    'Rounds',
    'src/core/bridge/modern-client/rounds.ts',
    'One call of a 2026 client at a server of the handshake revisions, which may ask in the middle of it.',
    ROUNDS_TRANSITIONS,
  ],
  [
    'Part of a merged listen',
    'src/core/merge/merged-listen.ts',
    'The listen at one server, of a client that listens to all of them.',
    PART_TRANSITIONS,
  ],
  [
    'Upstream instance',
    'src/server/instance.ts',
    'One running server behind us, restarted with backoff.',
    INSTANCE_TRANSITIONS,
  ],
];

export function stateMachinesPage(): string {
  const parts = MACHINES.map(
    ([title, file, about, table]) =>
      `## ${title}\n\n${about} Table: [${file}](../../${file}).\n\n${diagram(table)}`,
  );
  return `# State machines

<!-- Written by \`npm run docs\` from the transition tables; change them there. -->

Each machine decides purely: an input, the time and an outbox go in, the next state and decisions come out.

${parts.join('\n')}`;
}

function diagram(table: Table): string {
  const [first = ''] = Object.keys(table);
  const lines = Object.entries(table).flatMap(([from, inputs]) =>
    Object.keys(inputs).length === 0
      ? [`  ${from} --> [*]`]
      : Object.entries(inputs).map(([input, to]) => `  ${from} --> ${to}: ${input}`),
  );
  return ['```mermaid', 'stateDiagram-v2', `  [*] --> ${first}`, ...lines, '```', ''].join('\n');
}
