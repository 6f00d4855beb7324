/** `tidegate check <file>`: everything that is wrong with a config, or what it would serve. */
import { printable } from '../adapters/telemetry/printable.ts';
import { urlHost } from '../core/security/listen-host.ts';
import { loadConfig } from '../gateway/config/load-config.ts';
import type { AuthConfig, GatewayConfig } from '../gateway/gateway-config.ts';
import type { CheckOptions } from './check-line.ts';
import { problemLine } from './problem-line.ts';
import type { Environment } from './serve-options.ts';
import { startNotes, startProblems } from './start-problems.ts';

export interface CheckOutcome {
  readonly exitCode: 0 | 1;
  /** For standard output. */
  readonly output: string;
  /** For standard error. */
  readonly text: string;
}

export function checkCommand({ file, isJson }: CheckOptions, env: Environment): CheckOutcome {
  const loaded = loadConfig(file, env);
  const problems =
    loaded.kind === 'faulty' ? loaded.problems : startProblems(loaded.config, loaded.places, env);
  if (loaded.kind === 'faulty' || problems.length > 0) {
    return {
      exitCode: 1,
      output: isJson ? `${JSON.stringify({ isFine: false, file, problems })}\n` : '',
      text: isJson ? '' : problems.map((problem) => problemLine(file, problem)).join(''),
    };
  }
  const notes = startNotes(loaded.config, loaded.places);
  return {
    exitCode: 0,
    output: isJson
      ? `${JSON.stringify({ isFine: true, file, ...served(loaded.config), notes })}\n`
      : '',
    text: isJson ? '' : servedText(file, loaded.config, notes),
  };
}

interface Served {
  /** Null where the port is chosen at the start, and no public URL says more. */
  readonly url: string | null;
  readonly auth: AuthConfig['kind'];
  /** Of every endpoint, the merged one last. Paths begin at `url`. */
  readonly endpoints: readonly {
    readonly name: string;
    readonly kind: 'command' | 'url' | 'module' | 'merged';
    readonly mcp: string;
    readonly sse: string;
  }[];
}

/** What is served, with nothing that may hold a secret. */
function served({ listen, auth, all, servers }: GatewayConfig): Served {
  const endpoint = (name: string, kind: Served['endpoints'][number]['kind']) => ({
    name,
    kind,
    mcp: `/${name}/mcp`,
    sse: `/${name}/sse`,
  });
  return {
    url: listen.publicUrl ?? (listen.port === 0 ? null : baseOf(listen)),
    auth: auth.kind,
    endpoints: [
      ...servers.map(({ name, source }) => endpoint(name, source.kind)),
      ...(all === undefined ? [] : [endpoint('all', 'merged')]),
    ],
  };
}

function baseOf({ host, port, tls }: GatewayConfig['listen']): string {
  const end = port === 0 ? '' : `:${port}`;
  return `${tls === undefined ? 'http' : 'https'}://${urlHost(host)}${end}`;
}

function servedText(file: string, config: GatewayConfig, notes: readonly string[]): string {
  const { url, auth, endpoints } = served(config);
  const widest = Math.max(...endpoints.map(({ name }) => name.length));
  const lines = endpoints.map(
    ({ name, kind, mcp, sse }) => `  ${name.padEnd(widest)}  ${kind.padEnd(7)}  ${mcp}  ${sse}\n`,
  );
  const told = notes.map((note) => `Note: ${note}\n`);
  const where = url ?? `${baseOf(config.listen)} and a free port, chosen at the start`;
  const head = `${printable(file)} is fine. At ${where}, ${DOORS[auth]}:\n`;
  return [head, ...lines, ...told].join('');
}

const DOORS: Readonly<Record<AuthConfig['kind'], string>> = {
  kept: 'with the token kept in your configuration folder',
  token: 'with the token it names',
  none: 'for anybody, without a credential',
  keys: 'with API keys',
  jwt: "with an issuer's access tokens",
  introspection: 'with access tokens that their issuer is asked about',
  mtls: 'with client certificates',
  several: 'with any of the credentials it names',
};
