/**
 * What a person pastes into a client. Each snippet is one line that works as it stands, in a POSIX
 * shell or as the whole of the file it is for.
 */
import { SsrfGuard } from '../adapters/outbound/ssrf-guard.ts';

export interface SnippetFacts {
  /** The server's name in the client's configuration: letters, digits and dashes. */
  readonly name: string;
  /** The URL of `/mcp`. */
  readonly url: string;
  /** Undefined when no credential is asked. */
  readonly token: string | undefined;
}

export interface Snippet {
  readonly client: 'claude-code' | 'desktop' | 'command' | 'vscode' | 'curl';
  /** Undefined: the line itself says whom it is for. */
  readonly title: string | undefined;
  readonly text: string;
}

export function snippets(facts: SnippetFacts): readonly Snippet[] {
  const { name, url, token } = facts;
  const headers = token === undefined ? {} : { headers: { Authorization: `Bearer ${token}` } };
  const header = token === undefined ? undefined : shellWord(`Authorization: Bearer ${token}`);
  return [
    {
      client: 'claude-code',
      title: 'Claude Code',
      text: words(
        'claude mcp add --transport http',
        name,
        shellWord(url),
        header && `--header ${header}`,
      ),
    },
    {
      client: 'desktop',
      title: 'Cursor and other desktop hosts (mcpServers JSON)',
      text: JSON.stringify({ mcpServers: { [name]: { url, ...headers } } }),
    },
    {
      client: 'command',
      title: 'Claude Desktop and others that only start commands (mcpServers JSON)',
      text: JSON.stringify({ mcpServers: { [name]: connection(facts) } }),
    },
    {
      client: 'vscode',
      title: 'VS Code (.vscode/mcp.json)',
      text: JSON.stringify({ servers: { [name]: { type: 'http', url, ...headers } } }),
    },
    {
      client: 'curl',
      title: undefined,
      text: words(
        'curl -s',
        shellWord(url),
        header && `-H ${header}`,
        `-H 'Content-Type: application/json' -d ${shellWord(JSON.stringify(HELLO))}`,
      ),
    },
  ];
}

/** The lines of a screen. Without a title a line stands out, or it would be of the one above. */
export function snippetLines(all: readonly Snippet[]): readonly string[] {
  return all.flatMap(({ title, text }) =>
    title === undefined ? text : [`${title}:`, `  ${text}`],
  );
}

/** The way of a host that knows no URLs. Arguments are seen in ps, so the token is none. */
function connection({ url, token }: SnippetFacts): object {
  const called = new URL(url);
  const isRefused = new SsrfGuard().faultOf(called) !== undefined;
  const allow = isRefused ? ['--allow', called.hostname] : [];
  const variables = { TIDEGATE_UPSTREAM_HEADERS: `Authorization: Bearer ${token}` };
  return {
    command: 'npx',
    args: ['-y', 'tidegate', 'connect', url, ...allow],
    ...(token === undefined ? {} : { env: variables }),
  };
}

/** Any server answers this, and it carries no state that a later line would need. */
const HELLO = {
  jsonrpc: '2.0',
  id: 1,
  method: 'initialize',
  params: {
    protocolVersion: '2025-11-25',
    capabilities: {},
    clientInfo: { name: 'curl', version: '1' },
  },
};

function words(...parts: readonly (string | undefined)[]): string {
  return parts.filter((part) => part !== undefined).join(' ');
}

/** One word for a POSIX shell, whatever it holds. */
function shellWord(text: string): string {
  return /^[A-Za-z0-9_@%+=:,./-]+$/.test(text) ? text : `'${text.replaceAll("'", `'\\''`)}'`;
}
