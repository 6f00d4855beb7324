/**
 * What the command says once it listens: for people on stderr, or as one JSON line for programs.
 */
import { type Snippet, snippetLines, snippets } from './snippets.ts';

export interface StartupFacts {
  readonly version: string;
  /** The program that is served, without its arguments. */
  readonly program: string;
  /** Host and port that are listened on. */
  readonly address: string;
  /** The name in the snippets. */
  readonly name: string;
  /** Scheme, host and port, and the path before `/mcp`; without a slash at the end. */
  readonly baseUrl: string;
  readonly credential: CredentialFacts;
  /** Sentences about what the operator should know. */
  readonly notes: readonly string[];
}

export type CredentialFacts =
  | { readonly kind: 'none' }
  | { readonly kind: 'certificate' }
  | {
      readonly kind: 'token';
      /** Undefined for a token that the operator gave and that must not be repeated here. */
      readonly token: string | undefined;
      /** Where it is from and kept, to follow the token: `made now, kept in …`. */
      readonly source: string;
      /** Whether clients sign in at an issuer for it, which they do only without one of ours. */
      readonly isSignedInFor?: boolean | undefined;
    };

/** At most a screen of 24 lines of 80 columns, with a usual token. */
export function startupText(facts: StartupFacts): string {
  const urls = urlsOf(facts);
  const lines = [
    `Tidegate ${facts.version} serves ${served(facts)} on ${facts.address}`,
    `  2026, 2025  ${urls['2026']}`,
    `  2024        ${urls['2024']}`,
    ...tokenLines(facts.credential),
    ...facts.notes.map((note) => `  Note        ${note}`),
    '',
    ...snippetLines(snippetsOf(facts)),
    '',
  ];
  return `${lines.join('\n')}\n`;
}

/** The same facts as one line of JSON. */
export function startupJson(facts: StartupFacts): string {
  const { credential } = facts;
  const isToken = credential.kind === 'token';
  const line = {
    version: facts.version,
    program: facts.program,
    address: facts.address,
    urls: urlsOf(facts),
    auth: credential.kind,
    token: isToken ? (credential.token ?? null) : null,
    tokenSource: isToken ? credential.source : null,
    notes: facts.notes,
    snippets: Object.fromEntries(snippetsOf(facts).map(({ client, text }) => [client, text])),
  };
  return `${JSON.stringify(line)}\n`;
}

/** Stands in a snippet for a token that is not repeated. */
export const PLACEHOLDER = '<token>';

function urlsOf(facts: StartupFacts): Readonly<Record<'2026' | '2025' | '2024', string>> {
  const mcp = `${facts.baseUrl}/mcp`;
  return { '2026': mcp, '2025': mcp, '2024': `${facts.baseUrl}/sse` };
}

function served({ name, program }: StartupFacts): string {
  return name === program ? name : `${name} (${program})`;
}

export function tokenLines(credential: CredentialFacts): readonly string[] {
  if (credential.kind === 'none')
    return ['  Token       none is asked: whoever reaches this may use it'];
  if (credential.kind === 'certificate')
    return ['  Token       none: each client shows a certificate, and is whom its name says'];
  return credential.token === undefined
    ? [`  Token       ${credential.source}`]
    : [`  Token       ${credential.token}`, `              ${credential.source}`];
}

function snippetsOf(facts: StartupFacts): readonly Snippet[] {
  const { credential } = facts;
  const token = credential.kind === 'token' ? (credential.token ?? PLACEHOLDER) : undefined;
  return snippets({ name: facts.name, url: `${facts.baseUrl}/mcp`, token });
}
