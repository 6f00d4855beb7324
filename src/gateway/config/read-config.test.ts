import { describe, expect, it, test } from 'vitest';
import type { FileText } from './file-access.ts';
import type { Problem } from './problem.ts';
import { type ConfigOutcome, readConfig } from './read-config.ts';

const ENV = { TOKEN_VALUE: 'a-token-of-some-length', HOME: '/home/me', EMPTY: '', PORT: '9000' };
const PEM_FREE: FileText = { kind: 'text', text: 'no certificate' };

function outcomeOf(text: string, env: Record<string, string> = ENV): ConfigOutcome {
  return readConfig(text, {
    path: '/etc/tidegate/tidegate.yaml',
    env,
    readFile: (path) =>
      path === '/etc/tidegate/free.pem'
        ? PEM_FREE
        : { kind: 'unreadable', fault: 'does not exist' },
  });
}

function configOf(text: string, env?: Record<string, string>) {
  const outcome = outcomeOf(text, env);
  if (outcome.kind === 'faulty') throw new Error(linesOf(outcome.problems).join('\n'));
  return outcome.config;
}

function problemsOf(text: string, env?: Record<string, string>): readonly string[] {
  const outcome = outcomeOf(text, env);
  return outcome.kind === 'faulty' ? linesOf(outcome.problems) : [];
}

/** Of each problem, where it is. */
function placesIn(text: string, env?: Record<string, string>): readonly string[] {
  return problemsOf(text, env).map((line) => line.slice(0, line.indexOf(': ')));
}

function linesOf(problems: readonly Problem[]): string[] {
  return problems.map(({ line, column, path, message }) => `${line}:${column} ${path}: ${message}`);
}

describe('a config of our own', () => {
  test('of one line gets every default', () => {
    expect(configOf('servers: { files: { command: npx } }')).toEqual({
      listen: {
        host: '127.0.0.1',
        port: 8808,
        publicUrl: undefined,
        allowedOrigins: undefined,
        drainMs: 20_000,
      },
      auth: { kind: 'kept' },
      all: undefined,
      servers: [
        {
          name: 'files',
          source: { kind: 'command', command: 'npx', args: [], env: {}, cwd: '/etc/tidegate' },
          isolation: 'session',
          eras: 'all',
          limits: {},
          endpointForm: 'relative',
          priming: 'auto',
          heartbeat: 'comment',
          isRequired: true,
        },
      ],
    });
  });

  it('lists every problem at once, in the order of the file', () => {
    const text = `listen: { port: 99999, publcUrl: x, drain: 20 }
auth: { token: short }
servers:
  Files: { command: npx, url: 'https://a.example', isolation: sesion }
  git: { url: 'http://10.0.0.1/mcp', ca: gone.pem, headers: { A: '\${GONE}' } }
  git: { module: x.mjs }
  mine: { module: x.mjs, exprt: y, limits: { callMs: 1 } }
`;
    expect(placesIn(text)).toEqual([
      '1:17 listen.port',
      '1:24 listen.publcUrl',
      '1:44 listen.drain',
      '2:16 auth.token',
      '4:3 servers.Files',
      '4:26 servers.Files.url',
      '5:15 servers.git.url',
      '5:42 servers.git.ca',
      '5:66 servers.git.headers.A',
      '6:3 servers.git',
      '7:26 servers.mine.exprt',
      '7:46 servers.mine.limits.callMs',
    ]);
  });
});
