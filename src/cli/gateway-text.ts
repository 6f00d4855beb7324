/** What `tidegate --config` says once it listens: for people, or as one JSON line for programs. */
import { type Snippet, snippetLines, snippets } from './snippets.ts';
import { type CredentialFacts, PLACEHOLDER, tokenLines } from './startup-text.ts';

export interface GatewayFacts {
  readonly version: string;
  /** The config, as it was given. */
  readonly file: string;
  /** Host and port that are listened on. */
  readonly address: string;
  /** What clients call the gateway by; without a slash at the end. */
  readonly baseUrl: string;
  /** In the order of the file. */
  readonly servers: readonly string[];
  /** Whether the servers are also served as one. */
  readonly hasAll: boolean;
  readonly credential: CredentialFacts;
  /** Sentences about what the operator should know. */
  readonly notes: readonly string[];
}

/** Names that are listed: with all else, no more than a screen of 24 lines. */
const LISTED_MAX = 7;
const NOTES_MAX = 3;

export function gatewayText(facts: GatewayFacts): string {
  const { baseUrl, servers } = facts;
  const names = endpointNames(facts);
  const listed = names.length > LISTED_MAX ? names.slice(0, LISTED_MAX - 1) : names;
  const widest = Math.max(...listed.map((name) => name.length));
  const count = servers.length === 1 ? '1 server' : `${servers.length} servers`;
  const lines = [
    `Tidegate ${facts.version} serves ${count} of ${facts.file} on ${facts.address}`,
    ...listed.map((name) => `  ${name.padEnd(widest)}  ${baseUrl}/${name}/mcp`),
    ...(listed.length < names.length
      ? [`  and ${names.length - listed.length} more, each at ${baseUrl}/<name>/mcp`]
      : []),
    '  Clients of 2024 use /sse in place of /mcp.',
    ...tokenLines(facts.credential),
    ...notesOf(facts.notes).map((note) => `  Note        ${note}`),
    '',
    ...snippetLines(snippetsOf(facts)),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** The same facts as one line of JSON. */
export function gatewayJson(facts: GatewayFacts): string {
  const { version, file, address, baseUrl, credential, notes } = facts;
  const isToken = credential.kind === 'token';
  const urls = endpointNames(facts).map((name) => {
    const mcp = `${baseUrl}/${name}/mcp`;
    return [name, { '2026': mcp, '2025': mcp, '2024': `${baseUrl}/${name}/sse` }] as const;
  });
  const line = {
    version,
    config: file,
    address,
    urls: Object.fromEntries(urls),
    auth: credential.kind,
    token: isToken ? (credential.token ?? null) : null,
    tokenSource: isToken ? credential.source : null,
    notes,
    snippets: Object.fromEntries(snippetsOf(facts).map(({ client, text }) => [client, text])),
  };
  return `${JSON.stringify(line)}\n`;
}

/** The one that merges the others comes first: it is what most clients want. */
function endpointNames({ hasAll, servers }: GatewayFacts): readonly string[] {
  return hasAll ? ['all', ...servers] : servers;
}

function notesOf(notes: readonly string[]): readonly string[] {
  if (notes.length <= NOTES_MAX) return notes;
  return [
    ...notes.slice(0, NOTES_MAX - 1),
    `and ${notes.length - NOTES_MAX + 1} more: see tidegate check.`,
  ];
}

function snippetsOf(facts: GatewayFacts): readonly Snippet[] {
  const { credential, baseUrl, hasAll } = facts;
  const token = credential.kind === 'token' ? (credential.token ?? PLACEHOLDER) : undefined;
  const isSignedInFor = credential.kind === 'token' && credential.isSignedInFor === true;
  const name = hasAll ? 'all' : (facts.servers[0] ?? 'all');
  const shown = { name: hasAll ? 'tidegate' : name, url: `${baseUrl}/${name}/mcp` };
  const own = isSignedInFor ? undefined : token;
  return [
    ...snippets({ ...shown, token: own }).filter(({ client }) => !ELSEWHERE.has(client)),
    ...snippets({ ...shown, token }).filter(({ client }) => client === 'curl'),
  ];
}

/** `curl` cannot sign in; and the line of VS Code is as that of desktop hosts, but for a screen. */
const ELSEWHERE: ReadonlySet<Snippet['client']> = new Set(['curl', 'vscode']);
