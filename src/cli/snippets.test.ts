import { execFileSync } from 'node:child_process';
import fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { SsrfGuard } from '../adapters/outbound/ssrf-guard.ts';
import { readConnectLine } from './connect-line.ts';
import { type SnippetFacts, snippetLines, snippets } from './snippets.ts';

const FACTS: SnippetFacts = {
  name: 'everything',
  url: 'http://127.0.0.1:8808/mcp',
  token: 'a-long-enough-token',
};

function text(client: string, facts: SnippetFacts = FACTS): string {
  return snippets(facts).find((snippet) => snippet.client === client)?.text ?? '';
}

/** The words a POSIX shell makes of a line. */
function shellWords(line: string): string[] {
  const print = `for word in "$@"; do printf '%s\\0' "$word"; done`;
  const out = execFileSync('/bin/sh', ['-c', `set -- ${line}\n${print}`], { encoding: 'utf8' });
  return out.split('\0').slice(0, -1);
}

describe('snippets', () => {
  it('gives Claude Code one command', () => {
    expect(text('claude-code')).toBe(
      'claude mcp add --transport http everything http://127.0.0.1:8808/mcp ' +
        "--header 'Authorization: Bearer a-long-enough-token'",
    );
  });

  it('gives desktop hosts and VS Code the JSON of their files', () => {
    const headers = { Authorization: 'Bearer a-long-enough-token' };
    expect(JSON.parse(text('desktop'))).toEqual({
      mcpServers: { everything: { url: FACTS.url, headers } },
    });
    expect(JSON.parse(text('vscode'))).toEqual({
      servers: { everything: { type: 'http', url: FACTS.url, headers } },
    });
  });

  it('gives hosts that only start commands one that connects, with the token in no argument', () => {
    const args = ['-y', 'tidegate', 'connect', FACTS.url];
    const env = { TIDEGATE_UPSTREAM_HEADERS: 'Authorization: Bearer a-long-enough-token' };
    expect(JSON.parse(text('command'))).toEqual({
      mcpServers: { everything: { command: 'npx', args, env } },
    });
  });

  it.each([
    ['http://192.0.2.7:8808/mcp', ['192.0.2.7']],
    ['https://10.1.2.3/mcp', ['10.1.2.3']],
    ['https://mcp.example.com/mcp', []],
    ['http://[::1]:8808/mcp', []],
  ])('gives them a command that the command does not refuse: %s', (url, allowed) => {
    const { mcpServers } = JSON.parse(text('command', { ...FACTS, url, token: undefined })) as {
      mcpServers: { everything: { args: string[] } };
    };
    const [, , ...words] = mcpServers.everything.args;
    const line = readConnectLine(words.slice(1), {});
    if (line.kind !== 'connect') throw new Error(JSON.stringify(line));
    const { url: called, allowedHosts } = line.options.remote;
    expect({ called, allowedHosts }).toEqual({ called: url, allowedHosts: allowed });
    expect(new SsrfGuard(allowedHosts).faultOf(new URL(called))).toBeUndefined();
  });

  it('leaves every header out when no credential is asked', () => {
    for (const { text: line } of snippets({ ...FACTS, token: undefined })) {
      expect(line).not.toContain('Authorization');
    }
  });

  it('makes shell lines whose words are what was meant, whatever the token and the URL hold', () => {
    const visible = fc.string({
      unit: fc.integer({ min: 0x21, max: 0x7e }).map((code) => String.fromCharCode(code)),
      minLength: 1,
    });
    fc.assert(
      fc.property(visible, visible, (token, path) => {
        const facts = { ...FACTS, token, url: `http://h/${path}` };
        expect(shellWords(text('claude-code', facts)).slice(-3)).toEqual([
          facts.url,
          '--header',
          `Authorization: Bearer ${token}`,
        ]);
        const curl = shellWords(text('curl', facts));
        expect(curl.slice(0, 5)).toEqual([
          'curl',
          '-s',
          facts.url,
          '-H',
          `Authorization: Bearer ${token}`,
        ]);
        expect(JSON.parse(curl.at(-1) ?? '')).toMatchObject({ method: 'initialize' });
      }),
      { numRuns: 30 },
    );
  });

  it('puts each below whom it is for, and apart what says so itself', () => {
    const lines = snippetLines(snippets(FACTS));
    expect(lines.filter((line) => line.startsWith('  ')).length * 2).toBe(lines.length - 1);
    expect(lines.at(-1)).toMatch(/^curl -s /);
  });
});
