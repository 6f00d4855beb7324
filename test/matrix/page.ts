/** docs/reference/eras.md, from what the matrix came to. */
import {
  BREAKS,
  CLIENT_ERAS,
  FEATURE_NAMES,
  NO_RESUME,
  NOTHING_TO_BREAK,
  type Outcomes,
} from './conversation.ts';
import { FEATURES, WORKS } from './features.ts';
import { UPSTREAMS, type UpstreamName } from './upstreams.ts';

const ABOUT = Object.entries({ ...FEATURES, ...BREAKS }).map(
  ([name, about]) => `| ${name} | ${typeof about === 'string' ? about : about.about} |`,
);

const INTRODUCTION = `# Eras

<!-- Written by \`npm run docs\` from test/matrix/; change it there. -->

What reaches a client of each era from each kind of server, as it came out in the project's own tests: the
official SDK's clients on one side (1.x over SSE for 2024, 1.x over Streamable HTTP for 2025, 2.x for 2026),
servers on the official SDK on the other, real sockets and processes between. *works* means that everything
arrived. Otherwise the cell is what the call was answered: a JSON-RPC error by its code, or a failed tool by its
text. After each of them the conversation went on.

| Row | What was tried |
|---|---|
${ABOUT.join('\n')}

Good to know:

- *resume* needs a client that sends \`Last-Event-ID\`. Over SSE the SDK's own transport leaves it out, so the
  2024 client resumed with a plain \`EventSource\`; with the SDK's, the conversation goes on and the call in flight
  is lost to it.
- *resume* does not exist in 2026: the server is told to stop, and the client calls again.
- *log* was tried with one call in flight. A server on a pipe does not say which call a log message belongs to; on
  one that several clients share, it is dropped while that is in doubt ([why](../decisions/0004-unmarked-messages-of-shared-upstreams.md)).
- On a pipe or an SSE stream of 2024, calls of a 2026 client that can be asked go one after the other
  ([why](../decisions/0005-asking-servers-one-call-at-a-time.md)).
- *server lost*: only Streamable HTTP of 2025 can be resumed, so only there the client notices nothing. No call is
  ever sent twice.
`;

export function erasPage(outcomes: ReadonlyMap<UpstreamName, Outcomes>): string {
  const tables = (Object.keys(UPSTREAMS) as UpstreamName[]).map((upstream) =>
    table(upstream, outcomes.get(upstream)),
  );
  return `${INTRODUCTION}\n${tables.join('\n')}`;
}

function table(upstream: UpstreamName, outcomes: Outcomes | undefined): string {
  const rows = FEATURE_NAMES.map((feature) => {
    const cells = CLIENT_ERAS.map((era) => cell(outcomes?.[feature][era] ?? ''));
    return `| ${feature} | ${cells.join(' | ')} |`;
  });
  return `## Behind the gate: ${upstream}

| | client of ${CLIENT_ERAS.join(' | client of ')} |
|---|---|---|---|
${rows.join('\n')}
`;
}

function cell(outcome: string): string {
  const isPlain = [WORKS, NO_RESUME, NOTHING_TO_BREAK].includes(outcome);
  return isPlain ? outcome : `\`${outcome}\``;
}
